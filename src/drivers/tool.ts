/** Host functions that an application offers to its agents, each behind a JSON Schema. */
import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import { type Clock, systemClock } from '../clock.ts'
import { KernelError, SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import { asJson, type Json, type JsonObject } from '../json.ts'
import { type Labels, noLabels, readLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { deadlineOf } from './deadline.ts'

/** What a tool's function is told besides its arguments. */
export interface ToolContext {
  /** Aborts when the process is killed or the time is over. */
  readonly signal: AbortSignal
  readonly pid: number
  /** The name of the agent that calls. */
  readonly agent: string
}

export interface ToolDefinition<Args = never> {
  /** For people and models: what it does. */
  readonly description: string
  /** A zod schema, or a JSON Schema of type object. */
  readonly parameters: z.ZodType<Args> | JsonObject
  /** What every result carries; used by policies on data flow. */
  readonly labels?: readonly string[]
  /** Labels that its result does not carry on, although the agent that calls carries them: it takes out what they warn of. */
  readonly declassifies?: readonly string[]
  /** How long one call may take, in ms. */
  readonly timeoutMs?: number
  /** Whether doing it twice is as good as once: then a call that was on its way when the kernel ended may be made again. */
  readonly idempotent?: boolean
  /**
   * Runs in the application's own process, after the gate. Its result has to be JSON.
   * An error reaches the agent only if it is a SyscallError; of any other the agent learns only that the tool failed.
   */
  readonly execute: (args: Args, context: ToolContext) => unknown
}

interface Tool {
  readonly description: string
  readonly schema: JsonObject
  readonly labels: Labels
  readonly declassifies: Labels
  readonly timeoutMs: number
  readonly idempotent: boolean
  readonly validate: ValidateFunction
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
const neverNames = new Set(['then', 'constructor', 'prototype', 'toString', 'valueOf'])

export class ToolDriver {
  readonly #tools = new Map<string, Tool>()
  readonly #ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: false, validateFormats: false })
  readonly #onFailure: (tool: string, error: unknown) => void
  readonly #assertFits: (tool: string, schema: JsonObject) => void
  readonly #clock: Clock
  readonly #withoutSecrets: (value: Json) => Promise<Json>

  /**
   * @param onFailure is told what a tool threw; the agent is not
   * @param withoutSecrets takes the values of the kernel's secrets out of what a tool gives
   * @param assertFits throws where the policy in force cannot judge what the tool takes; then it is not registered
   */
  constructor(
    onFailure: (tool: string, error: unknown) => void,
    assertFits: (tool: string, schema: JsonObject) => void = () => {},
    clock: Clock = systemClock,
    withoutSecrets: (value: Json) => Promise<Json> = async (value) => value,
  ) {
    this.#withoutSecrets = withoutSecrets
    this.#onFailure = onFailure
    this.#assertFits = assertFits
    this.#clock = clock
  }

  /**
   * @throws KernelError EINVAL for a name, a schema or a definition that is not sound; EEXIST for a name that is taken
   */
  register<Args>(name: string, definition: ToolDefinition<Args>): void {
    if (neverNames.has(name)) {
      throw new KernelError('EINVAL', `tool \`${name}\`: JavaScript itself uses that name; choose another`)
    }
    if (!namePattern.test(name)) {
      throw new KernelError(
        'EINVAL',
        `tool \`${String(name).slice(0, 80)}\`: a name is a letter, then up to 63 letters, digits, \`_\`, \`-\`, \`.\``,
      )
    }
    if (this.#tools.has(name)) throw new KernelError('EEXIST', `tool \`${name}\` is registered already`)
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
    const { timeoutMs = limits.toolMs } = definition
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > limits.sleepMsMax) {
      throw new KernelError(
        'EINVAL',
        `tool \`${name}\`: \`timeoutMs\` is a whole number of ms, from 1 to ${limits.sleepMsMax}`,
      )
    }
    const tool = this.#compile(name, definition)
    this.#assertFits(name, tool.schema)
    this.#tools.set(name, tool)
  }

  /** Name, description, schema and labels of every tool, as agents read them under /tools. */
  list(): readonly {
    name: string
    description: string
    parameters: JsonObject
    labels: readonly string[]
  }[] {
    return [...this.#tools].map(([name, { description, schema, labels }]) => ({
      name,
      description,
      parameters: schema,
      labels,
    }))
  }

  /**
   * @returns what the tool takes; the same object every time
   * @throws SyscallError ENOENT
   */
  schemaOf(name: string): JsonObject {
    return this.#get(name).schema
  }

  /** @returns the tool as a model is offered it @throws SyscallError ENOENT */
  offered(name: string): {
    readonly name: string
    readonly description: string
    readonly parameters: JsonObject
  } {
    const { description, schema } = this.#get(name)
    return { name, description, parameters: schema }
  }

  /** @returns what its results do not carry on @throws SyscallError ENOENT */
  declassifiedBy(name: string): Labels {
    return this.#get(name).declassifies
  }

  /** @returns what every result and error of the tool carries @throws SyscallError ENOENT */
  labelsOf(name: string): Labels {
    return this.#get(name).labels
  }

  /** Whether one of its calls may be made twice. */
  isIdempotent(name: string): boolean {
    return this.#tools.get(name)?.idempotent ?? false
  }

  /**
   * Part of decoding: arguments are judged only when they fit.
   * @throws SyscallError ENOENT for an unknown tool, EINVAL for arguments that do not fit its schema
   */
  check(name: string, args: Json): void {
    const { validate } = this.#get(name)
    if (!validate(args))
      throw new SyscallError('EINVAL', `arguments do not fit: ${describe(validate.errors?.[0])}`)
  }

  /**
   * @throws SyscallError ETIMEDOUT, EIO, or what the tool threw as a SyscallError
   */
  async call(grant: Grant, name: string, args: Json): Promise<Json> {
    const { pid, agent } = Grant.demand(grant, 'tool.call', name)
    const tool = this.#get(name)
    const late = deadlineOf(this.#clock, tool.timeoutMs, grant.signal)
    const { signal } = late
    try {
      const result = await raceAbort(Promise.resolve(tool.run(args, { signal, pid, agent })), signal)
      return await this.#withoutSecrets(asJson(result === undefined ? null : result, 'result'))
    } catch (error) {
      if (grant.signal.aborted)
        throw new SyscallError('EINTR', 'ended by a signal; whether the tool finished is not known', true)
      if (late.isOver)
        throw new SyscallError('ETIMEDOUT', `the tool took longer than ${tool.timeoutMs} ms`, true)
      if (error instanceof SyscallError) throw await this.#clean(error)
      this.#onFailure(name, error)
      throw new SyscallError('EIO', 'the tool failed; the application has the details')
    } finally {
      late.cancel()
    }
  }

  async #clean(error: SyscallError): Promise<SyscallError> {
    const message = String(await this.#withoutSecrets(error.message))
    return message === error.message ? error : new SyscallError(error.code, message, error.sent)
  }

  #compile<Args>(name: string, definition: ToolDefinition<Args>): Tool {
    const { parameters } = definition
    const flow = readFlow(name, definition)
    const asZod = parameters instanceof z.ZodType ? parameters : undefined
    try {
      const schema = asJson(
        asZod === undefined ? parameters : z.toJSONSchema(asZod, { io: 'input' }),
        'parameters',
      ) as JsonObject
      const execute = definition.execute as (args: unknown, context: ToolContext) => unknown
      return {
        description: definition.description,
        schema,
        ...flow,
        timeoutMs: definition.timeoutMs ?? limits.toolMs,
        idempotent: definition.idempotent === true,
        validate: this.#ajv.compile(schema),
        run: async (args, context) =>
          execute(asZod === undefined ? args : await parseWith(asZod, args), context),
      }
    } catch (error) {
      throw new KernelError(
        'EINVAL',
        `tool \`${name}\`: \`parameters\` is neither a zod schema nor a JSON Schema: ${error instanceof Error ? error.message : 'unknown'}`,
      )
    }
  }

  #get(name: string): Tool {
    const tool = this.#tools.get(name)
    if (tool !== undefined) return tool
    const names = [...this.#tools.keys()]
    // The time of a comparison grows with both texts.
    const meant = closest(name.slice(0, limits.toolNameMax), names)
    const hint = names.length === 0 ? 'the application has registered none' : `did you mean \`${meant}\`?`
    throw new SyscallError('ENOENT', `no tool is called \`${name.slice(0, 64)}\`; ${hint}`)
  }
}

/** @throws KernelError EINVAL for labels that are none, or that it would both give and take */
function readFlow(
  name: string,
  { labels = noLabels, declassifies = noLabels }: Pick<ToolDefinition, 'labels' | 'declassifies'>,
): { readonly labels: Labels; readonly declassifies: Labels } {
  const flow = {
    labels: readLabels(labels, `tool \`${name}\`: \`labels\``),
    declassifies: readLabels(declassifies, `tool \`${name}\`: \`declassifies\``),
  }
  const both = flow.labels.find((label) => flow.declassifies.includes(label))
  if (both === undefined) return flow
  throw new KernelError(
    'EINVAL',
    `tool \`${name}\`: its results carry \`${both}\`, which it declassifies; leave one out`,
  )
}

/** What a JSON Schema cannot say, such as a refinement, is refused here. */
async function parseWith(schema: z.ZodType, args: Json): Promise<unknown> {
  const parsed = await schema.safeParseAsync(args)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = ['args', ...(issue?.path ?? []).map(String)].join('.')
  throw new SyscallError('EINVAL', `arguments do not fit: \`${where}\` ${issue?.message ?? 'is not valid'}`)
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'unknown'
  const where = `args${error.instancePath.replaceAll('/', '.')}`
  const detail =
    error.params && 'additionalProperty' in error.params ? ` (\`${error.params.additionalProperty}\`)` : ''
  return `\`${where}\` ${error.message ?? 'is not valid'}${detail}`
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('aborted'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
