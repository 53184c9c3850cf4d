/** One process: an agent's program in user space, its state, its budget and the calls it has in flight. */

import { byKernel } from '../actors.ts'
import type { Clock } from '../clock.ts'
import type { Fault, Frozen, Guest, Usage as GuestUsage, TurnLimit } from '../isolate/guest.ts'
import { joinLabels, type Labels, noLabels, withoutLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import type { PolicySet, RaisedSignal } from '../policy/types.ts'
import { BudgetWatch, type Watched } from './budget-watch.ts'
import { Conduct } from './conduct.ts'
import type { Dispositions } from './dispositions.ts'
import { type Exit, faulted, type ProcessState, Refusals } from './exit.ts'
import type { Flight } from './flight.ts'
import type { Ledger } from './ledger.ts'
import type { ProcessIdentity, ProcessParts, Supervisor } from './process-parts.ts'
import { type Receiver, Reception } from './reception.ts'
import { Releases } from './releases.ts'
import type { SignalName } from './signals.ts'
import { Turns } from './turns.ts'

export type { ProcessIdentity, ProcessParts, Supervisor } from './process-parts.ts'

/** What is kept; whether a running process waits is seen from its turns. */
type KeptState = Exclude<ProcessState, 'waiting'>

export class Process {
  readonly identity: ProcessIdentity
  readonly ledger: Ledger
  readonly parent: Process | undefined
  readonly children = new Set<Process>()
  readonly turns: Turns
  readonly reception: Reception
  readonly #budgetWatch: BudgetWatch
  readonly depth: number
  /** Ends drivers in flight when the process ends. */
  readonly inFlight = new Set<Flight>()
  /** Resolves when the process has ended and that is on record; never rejects. */
  readonly exit: Promise<Exit>
  /** What it may do; a reload of the kernel's policy puts another in its place. */
  policy: PolicySet
  readonly refusals = new Refusals()
  readonly conduct = new Conduct()
  /** Values that it may give away without all of its labels. */
  readonly releases = new Releases()
  /** Characters that the process has printed. */
  printed = 0
  readonly #supervisor: Supervisor
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #evidenceBytesMax: number
  /** On record about this process and its children. */
  recordedBytes = 0
  readonly #settle: (exit: Exit) => void
  #state: KeptState = 'created'
  #heapBytes = 0
  #cpuMs = 0
  #labels: Labels = noLabels

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
    this.turns = new Turns(
      parts.clock,
      () => this.turnLimit,
      (delivery) => this.#supervisor.delivers(this, delivery),
    )
    this.reception = new Reception(this.#receiver(), this.turns, parts.clock)
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.exit = promise
    this.#settle = resolve
    parts.parent?.children.add(this)
    this.#budgetWatch = new BudgetWatch(this.#watched(), this.ledger, parts.clock)
    this.#labels = parts.labels ?? noLabels
  }

  get pid(): number {
    return this.identity.pid
  }

  get name(): string {
    return this.identity.name
  }

  /** Where what it has read came from; grows, and never shrinks. */
  get labels(): Labels {
    return this.#labels
  }

  get state(): ProcessState {
    const isActive = this.turns.active || this.identity.isolation === 'host'
    return this.#state === 'running' && !isActive ? 'waiting' : this.#state
  }

  get over(): boolean {
    return this.#state === 'exited' || this.#state === 'killed' || this.#state === 'failed'
  }

  /** Whether SIGSTOP was taken: no call is admitted and nothing delivered until SIGCONT. */
  get held(): boolean {
    return this.reception.held
  }

  /** The proof that its agent code stands still, while it is stopped. */
  get frozen(): Frozen | undefined {
    return this.reception.frozen
  }

  get dispositions(): Dispositions {
    return this.reception.dispositions
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
    this.#budgetWatch.checkCpu()
    if (this.over) return
    this.turns.over()
    this.#endIfDeadlocked()
  }

  /** How long one turn may take: no longer than CPU time lasts, where the end of that ends the process. */
  get turnLimit(): TurnLimit {
    const leftMs = this.ledger.left('cpuMs')
    const isBound = this.policy.signals.SIGBUDGET === 'kill' && leftMs !== Number.POSITIVE_INFINITY
    return { wallMs: limits.turnMs, ...(isBound && { cpuMs: Math.max(1, leftMs) }) }
  }

  /** The guest is gone by itself. */
  fault(given: Fault): void {
    if (this.over) return
    const fault = given.lost ? this.#supervisor.lost(this, given) : given
    if (fault === undefined) return
    if (fault.code === 'EDQUOT' && fault.error === undefined) {
      // With what the turn is charged when it is cut off, all of it is used.
      this.ledger.spend('cpuMs', Math.max(0, this.ledger.left('cpuMs') - this.turns.activeMs))
      return this.kill('SIGBUDGET', this.#budgetWatch.cpuUsedUp())
    }
    this.end(faulted(fault))
  }

  /**
   * Takes a signal as POSIX says: it ends, stops or wakes the process, waits in the queue, or runs a handler.
   * @param by who sent it, for the record
   * @returns what it did; undefined when the process has ended
   */
  signal(signal: SignalName, by: string): string | undefined {
    if (this.over) return undefined
    this.#supervisor.signalled(this, signal, by)
    // A record that fails, or a listener, may have ended it meanwhile.
    return this.over ? undefined : this.reception.take(signal, `${signal} ${by}`)
  }

  /**
   * Takes note of one judged call, and raises a signal for a loop or for too many refusals.
   * @param call its name and its arguments
   */
  called(call: string, wasForbidden: boolean): void {
    const worth = this.conduct.called(call, wasForbidden, this.policy.loopRepeats)
    if (worth !== undefined) this.raise(...worth)
  }

  /** A signal of the kernel itself: what it does, the policy says. */
  raise(signal: RaisedSignal, reason: string): void {
    if (this.over) return
    const action = this.policy.signals[signal]
    if (action === 'kill') return this.kill(signal, reason)
    this.#supervisor.signalled(this, signal, `by the kernel: ${reason}`)
    if (action === 'stop' && !this.over) this.reception.stop()
  }

  /** Takes labels on; whoever would carry more than are kept is ended, and what it knows goes nowhere unlabelled. */
  takeOn(labels: Labels): void {
    this.#labels = joinLabels(this.#labels, labels)
    if (this.#labels.length > limits.labelsMax)
      this.kill('SIGPOLICY', `it would carry more than ${limits.labelsMax} labels`)
  }

  /** Ends it by a signal, whatever the policy says: no bound of the kernel itself is a matter of policy. */
  kill(signal: RaisedSignal | 'SIGKILL', reason: string): void {
    if (this.over) return
    this.#supervisor.signalled(this, signal, `by ${byKernel}`)
    this.end({ status: 'killed', signal, reason })
  }

  /**
   * Counts evidence about this process, for it and all above it: what it does must not use up the record of the others.
   * @param bytes what was written
   */
  recorded(bytes: number): void {
    const before = this.recordedBytes
    this.recordedBytes += bytes
    this.parent?.recorded(bytes)
    // Once, when it is passed: what ends the process is on record too.
    if (before <= this.#evidenceBytesMax && this.recordedBytes > this.#evidenceBytesMax)
      this.kill('SIGBUDGET', `the evidence about it has reached ${this.#evidenceBytesMax} bytes`)
  }

  /** It had ended before this kernel began: nobody is told, and nothing is put on record. */
  hadEnded(exit: Exit): void {
    this.#budgetWatch.close()
    this.#state = exit.status
    this.turns.end()
    this.parent?.children.delete(this)
    this.#settle(exit)
  }

  /** Ends the process once; everything it had in flight is aborted and its children are killed. */
  end(exit: Omit<Exit, 'usage' | 'labels'>): void {
    if (this.over) return
    this.#budgetWatch.close()
    this.reception.close()
    // A turn that is cut off has used CPU that it never reports.
    const cutOffMs = this.identity.isolation === 'host' ? 0 : this.turns.activeMs
    this.ledger.spend('cpuMs', Math.min(cutOffMs, limits.turnMs))
    this.#change(exit.status)
    this.turns.end()
    for (const child of this.children) child.kill('SIGKILL', `its parent ${this.pid} ended`)
    for (const call of this.inFlight) call.abort()
    for (const meter of this.ledger.meters) meter.close()
    this.parent?.children.delete(this)
    const released = exit.value === undefined ? noLabels : this.releases.use(exit.value)
    const labels = withoutLabels(this.#labels, released)
    this.#supervisor.ended(this, { ...exit, ...this.refusals.blamed(exit.error), labels, usage: this.usage })
  }

  /** Hands the exit to whoever waits, once it is on record. */
  settle(exit: Exit): void {
    this.#settle(exit)
  }

  #watched(): Watched {
    const process = this
    return {
      get over() {
        return process.over
      },
      get endsAtBudget() {
        return process.policy.signals.SIGBUDGET === 'kill'
      },
      get runningMs() {
        return process.held ? 0 : process.turns.activeMs
      },
      raise: (reason) => this.raise('SIGBUDGET', reason),
    }
  }

  #receiver(): Receiver {
    const process = this
    return {
      get over() {
        return process.over
      },
      isolation: this.identity.isolation,
      change: (to) => this.#change(to),
      end: (exit) => this.end(exit),
      resumed: () => {
        this.#supervisor.resumed(this)
        this.#endIfDeadlocked()
      },
    }
  }

  /** A program that nothing can wake. */
  #endIfDeadlocked(): void {
    if (this.over || this.held || this.#state !== 'running') return
    if (!this.turns.idle || this.inFlight.size > 0 || this.dispositions.handlesAny) return
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
