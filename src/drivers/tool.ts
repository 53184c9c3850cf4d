/** Host functions that agents may call: those that the application offers to all, and those of what it has wrapped. */
import { closest } from 'fastest-levenshtein'
import { type Clock, systemClock } from '../clock.ts'
import { KernelError, SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import { asJson, type Json, type JsonObject } from '../json.ts'
import type { Labels } from '../labels.ts'
import { limits } from '../limits.ts'
import { deadlineOf } from './deadline.ts'
import {
  type RunnableTool,
  readTool,
  type Tool,
  type ToolContext,
  type ToolDefinition,
} from './tool-definition.ts'
import { describe } from './tool-schema.ts'
import { type ToolName, WrappedTools } from './wrapped-tools.ts'

export class ToolDriver {
  readonly #tools = new Map<string, RunnableTool>()
  /** Tools of wrapped objects, each of one process. */
  readonly wrapped: WrappedTools
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
    this.wrapped = new WrappedTools()
  }

  /**
   * @throws KernelError EINVAL for a name, a schema or a definition that is not sound; EEXIST for a name that is taken
   */
  register<Args>(name: string, definition: ToolDefinition<Args>): void {
    if (this.#tools.has(name)) throw new KernelError('EEXIST', `tool \`${name}\` is registered already`)
    const tool = readTool(name, definition)
    this.assertFits(tool)
    this.#tools.set(name, tool)
  }

  /** @throws KernelError EINVAL where the policy in force cannot judge what the tool takes */
  assertFits({ name, schema }: Tool): void {
    this.#assertFits(name, schema)
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
   * @param process whose wrapped tool it is, where it is one
   * @returns what the tool takes; the same object every time
   * @throws SyscallError ENOENT
   */
  schemaOf(name: string, process?: object, wrapped?: number): JsonObject {
    return this.#get({ name, wrapped }, process).schema
  }

  /** @returns the tool as a model is offered it @throws SyscallError ENOENT */
  offered(name: string): {
    readonly name: string
    readonly description: string
    readonly parameters: JsonObject
  } {
    const { description, schema } = this.#get({ name }, undefined)
    return { name, description, parameters: schema }
  }

  /** @returns what its results do not carry on @throws SyscallError ENOENT */
  declassifiedBy(tool: ToolName, process: object): Labels {
    return this.#get(tool, process).declassifies
  }

  /** @returns what every result and error of the tool carries @throws SyscallError ENOENT */
  labelsOf(tool: ToolName, process: object): Labels {
    return this.#get(tool, process).labels
  }

  /** Whether one of its calls may be made twice. */
  isIdempotent(name: string): boolean {
    return this.#tools.get(name)?.idempotent ?? false
  }

  /**
   * Part of decoding: arguments are judged only when they fit.
   * @throws SyscallError ENOENT for an unknown tool, EINVAL for arguments that do not fit its schema
   */
  check(tool: ToolName, args: Json, process: object): void {
    const { validate } = this.#get(tool, process)
    if (validate(args) !== true)
      throw new SyscallError('EINVAL', `arguments do not fit: ${describe(validate.errors?.[0])}`)
  }

  /**
   * @param number the process's own number of the call
   * @throws SyscallError ETIMEDOUT, EIO, or what the tool threw as a SyscallError
   */
  async call(grant: Grant, name: ToolName, args: Json, process: object, number: number): Promise<Json> {
    const { pid, agent } = Grant.demand(grant, 'tool.call', name.name)
    const tool = this.#get(name, process)
    const run = 'run' in tool ? tool.run : this.wrapped.runs.of(process, number)
    const late = deadlineOf(this.#clock, tool.timeoutMs, grant.signal)
    const { signal } = late
    try {
      const result = await raceAbort(runWith(run, args, { signal, pid, agent }), signal)
      return await this.#withoutSecrets(asJson(result === undefined ? null : result, 'result'))
    } catch (error) {
      if (grant.signal.aborted)
        throw new SyscallError('EINTR', 'ended by a signal; whether the tool finished is not known', true)
      if (late.isOver)
        throw new SyscallError('ETIMEDOUT', `the tool took longer than ${tool.timeoutMs} ms`, true)
      if (error instanceof SyscallError) throw await this.#clean(error)
      this.#onFailure(tool.name, error)
      throw new SyscallError('EIO', 'the tool failed; the application has the details')
    } finally {
      late.cancel()
    }
  }

  async #clean(error: SyscallError): Promise<SyscallError> {
    const message = String(await this.#withoutSecrets(error.message))
    return message === error.message ? error : new SyscallError(error.code, message, error.sent)
  }

  #get({ name, wrapped }: ToolName, process: object | undefined): RunnableTool | Tool {
    const tool = wrapped === undefined ? this.#tools.get(name) : this.wrapped.get(process, name, wrapped)
    if (tool !== undefined) return tool
    const names = [...this.#tools.keys()]
    // The time of a comparison grows with both texts.
    const meant = closest(name.slice(0, limits.toolNameMax), names)
    const hint = names.length === 0 ? 'the application has registered none' : `did you mean \`${meant}\`?`
    throw new SyscallError('ENOENT', `no tool is called \`${name.slice(0, 64)}\`; ${hint}`)
  }
}

/** What a tool throws at once counts as what its promise rejects with. */
const runWith = async (run: RunnableTool['run'], args: Json, context: ToolContext): Promise<unknown> =>
  run(args, context)

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('aborted'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
