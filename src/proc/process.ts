/** One process: an agent's program in user space, its state, its budget and the calls it has in flight. */
import type { Clock } from '../clock.ts'
import type { Fault, Frozen, Guest, Usage as GuestUsage } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import type { Isolation, PolicySet } from '../policy/types.ts'
import { Dispositions } from './dispositions.ts'
import { blamed, type Exit, type LastRefusal, type ProcessState } from './exit.ts'
import type { Flight } from './flight.ts'
import type { Ledger } from './ledger.ts'
import { type SignalName, signals } from './signals.ts'
import { Turns } from './turns.ts'

/** What is kept; whether a running process waits is seen from its turns. */
type KeptState = Exclude<ProcessState, 'waiting'>

export interface ProcessIdentity {
  readonly pid: number
  /** 0 for the first process of a run. */
  readonly ppid: number
  readonly run: string
  readonly name: string
  readonly isolation: Isolation
  readonly labels: readonly string[]
}

/** Who is told what happens to a process. */
export interface Supervisor {
  changed(process: Process, from: ProcessState, to: ProcessState): void
  /** On record before it has its effect. */
  signalled(process: Process, signal: SignalName, by: string): void
  ended(process: Process, exit: Exit): void
  /** Calls that a stopped process had made are admitted now. */
  resumed(process: Process): void
}

export interface ProcessParts {
  readonly policy: PolicySet
  readonly ledger: Ledger
  readonly parent: Process | undefined
  readonly clock: Clock
  readonly supervisor: Supervisor
  /** How much may be recorded about it and its children. */
  readonly evidenceBytesMax: number
}

export class Process {
  readonly identity: ProcessIdentity
  readonly ledger: Ledger
  readonly parent: Process | undefined
  readonly children = new Set<Process>()
  readonly dispositions = new Dispositions()
  readonly turns: Turns
  readonly depth: number
  /** Ends drivers in flight when the process ends. */
  readonly inFlight = new Set<Flight>()
  /** Resolves when the process has ended and that is on record; never rejects. */
  readonly exit: Promise<Exit>
  /** What it may do; a reload of the kernel's policy puts another in its place. */
  policy: PolicySet
  /** What it was refused last, and by which decision. */
  lastRefusal: LastRefusal | undefined
  /** The proof that it stands still, and where; set while `stopped`. */
  frozen: Frozen | undefined
  /** Characters that the process has printed. */
  printed = 0
  readonly #supervisor: Supervisor
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #evidenceBytesMax: number
  /** About this process and its children. */
  #recordedBytes = 0
  readonly #settle: (exit: Exit) => void
  #state: KeptState = 'created'
  #heapBytes = 0
  #cpuMs = 0
  #cancelWall: () => void = () => {}
  #cancelHandler: (() => void) | undefined

  constructor(identity: ProcessIdentity, parts: ProcessParts) {
    this.identity = identity
    this.policy = parts.policy
    this.ledger = parts.ledger
    this.parent = parts.parent
    this.depth = parts.parent === undefined ? 0 : parts.parent.depth + 1
    this.#clock = parts.clock
    this.#supervisor = parts.supervisor
    this.#evidenceBytesMax = parts.evidenceBytesMax
    this.#startedAt = parts.clock.monotonic()
    this.turns = new Turns(parts.clock, () => Math.min(limits.turnMs, this.ledger.left('cpuMs') + 1))
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.exit = promise
    this.#settle = resolve
    parts.parent?.children.add(this)
    this.#watchWall()
  }

  get pid(): number {
    return this.identity.pid
  }

  get name(): string {
    return this.identity.name
  }

  get state(): ProcessState {
    return this.#state === 'running' && !this.turns.active ? 'waiting' : this.#state
  }

  get over(): boolean {
    return this.#state === 'exited' || this.#state === 'killed' || this.#state === 'failed'
  }

  get stopped(): boolean {
    return this.#state === 'stopped'
  }

  get usage(): Exit['usage'] {
    const wallMs = this.#clock.monotonic() - this.#startedAt
    return { ...this.ledger.used, heapBytes: this.#heapBytes, wallMs: Math.round(wallMs) }
  }

  /** Agent code begins. A guest in `host` isolation has none to attach. */
  begin(guest?: Guest): void {
    if (this.over) return void guest?.end()
    if (guest !== undefined) this.turns.attach(guest)
    if (this.#state === 'created') this.#change('running')
  }

  /** A turn has ended: its CPU time is charged, and a program that nothing can wake is ended. */
  turnOver(usage: GuestUsage): void {
    if (this.over) return
    this.#heapBytes = Math.max(usage.heapBytes, 0)
    const spentMs = Math.max(0, usage.cpuMs - this.#cpuMs)
    this.#cpuMs += spentMs
    this.ledger.spend('cpuMs', spentMs)
    if (this.ledger.left('cpuMs') < 0) return this.raise('SIGBUDGET', this.#cpuUsedUp())
    this.turns.over()
    if (this.turns.idle && this.inFlight.size === 0 && !this.dispositions.handlesAny && !this.stopped)
      this.#deadlocked()
  }

  /** The guest is gone by itself. */
  fault(fault: Fault): void {
    if (this.over) return
    // A turn may take as long as CPU time is left: one that ran into that has used it up.
    const left = this.ledger.left('cpuMs')
    if (fault.code === 'ETIMEDOUT' && left < limits.turnMs) {
      this.ledger.spend('cpuMs', Math.max(0, left - this.turns.activeMs))
      return this.raise('SIGBUDGET', this.#cpuUsedUp())
    }
    const { error } = fault
    const message = error === undefined ? fault.reason : `${error.name}: ${error.message}`
    const own = error === undefined ? {} : { name: error.name, stack: error.stack ?? '' }
    this.end({ status: 'failed', reason: fault.reason, error: { code: fault.code, message, ...own } })
  }

  /**
   * Takes a signal as POSIX says: it ends, stops or wakes the process, waits in the queue, or runs a handler.
   * @param by who sent it, for the record
   * @returns what it did; undefined when the process has ended
   */
  signal(signal: SignalName, by: string): string | undefined {
    if (this.over) return undefined
    this.#supervisor.signalled(this, signal, by)
    return this.#take(signal, `${signal} ${by}`)
  }

  /** A signal of the kernel itself, which always ends the process. */
  raise(signal: 'SIGBUDGET' | 'SIGPOLICY' | 'SIGKILL', reason: string): void {
    if (this.over) return
    this.#supervisor.signalled(this, signal, 'by the kernel')
    this.end({ status: 'killed', signal, reason })
  }

  /**
   * Counts evidence about this process, for it and all above it: what it does must not use up the record of the others.
   * @param bytes what was written
   */
  recorded(bytes: number): void {
    const before = this.#recordedBytes
    this.#recordedBytes += bytes
    this.parent?.recorded(bytes)
    // Once, when it is passed: what ends the process is on record too.
    if (before <= this.#evidenceBytesMax && this.#recordedBytes > this.#evidenceBytesMax)
      this.raise('SIGBUDGET', `the evidence about it has reached ${this.#evidenceBytesMax} bytes`)
  }

  /**
   * The handler of a signal has returned. After SIGINT or SIGTERM the process ends, as it would without a handler;
   * one that ended itself within the handler has a value.
   */
  handlerDone(signal: SignalName): void {
    this.dispositions.handlerReturned(signal)
    if (this.over || !signals[signal].deadline) return
    this.end({ status: 'killed', signal, reason: `${signal}, after its handler` })
  }

  /** Takes signals that waited and are no longer masked. */
  takePending(): void {
    const next = this.over || this.stopped ? undefined : this.dispositions.next()
    if (next === undefined) return
    this.#take(next, `${next}, which had waited`)
    this.takePending()
  }

  /** Ends the process once; everything it had in flight is aborted and its children are killed. */
  end(exit: Omit<Exit, 'usage'>): void {
    if (this.over) return
    this.#cancelWall()
    this.#cancelHandler?.()
    // A turn that is cut off has used CPU that it never reports.
    if (this.identity.isolation !== 'host')
      this.ledger.spend('cpuMs', Math.min(this.turns.activeMs, limits.turnMs))
    this.#change(exit.status)
    this.turns.end()
    for (const child of this.children) child.raise('SIGKILL', `its parent ${this.pid} ended`)
    for (const call of this.inFlight) call.abort()
    this.parent?.children.delete(this)
    this.#supervisor.ended(this, { ...exit, ...blamed(exit.error, this.lastRefusal), usage: this.usage })
  }

  /** Hands the exit to whoever waits, once it is on record. */
  settle(exit: Exit): void {
    this.#settle(exit)
  }

  #take(signal: SignalName, reason: string): string {
    const { action, catchable } = signals[signal]
    if (action === 'continue') return this.#continue()
    if (action === 'stop') return this.#stop()
    if (catchable) {
      const waits = this.stopped || this.dispositions.isMasked(signal)
      if (waits) return this.dispositions.queue(signal) ? 'queued' : 'lost: too many signals wait'
      const disposition = this.dispositions.of(signal)
      if (disposition === 'ignore') return 'ignored'
      if (disposition === 'handler') return this.#handle(signal)
    }
    this.end({ status: 'killed', signal, reason })
    return 'ended the process'
  }

  #stop(): string {
    if (this.stopped) return 'was stopped already'
    this.turns.hold()
    this.#change('stopped')
    return 'stopped: no reply is delivered and no call admitted until SIGCONT; a turn that runs goes on to its end'
  }

  #continue(): string {
    if (!this.stopped) return 'was not stopped'
    this.#change('running')
    this.turns.release()
    this.takePending()
    if (!this.over) this.#supervisor.resumed(this)
    return 'goes on'
  }

  #handle(signal: SignalName): string {
    this.dispositions.handlerBegan(signal)
    this.turns.post(signals[signal].number, JSON.stringify({ signal }))
    if (!signals[signal].deadline) return 'handler called'
    this.#cancelHandler ??= this.#killLater(signal)
    return `handler called; SIGKILL in ${limits.handlerMs} ms`
  }

  /** The time counts while the process is not stopped; however often it is, there is no more of it. */
  #killLater(signal: SignalName, until = this.turns.time + limits.handlerMs): () => void {
    const waitMs = Math.max(until - this.turns.time, this.stopped ? limits.stoppedPollMs : 1)
    return this.#clock.after(waitMs, () => {
      if (this.stopped || this.turns.time < until) this.#cancelHandler = this.#killLater(signal, until)
      else this.raise('SIGKILL', `its handler of ${signal} did not end within ${limits.handlerMs} ms`)
    })
  }

  #cpuUsedUp(): string {
    const { cpuMs } = this.ledger.budget
    return cpuMs === undefined ? "its parent's CPU time is used up" : `its CPU time of ${cpuMs} ms is used up`
  }

  #watchWall(): void {
    const { wallMs } = this.ledger.budget
    if (wallMs === undefined) return
    this.#cancelWall = this.#clock.after(wallMs, () =>
      this.raise('SIGBUDGET', `its wall time of ${wallMs} ms is used up`),
    )
  }

  #deadlocked(): void {
    const message =
      'the program waits for something that nothing can bring: no call, timer or handler is left'
    this.end({ status: 'failed', reason: message, error: { code: 'EDEADLK', message } })
  }

  #change(to: KeptState): void {
    const from = this.state
    this.#state = to
    this.#supervisor.changed(this, from, to)
  }
}
