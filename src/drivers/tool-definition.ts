/** What a tool is, read and checked once: a name, a schema that can be held to, labels, a limit of time. */
import type { ValidateFunction } from 'ajv'
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import { KernelError, SyscallError } from '../errors.ts'
import { asJson, type Json, type JsonObject } from '../json.ts'
import { type Labels, noLabels, readLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { compileSchema, compileStrictly } from './tool-schema.ts'

/** What a tool's function is told besides its arguments. */
export interface ToolContext {
  /** Aborts when the process is killed or the time is over. */
  readonly signal: AbortSignal
  readonly pid: number
  /** The name of the agent that calls. */
  readonly agent: string
}

/** What is said of a tool's results and calls, however it came to the kernel. */
export interface ToolOptions {
  /** What every result carries; used by policies on data flow. */
  readonly labels?: readonly string[]
  /** Labels that its result does not carry on, although the agent that calls carries them: it takes out what they warn of. */
  readonly declassifies?: readonly string[]
  /** How long one call may take, in ms. */
  readonly timeoutMs?: number
}

export interface ToolDefinition<Args = never> extends ToolOptions {
  /** For people and models: what it does. */
  readonly description: string
  /** A zod schema, or a JSON Schema of type object. */
  readonly parameters: z.ZodType<Args> | JsonObject
  /** Whether doing it twice is as good as once: then a call that was on its way when the kernel ended may be made again. */
  readonly idempotent?: boolean
  /**
   * Runs in the application's own process, after the gate. Its result has to be JSON.
   * An error reaches the agent only if it is a SyscallError; of any other the agent learns only that the tool failed.
   */
  readonly execute: (args: Args, context: ToolContext) => unknown
}

/** What calls of a tool are judged by. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly schema: JsonObject
  readonly labels: Labels
  readonly declassifies: Labels
  readonly timeoutMs: number
  readonly idempotent: boolean
  readonly validate: ValidateFunction<Json>
}

/** One that the kernel itself can run. */
export interface RunnableTool extends Tool {
  readonly run: (args: Json, context: ToolContext) => unknown
}

const definitionKeys = [
  'description',
  'parameters',
  'labels',
  'declassifies',
  'timeoutMs',
  'idempotent',
  'execute',
]
const namePattern = /^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$/
const wrappedPattern = /^[\w.:/-]+$/
const neverNames = new Set(['then', 'constructor', 'prototype', 'toString', 'valueOf'])

/**
 * @param name by which agents call it; it becomes a property of their `tools`
 * @throws KernelError EINVAL for a name, a schema or a definition that is not sound
 */
export function readTool<Args>(name: string, definition: ToolDefinition<Args>): RunnableTool {
  assertName(name)
  if (typeof definition?.execute !== 'function')
    throw new KernelError('EINVAL', `tool \`${name}\`: \`execute\` is not a function`)
  if (typeof definition.description !== 'string' || definition.description === '') {
    throw new KernelError(
      'EINVAL',
      `tool \`${name}\`: \`description\` is missing; models and people choose by it`,
    )
  }
  const unknown = Object.keys(definition).find((key) => !definitionKeys.includes(key))
  if (unknown !== undefined) {
    const meant = closest(unknown.slice(0, limits.toolNameMax), definitionKeys)
    throw new KernelError(
      'EINVAL',
      `tool \`${name}\`: \`${unknown}\` is no part of a tool; did you mean \`${meant}\`?`,
    )
  }
  const { parameters } = definition
  const asZod = parameters instanceof z.ZodType ? parameters : undefined
  const execute = definition.execute as (args: unknown, context: ToolContext) => unknown
  return {
    ...{ name, description: definition.description },
    ...readOptions(name, definition, limits.toolMs),
    idempotent: definition.idempotent === true,
    ...compiled(name, () => {
      const schema = asZod === undefined ? parameters : z.toJSONSchema(asZod, { io: 'input' })
      return asJson(schema, 'parameters') as JsonObject
    }),
    run: async (args, context) => execute(asZod === undefined ? args : await parseWith(asZod, args), context),
  }
}

/** A tool of an object that is wrapped: the object runs it, and the kernel judges it. */
export interface WrappedDefinition extends ToolOptions {
  /** As the framework has it: letters, digits, `_`, `-`, `.`, `:`, `/`. */
  readonly name: string
  readonly description?: string | undefined
  /** A JSON Schema; without one its argument is any JSON. */
  readonly schema?: unknown
}

/**
 * @throws KernelError EINVAL for a name, a schema or options that are not sound
 */
export function readWrapped({ name, description = '', schema = {}, ...options }: WrappedDefinition): Tool {
  if (!wrappedPattern.test(name) || name.length > limits.toolNameMax)
    throw new KernelError(
      'EINVAL',
      `tool \`${String(name).slice(0, 80)}\`: the name of a wrapped tool is 1 to ${limits.toolNameMax} letters, digits, \`_\`, \`-\`, \`.\`, \`:\`, \`/\``,
    )
  return {
    ...{ name, description: String(description), idempotent: false },
    ...readOptions(name, options, limits.sleepMsMax),
    ...compiled(name, () => wholeSchema(schema), compileSchema),
  }
}

/** What a schema was made with besides its keys, such as a marker of its library, is no part of it. */
function wholeSchema(schema: unknown): JsonObject {
  const plain: unknown = JSON.parse(JSON.stringify(schema) ?? 'null')
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) throw new Error('it is no object')
  return asJson(plain, 'parameters') as JsonObject
}

function assertName(name: string): void {
  if (neverNames.has(name)) {
    throw new KernelError('EINVAL', `tool \`${name}\`: JavaScript itself uses that name; choose another`)
  }
  if (!namePattern.test(name)) {
    throw new KernelError(
      'EINVAL',
      `tool \`${String(name).slice(0, 80)}\`: a name is a letter, then up to 63 letters, digits, \`_\`, \`-\`, \`.\``,
    )
  }
}

function compiled(
  name: string,
  read: () => JsonObject,
  compile = compileStrictly,
): Pick<Tool, 'schema' | 'validate'> {
  try {
    const schema = read()
    return { schema, validate: compile(schema) }
  } catch (error) {
    throw new KernelError(
      'EINVAL',
      `tool \`${name}\`: \`parameters\` is neither a zod schema nor a JSON Schema: ${error instanceof Error ? error.message : 'unknown'}`,
    )
  }
}

/** @throws KernelError EINVAL for labels that are none, or that it would both give and take, and for no span of time */
function readOptions(
  name: string,
  { labels = noLabels, declassifies = noLabels, timeoutMs }: ToolOptions,
  fallbackMs: number,
): { readonly labels: Labels; readonly declassifies: Labels; readonly timeoutMs: number } {
  const flow = {
    labels: readLabels(labels, `tool \`${name}\`: \`labels\``),
    declassifies: readLabels(declassifies, `tool \`${name}\`: \`declassifies\``),
    timeoutMs: timeoutMs ?? fallbackMs,
  }
  if (!Number.isInteger(flow.timeoutMs) || flow.timeoutMs < 1 || flow.timeoutMs > limits.sleepMsMax) {
    throw new KernelError(
      'EINVAL',
      `tool \`${name}\`: \`timeoutMs\` is a whole number of ms, from 1 to ${limits.sleepMsMax}`,
    )
  }
  const both = flow.labels.find((label) => flow.declassifies.includes(label))
  if (both === undefined) return flow
  throw new KernelError(
    'EINVAL',
    `tool \`${name}\`: its results carry \`${both}\`, which it declassifies; leave one out`,
  )
}

/** What a JSON Schema cannot say, such as a refinement, is refused here. @throws SyscallError EINVAL */
export async function parseWith<T>(schema: z.ZodType<T>, args: unknown): Promise<T> {
  const parsed = await schema.safeParseAsync(args)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = ['args', ...(issue?.path ?? []).map(String)].join('.')
  throw new SyscallError('EINVAL', `arguments do not fit: \`${where}\` ${issue?.message ?? 'is not valid'}`)
}
