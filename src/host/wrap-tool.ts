/** The generic wrap of a tool: a name, a schema and a function, as most frameworks have them. */
import { z } from 'zod'
import { parseWith, type ToolOptions } from '../drivers/tool-definition.ts'
import { KernelError, SyscallError } from '../errors.ts'
import type { Failed } from './session.ts'
import type { Wrapping } from './wrapping.ts'

/** A tool as frameworks have it; what else it has stays as it is. */
export interface GenericTool {
  readonly name: string
  readonly description?: string | undefined
  /** A zod schema or a JSON Schema; without one its argument is any JSON. */
  readonly parameters?: unknown
  readonly execute: (...args: never[]) => unknown
}

/** What the model gets in place of a result. */
export interface ToolError {
  readonly error: Failed
}

type Result<Tool extends GenericTool> = Awaited<ReturnType<Tool['execute']>> | ToolError

/** The same tool; what it gives comes through the gate, or is why there is nothing. */
export type Governed<Tool extends GenericTool> = Omit<Tool, 'execute'> & {
  readonly execute: (...args: Parameters<Tool['execute']>) => Promise<Result<Tool>>
}

const optionKeys = ['labels', 'declassifies', 'timeoutMs'] as const

/**
 * @returns the same tool, whose `execute` passes the gate; looked up when it is called, with `this` the tool
 * @throws KernelError EINVAL for a name or a schema that is not sound
 */
export function wrapTool<Tool extends GenericTool>(
  tool: Tool & ToolOptions,
  wrapping: Wrapping,
): Governed<Tool> {
  if (typeof tool?.execute !== 'function')
    throw new KernelError('EINVAL', 'a tool is an object with a `name` and a function `execute`')
  const { name, description, parameters } = tool
  const asZod = parameters instanceof z.ZodType ? parameters : undefined
  const said = optionKeys.flatMap((key) => (tool[key] === undefined ? [] : [[key, tool[key]] as const]))
  const wrapped = wrapping.tool({
    ...{ name, description, schema: asZod === undefined ? (parameters ?? {}) : schemaOf(name, asZod) },
    ...Object.fromEntries(said),
  })
  const execute = async (args: unknown, ...more: unknown[]): Promise<unknown> => {
    const { read, flaw } = asZod === undefined ? { read: args } : await readWith(asZod, args)
    const result = await wrapped.call(read, (judged) => {
      if (flaw !== undefined) throw flaw
      return Reflect.apply(tool.execute, tool, [judged, ...more] as never)
    })
    if (result.ok) return result.value
    const { code, message } = result
    return { error: { code, message } } satisfies ToolError
  }
  return withOwn(tool, 'execute', execute) as Governed<Tool>
}

/** An object that is the other one but for one member; getters of it, and what comes later, are the other one's. */
export function withOwn<T extends object>(object: T, key: string, value: unknown): T {
  const own = Object.create(Object.getPrototypeOf(object), Object.getOwnPropertyDescriptors(object))
  return Object.defineProperty(own, key, { value, enumerable: true, configurable: true, writable: true })
}

/** What a transformation makes cannot be said in JSON Schema, and passes as any JSON. */
function schemaOf(name: string, schema: z.ZodType): unknown {
  try {
    return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
  } catch (error) {
    throw new KernelError('EINVAL', `tool \`${name}\`: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

/**
 * What is judged is what the schema makes of the arguments.
 * @returns also what is wrong with them, where they do not fit: they go to the gate as they are, to be refused on record
 */
async function readWith(
  schema: z.ZodType,
  args: unknown,
): Promise<{ readonly read: unknown; readonly flaw?: SyscallError }> {
  try {
    return { read: await parseWith(schema, args) }
  } catch (error) {
    if (error instanceof SyscallError) return { read: args, flaw: error }
    throw error
  }
}
