/**
 * A session: a process of isolation `host` that stands for code of the application, such as a wrapped agent. What it
 * asks for passes the gate as the syscalls of any process do; what it does besides, nobody sees.
 */
import { byApplication } from '../actors.ts'
import type { Agent } from '../agents.ts'
import type { LlmDriver } from '../drivers/llm/driver.ts'
import type { ModelRun } from '../drivers/llm/wrapped.ts'
import type { ToolDriver } from '../drivers/tool.ts'
import type { Tool } from '../drivers/tool-definition.ts'
import type { WrappedToolRun } from '../drivers/wrapped-tools.ts'
import { type Errno, KernelError } from '../errors.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import type { Gate } from '../gate.ts'
import { asJson, type Json } from '../json.ts'
import type { Exit, ProcessState } from '../proc/exit.ts'
import { Flight } from '../proc/flight.ts'
import { ProcessHandle, signalAs } from '../proc/handle.ts'
import type { Process } from '../proc/process.ts'
import { agentSignals, signalName, signals } from '../proc/signals.ts'
import type { Spawner } from '../spawner.ts'
import { recordWrapped } from '../tool-record.ts'
import { translated } from '../translated.ts'
import { type CurrentProcess, within } from './current.ts'
import { endedError, faultOf } from './ended.ts'
import { HostGuest, type Reply } from './guest.ts'

export interface SessionParts {
  readonly spawner: Spawner
  readonly gate: Pick<Gate, 'call' | 'untilRunning'>
  readonly llm: LlmDriver
  readonly tools: ToolDriver
  readonly log: EvidenceLog
  /** Is told what the application did wrong where nobody else waits for it. */
  readonly failed: (error: unknown) => void
}

/** What goes on record of how a session begins. */
export interface Beginning {
  /** Whose child it is; it is first of a run of its own otherwise. */
  readonly parent?: Session | undefined
  /** What it was asked to do, as far as that is JSON: for `origin()`. */
  readonly task?: readonly Json[] | undefined
  /** The framework whose object it stands for, with its version. */
  readonly framework?: string | undefined
}

/** A call that was refused or failed: an answer too, which a model can read. */
export interface Failed {
  readonly code: Errno
  /** What was tried, on what, why not, by which rule, and what would help. */
  readonly message: string
}

export class Session implements CurrentProcess {
  readonly #process: Process
  readonly #parts: SessionParts
  readonly #guest: HostGuest
  /** In flight as long as the session is: aborts with it, and keeps it from passing for a program that waits in vain. */
  readonly #life = new Flight()
  readonly #handlers = new Map<number, () => unknown>()
  readonly #framework: string | undefined
  readonly #agent: Agent

  /**
   * @throws KernelError EPERM where the policy does not accept isolation `host`; EDQUOT, EAGAIN or ECANCELED where
   *   nothing more can start
   * @internal
   */
  constructor(parts: SessionParts, agent: Agent, { parent, task, framework }: Beginning = {}) {
    this.#parts = parts
    this.#framework = framework
    this.#agent = agent
    const process = parts.spawner.spawn(agent, task ?? [], parent === undefined ? undefined : parent.#process)
    this.#process = process
    const args = task === undefined ? undefined : parts.log.payload(JSON.stringify(task))
    parts.spawner.record(process, args, undefined, framework === undefined ? {} : { framework })
    this.#guest = new HostGuest({
      over: () => process.turns.over(),
      signalled: (number) => void this.#handle(number),
    })
    process.inFlight.add(this.#life)
    process.begin(this.#guest)
    process.turns.over()
  }

  get pid(): number {
    return this.#process.pid
  }

  get name(): string {
    return this.#process.name
  }

  get run(): string {
    return this.#process.identity.run
  }

  get state(): ProcessState {
    return this.#process.state
  }

  /** Aborts when the process has ended, however it did. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  get isStopped(): boolean {
    return this.#process.held
  }

  /** Whether it has ended: then every call of it fails. */
  get isOver(): boolean {
    return this.#process.over
  }

  /** Resolves when it has ended and that is on record. Never rejects. */
  get exit(): Promise<Exit> {
    return this.#process.exit
  }

  /** Runs code as part of it: `currentProcess()` and wrapped objects in it, and in all that it awaits, are of this process. */
  within<T>(work: () => T): T {
    return within(this, work)
  }

  /**
   * Calls a tool that the application has registered with `kernel.tool`, as an agent would.
   * @param args JSON
   * @throws KernelError with the errno of the refusal or failure; EINTR when the session has ended
   */
  call(tool: string, args: unknown): Promise<Json> {
    return this.sys('tool.call', { name: tool, args: plainJson(args) })
  }

  /**
   * Asks for any syscall, as an agent would.
   * @throws KernelError with the errno of the refusal or failure; EINTR when the session has ended
   */
  async sys(name: string, args: unknown): Promise<Json> {
    const reply = await this.#ask(this.#guest.next(), name, JSON.stringify(plainJson(args)))
    if ('ok' in reply) return reply.ok
    throw this.errorOf(reply.error)
  }

  /**
   * Calls a tool of a wrapped object.
   * @param args as they are judged and executed
   * @param run runs the tool, once it is permitted
   * @returns what came back, or why nothing did
   * @throws KernelError when the session has ended, or its budget is used up; EINVAL where the policy in force cannot
   *   judge what the tool takes
   * @internal
   */
  async callWrapped(tool: Tool, args: Json, run: WrappedToolRun): Promise<Reply> {
    if (this.isOver) throw await this.ended()
    const process = this.#process
    const { tools, log } = this.#parts
    const { wrapped, isNew } = tools.wrapped.add(process, tool)
    if (isNew) {
      tools.assertFits(tool)
      process.recorded(recordWrapped(log, process, tool, wrapped, this.#framework))
    }
    const number = this.#guest.next()
    const done = tools.wrapped.runs.expect(process, number, run)
    try {
      const text = JSON.stringify({ name: tool.name, args, wrapped })
      const reply = await this.#ask(number, 'tool.call', text)
      if ('error' in reply && reply.error.code === 'EDQUOT') throw this.errorOf(reply.error)
      return reply
    } finally {
      done()
    }
  }

  /**
   * Asks a model of a wrapped object.
   * @param call what it is asked, as JSON
   * @param run asks it, once that is permitted
   * @returns what came back, or why nothing did
   * @throws KernelError when the session has ended
   * @internal
   */
  async callModel(model: string, call: Readonly<Record<string, Json>>, run: ModelRun): Promise<Reply> {
    const number = this.#guest.next()
    const done = this.#parts.llm.wrapped.expect(this.#process, number, run)
    try {
      return await this.#ask(number, 'llm.generate', JSON.stringify({ model, ...call }))
    } finally {
      done()
    }
  }

  /** Resolves when it is not stopped, or has ended. */
  untilRunning(): Promise<void> {
    return this.#parts.gate.untilRunning(this.#process)
  }

  /**
   * Says what is done when a signal comes that ends the process otherwise. After SIGTERM and SIGINT it ends when the
   * handler has, at the latest after 2 s.
   * @throws KernelError EINVAL for a signal that cannot be handled
   */
  async on(signal: number | string, handler: () => unknown): Promise<void> {
    const name = signalOf(signal)
    this.#handlers.set(signals[name].number, handler)
    await this.sys('proc.sigaction', { signal: name, disposition: 'handler' })
  }

  /** The process as `spawn` gives it. @internal */
  get handle(): ProcessHandle {
    return new ProcessHandle(this.#process)
  }

  /**
   * Sends it a signal, in the application's name.
   * @returns what it did, in words
   * @throws KernelError ESRCH when it has ended, EINVAL for what is no signal
   */
  kill(signal: number | string): string {
    return signalAs(this.#process, signal, `by ${byApplication}`)
  }

  /**
   * Ends it in order.
   * @param value what it gave; on record where it is JSON
   * @returns how it ended, once that is on record
   */
  end(value?: unknown): Promise<Exit> {
    if (!this.isOver) this.#process.end({ status: 'exited', ...recordable(value) })
    return this.exit
  }

  /** Ends it with an error that its code threw. */
  fail(error: unknown): Promise<Exit> {
    if (!this.isOver) this.#process.end({ status: 'failed', ...faultOf(error) })
    return this.exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  /** What everything of it fails with that is still on its way when it has ended. @internal */
  async ended(): Promise<KernelError> {
    return endedError(this.name, await this.exit)
  }

  /** A refusal with its decision. @internal */
  errorOf({ code, message }: Failed): KernelError {
    const { error } = this.#process.refusals.blamed({ code, message })
    return new KernelError(code, message, error?.decision === undefined ? {} : { decision: error.decision })
  }

  /** What another process of the application gave to this one: its labels with it. @internal */
  learnFrom(child: Session): void {
    this.#process.takeOn(child.#process.labels)
  }

  /** Whether it is a process of that agent. @internal */
  isRunOf(agent: Agent): boolean {
    return this.#agent === agent
  }

  /** Whether it belongs to the same kernel. @internal */
  isOf(parts: SessionParts): boolean {
    return this.#parts === parts
  }

  async #ask(number: number, name: string, text: string): Promise<Reply> {
    if (this.isOver) throw await this.ended()
    const answered = this.#guest.answered(number)
    this.#parts.gate.call(this.#process, number, name, text)
    const reply = await answered
    // A refusal too many has ended it.
    if (reply === undefined || this.isOver) throw await this.ended()
    return reply
  }

  /** Whatever the handler does, the kernel hears that it is done. */
  async #handle(number: number): Promise<void> {
    try {
      await this.within(() => this.#handlers.get(number)?.())
    } catch (error) {
      this.#parts.failed(error)
    }
    await this.sys('proc.sigreturn', { signal: number }).catch(() => undefined)
  }
}

/** A result that is JSON goes on record; another is the application's own affair. */
function recordable(value: unknown): { value?: Json } {
  try {
    return value === undefined ? {} : { value: asJson(value, 'result') }
  } catch {
    return {}
  }
}

function signalOf(signal: number | string): (typeof agentSignals)[number] {
  const name = translated(() => signalName(signal))
  const known = agentSignals.find((each) => each === name)
  if (known === undefined) throw new KernelError('EINVAL', `\`${name}\` cannot be handled`)
  return known
}

const plainJson = (args: unknown): Json => translated(() => asJson(args, 'args'))
