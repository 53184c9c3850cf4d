/** What LangChain's objects are known by. Not by their class: an application may have loaded two copies of the library. */
import type { RunnableConfig } from '@langchain/core/runnables'

type Fields = Readonly<Record<PropertyKey, unknown>>

/** Anything with `invoke` that LangChain composes. */
export interface RunnableLike {
  readonly lc_runnable: true
  invoke(input: unknown, config?: RunnableConfig): Promise<unknown>
}

/** A tool: `StructuredTool`, `DynamicTool`, or what `asTool` makes of a runnable. */
export interface ToolLike extends RunnableLike {
  readonly name: string
  readonly description: string
  readonly schema: unknown
}

/** A compiled graph of LangGraph. */
export interface GraphLike extends RunnableLike {
  nodes: Readonly<Record<string, NodeLike>>
  withConfig(config: object): GraphLike
}

/** A node of a compiled graph. */
export interface NodeLike {
  readonly bound: unknown
  readonly subgraphs?: readonly unknown[]
}

/** A node that runs the tools of the last message, LangGraph's or LangChain's. */
export interface ToolNodeLike extends RunnableLike {
  readonly name?: unknown
  readonly tags?: unknown
  readonly handleToolErrors?: unknown
  /** LangChain's own keeps here what it was made with. */
  readonly options?: object
  readonly tools: readonly unknown[]
}

/** What `createAgent` gives. */
export interface AgentLike {
  options: { readonly middleware?: readonly unknown[]; readonly tools?: readonly unknown[] }
  readonly graph: GraphLike
  withConfig(config: object): AgentLike
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

export const isRunnable = (value: unknown): value is RunnableLike =>
  isObject(value) && value.lc_runnable === true && typeof value.invoke === 'function'

export const isTool = (value: unknown): value is ToolLike =>
  isRunnable(value) && 'schema' in value && 'description' in value && 'name' in value && !isModel(value)

export const isModel = (value: unknown): value is RunnableLike =>
  isRunnable(value) && '_llmType' in value && '_modelType' in value

export const isGraph = (value: unknown): value is GraphLike =>
  isRunnable(value) && 'lg_is_pregel' in value && value.lg_is_pregel === true

export const isToolNode = (value: unknown): value is ToolNodeLike =>
  isRunnable(value) && 'runTool' in value && 'tools' in value && Array.isArray(value.tools)

export const isAgent = (value: unknown): value is AgentLike =>
  isObject(value) &&
  !isRunnable(value) &&
  'graph' in value &&
  isGraph(value.graph) &&
  isObject(value.options) &&
  typeof value.withConfig === 'function'

/** A call as a model asks for it: the tool's answer to it is a message. */
export interface ToolCallLike {
  readonly type: 'tool_call'
  readonly name: string
  readonly id?: string
  readonly args: unknown
}

export const isToolCall = (value: unknown): value is ToolCallLike =>
  isObject(value) && value.type === 'tool_call' && 'args' in value

export const isPlain = (value: unknown): value is Fields => {
  if (!isObject(value)) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}
