/** Tools of the AI SDK, governed where they are executed. */
import { asSchema, type ToolExecutionOptions, type ToolSet } from 'ai'
import type { WrappedTool, Wrapping } from 'gatehouse'

type Tool = ToolSet[string]
type Execute = (input: unknown, options: ToolExecutionOptions<unknown>) => unknown

/**
 * @returns a view of the tools: what is looked up in it, now or later, is governed
 */
export function governedTools<Tools extends ToolSet>(tools: Tools, wrapping: Wrapping): Tools {
  const known = new WeakMap<object, Tool>()
  const governed = (name: string): Tool | undefined => {
    const tool: Tool | undefined = Reflect.get(tools, name)
    if (tool === undefined || typeof tool.execute !== 'function') return tool
    const before = known.get(tool)
    if (before !== undefined) return before
    const made = governedTool(name, tool, wrapping)
    known.set(tool, made)
    return made
  }
  return new Proxy(tools, {
    get: (target, key) =>
      typeof key === 'string' && Object.hasOwn(target, key) ? governed(key) : Reflect.get(target, key),
    getOwnPropertyDescriptor: (target, key) => {
      const own = Reflect.getOwnPropertyDescriptor(target, key)
      if (own === undefined || typeof key !== 'string') return own
      return { value: governed(key), enumerable: own.enumerable ?? true, configurable: true, writable: true }
    },
  })
}

/** `execute` is looked up when it is called; what it gives in parts counts when it is whole. */
function governedTool(name: string, tool: Tool, wrapping: Wrapping): Tool {
  let wrapped: Promise<WrappedTool> | undefined
  const register = async (): Promise<WrappedTool> => {
    const schema = await asSchema(tool.inputSchema as never).jsonSchema
    return wrapping.tool({ name, description: textOf(tool.description), schema })
  }
  const execute: Execute = async (input, options) => {
    wrapped ??= register()
    const result = await (await wrapped).call(input, (args, { signal }) => {
      const abortSignal =
        options.abortSignal === undefined ? signal : AbortSignal.any([options.abortSignal, signal])
      return last((tool.execute as Execute).call(tool, args, { ...options, abortSignal }))
    })
    if (result.ok) return result.value
    throw new Error(result.message)
  }
  return Object.defineProperty(Object.create(tool), 'execute', { value: execute, enumerable: true })
}

const textOf = (description: unknown): string | undefined =>
  typeof description === 'string' ? description : undefined

/** Of results that come in parts each takes the place of the one before. */
async function last(result: unknown): Promise<unknown> {
  const given = await result
  if (typeof given !== 'object' || given === null || !(Symbol.asyncIterator in given)) return given
  let value: unknown
  for await (const part of given as AsyncIterable<unknown>) value = part
  return value
}
