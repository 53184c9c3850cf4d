/** One tool of Mastra, governed where it is executed. */
import type { WrappedTool, Wrapping } from 'gatehouse'

export interface AnyTool {
  readonly description?: unknown
  readonly inputSchema?: unknown
  readonly execute: (input: unknown, context?: Context) => unknown
}

interface Context {
  readonly abortSignal?: AbortSignal
}

/** A schema that says of itself what it is as JSON Schema (standardschema.dev). */
interface Standard {
  readonly '~standard'?: {
    readonly jsonSchema?: { input(how: { readonly target: 'draft-07' }): unknown }
  }
}

/** `execute` is looked up when it is called. Every other member is the tool's own. */
export function governedTool(name: string, tool: AnyTool, wrapping: Wrapping): AnyTool {
  const { description, inputSchema } = tool
  const schema = (inputSchema as Standard | undefined)?.['~standard']?.jsonSchema?.input({
    target: 'draft-07',
  })
  const wrapped: WrappedTool = wrapping.tool({
    ...{ name, schema: schema ?? {} },
    description: typeof description === 'string' ? description : undefined,
  })
  const execute: AnyTool['execute'] = async (input, context = {}) => {
    const result = await wrapped.call(input, (args, { signal }) => {
      const { abortSignal } = context
      const both = abortSignal === undefined ? signal : AbortSignal.any([abortSignal, signal])
      return Reflect.apply(tool.execute, tool, [args, { ...context, abortSignal: both }])
    })
    if (result.ok) return result.value
    throw new Error(result.message)
  }
  return new Proxy(tool, {
    get: (target, key) => (key === 'execute' ? execute : Reflect.get(target, key, target)),
    getOwnPropertyDescriptor: (target, key) => {
      const own = Reflect.getOwnPropertyDescriptor(target, key)
      return own === undefined || key !== 'execute' ? own : { ...own, value: execute }
    },
  })
}
