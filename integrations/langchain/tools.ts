/** One tool of LangChain, governed: its arguments are judged, and it runs with those that were. */
import { ToolMessage } from '@langchain/core/messages'
import type { RunnableConfig } from '@langchain/core/runnables'
import { toJsonSchema } from '@langchain/core/utils/json_schema'
import { v7 as makeRunId } from '@langchain/core/utils/uuid'
import { type Json, KernelError, type WrappedTool, type Wrapping } from 'gatehouse'
import { withSignal } from './config.ts'
import { isToolCall, type ToolLike } from './shapes.ts'
import { watchHere } from './watch.ts'

type Invoke = (input: unknown, config?: RunnableConfig) => Promise<unknown>

/** What would run the tool past the gate. */
const inner: ReadonlySet<PropertyKey> = new Set(['_call', 'func'])

/**
 * @returns the same tool, of which `invoke` passes the gate, and with it all that LangChain builds on that. Refused, it
 *   answers a model's call with a message that says why, and rejects any other call with a KernelError
 * @throws KernelError EINVAL for a name or a schema that is not sound, or that the policy cannot judge
 */
export function governTool(tool: ToolLike, wrapping: Wrapping): ToolLike {
  const { name, description } = tool
  const wrapped = wrapping.tool({ name, description, schema: schemaOf(tool) })
  const invoke: Invoke = (input, config) =>
    pass(wrapped, input, config, (judged, how) => tool.invoke(judged, how))
  return new Proxy(tool, {
    get(target, key, receiver) {
      if (key === 'invoke' || key === 'call') return invoke
      if (inner.has(key) && key in target) return refuseInner(name)
      return Reflect.get(target, key, receiver)
    },
  })
}

async function pass(
  wrapped: WrappedTool,
  input: unknown,
  config: RunnableConfig | undefined,
  invoke: Invoke,
): Promise<unknown> {
  let returned: unknown
  const result = await wrapped.call(
    argsOf(input),
    async (args, { signal }) => {
      const runId = config?.runId ?? makeRunId()
      watchHere()?.expect(runId)
      const judged = isToolCall(input) ? { ...input, args } : args
      returned = await invoke(judged, { ...withSignal(config, signal), runId })
      return returned
    },
    encode,
  )
  if (result.ok) return result.returned === undefined ? cleaned(returned, result.value) : result.returned
  const { code, message } = result
  if (!isToolCall(input)) throw new KernelError(code, message)
  return new ToolMessage({
    status: 'error',
    content: message,
    name: wrapped.name,
    tool_call_id: input.id ?? '',
  })
}

/** A tool of one text is asked with that text by programs, and with an object by models. */
function argsOf(input: unknown): unknown {
  const args = isToolCall(input) ? input.args : input
  return typeof args === 'string' ? { input: args } : args
}

/** What a model would read of it. */
function encode(returned: unknown): unknown {
  if (ToolMessage.isInstance(returned)) return returned.content
  return typeof returned === 'string' ? returned : JSON.parse(JSON.stringify(returned) ?? 'null')
}

/** What the gate took something out of, such as the value of a secret. */
function cleaned(returned: unknown, value: Json): unknown {
  if (!ToolMessage.isInstance(returned)) return value
  const { tool_call_id, name, status, id } = returned
  const content = typeof value === 'string' ? value : JSON.stringify(value)
  return new ToolMessage({
    content,
    tool_call_id,
    ...(name && { name }),
    ...(status && { status }),
    ...(id && { id }),
  })
}

function schemaOf({ name, schema }: ToolLike): unknown {
  try {
    return toJsonSchema(schema as Parameters<typeof toJsonSchema>[0], { io: 'input' })
  } catch (error) {
    throw new KernelError(
      'EINVAL',
      `tool \`${name}\`: ${error instanceof Error ? error.message : 'its schema is none'}`,
    )
  }
}

const refuseInner = (name: string) => (): never => {
  throw new KernelError(
    'EPERM',
    `tool \`${name}\`: what it does is behind \`invoke\`, which asks the kernel first`,
  )
}
