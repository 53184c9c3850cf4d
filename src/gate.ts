/** The one way from user space to the world: admit, record, invoke, record. Only the gate makes grants. */

import { Desk } from './approvals/desk.ts'
import type { ApprovalOptions } from './approvals/request.ts'
import { readApprovals } from './approvals/settings.ts'
import type { Clock } from './clock.ts'
import { assert, SyscallError } from './errors.ts'
import type { DeclassifyBody, RefusalBody } from './evidence/entry.ts'
import type { EvidenceLog, Receipt } from './evidence/log.ts'
import { EvidenceError } from './evidence/store.ts'
import { type AdmissionMeans, type Admitted, type Asks, admit, askAgain, Refusal } from './gate/admission.ts'
import { answer, callerOf, failureReply, recordedDecision, sentence } from './gate/answers.ts'
import { Asking } from './gate/asking.ts'
import { shownResource } from './gate/content.ts'
import { Effects } from './gate/effects.ts'
import { keep, tryRecord } from './gate/record.ts'
import type { Runs } from './gate/runs.ts'
import { Grant } from './grant.ts'
import type { Json } from './json.ts'
import { limits } from './limits.ts'
import type { Observers } from './observers.ts'
import { Flight } from './proc/flight.ts'
import { type Arrival, Held } from './proc/held.ts'
import type { Process } from './proc/process.ts'
import type { Drivers } from './syscalls/row.ts'

const mint = Grant.claimMint()

export interface GateParts {
  readonly drivers: Drivers
  readonly log: EvidenceLog
  readonly observers: Observers
  readonly clock: Clock
  readonly runs: Runs
  readonly approvals?: ApprovalOptions | undefined
}

/** What the application does to an agent's files. */
export interface HostAct {
  readonly agent: string
  readonly syscall: string
  readonly resources: readonly string[]
  /** As those of the syscall, for the record. */
  readonly args: Json
  /** Whether the effect outlives the kernel. */
  readonly external: boolean
}

export class Gate {
  readonly #means: AdmissionMeans
  readonly #log: EvidenceLog
  readonly #observers: Observers
  readonly #held = new Held()
  readonly #effects: Effects
  readonly #asking: Asking
  #doesAgain = false
  /** Calls that wait for a person. */
  readonly approvals: Desk

  constructor({ drivers, log, observers, clock, runs, approvals }: GateParts) {
    this.#means = { drivers, runs }
    this.#log = log
    this.#observers = observers
    this.#effects = new Effects({ drivers, log, observers, mint, runs, held: this.#held })
    const record = (process: Process, append: () => Receipt) => tryRecord(log, process, append)
    this.approvals = new Desk({ log, observers, clock, record, ...readApprovals(approvals) })
    this.#asking = new Asking({
      ...{ drivers, log, mint, runs, held: this.#held, desk: this.approvals },
      begin: (arrival, admitted) => this.#effects.begin(arrival, admitted),
      refuse: (arrival, error) => this.#refuse(arrival, error),
      defect: (error) => observers.defect(error),
    })
  }

  /**
   * Takes one call of a guest. Synchronous up to the record of its intent; the reply goes to the process's next turn.
   * @param number the guest's number of the call
   * @param text its arguments as JSON text
   */
  call(process: Process, number: number, name: string, text: string): void {
    if (process.over) return
    process.turns.called(number)
    this.callAgain({ process, number, name, text })
  }

  /** The same for one that waited, or was on its way when its kernel ended. */
  callAgain(arrival: Arrival): void {
    if (arrival.process.over) return
    if (arrival.process.held) return this.#hold(arrival)
    this.#take(arrival)
  }

  /** Within it, what is on record may be done again; that it is done stands on record before. */
  doingAgain<T>(work: () => T): T {
    this.#doesAgain = true
    try {
      return work()
    } finally {
      this.#doesAgain = false
    }
  }

  /**
   * Does an effect within the kernel again that is on record as permitted: it is not judged once more.
   * @param whose call it was, and the hash of its arguments
   * @param act gets the grant, and is done when it returns
   */
  again<T>(
    whose: { readonly pid: number; readonly agent: string; readonly payload: string },
    syscall: string,
    resources: readonly string[],
    act: (grant: Grant) => T,
  ): T {
    assert(this.#doesAgain, 'an effect is done again, and the record does not say so')
    const grant = mint.make({ ...whose, syscall, resources, addresses: [] }, new Flight())
    try {
      return act(grant)
    } finally {
      mint.end(grant)
    }
  }

  /** Begins what waited for the process to go on, and admits what it had asked for while it was stopped. */
  resume(process: Process): void {
    this.#held.wake(process)
    for (const arrival of this.#held.take(process)) this.callAgain(arrival)
  }

  /** Resolves when a process is not stopped, or has ended. */
  async untilRunning(process: Process): Promise<void> {
    while (process.held && !process.over) await this.#held.untilWoken(process)
  }

  /** What a stopped process has asked for, as it came. */
  heldOf(process: Process): readonly Arrival[] {
    return this.#held.of(process)
  }

  /** Drops what a process that ended had still asked for. */
  forget(process: Process): void {
    this.approvals.cancel(process)
    this.#held.take(process)
    this.#held.wake(process)
  }

  /**
   * Waits for every effect that has begun; what is not over by the deadline goes on record as unknown.
   * @param deadline resolves when the waiting ends
   */
  drain(deadline: Promise<void>): Promise<void> {
    return this.#effects.drain(deadline)
  }

  /**
   * An act of the application itself on an agent's files: not judged, but on record before it happens.
   * @param act gets the grant
   */
  async host<T>(
    { agent, syscall, resources, args, external }: HostAct,
    act: (grant: Grant) => T | Promise<T>,
  ): Promise<T> {
    const kept = this.#log.payload(JSON.stringify(args))
    this.#log.append({
      ...{ kind: 'host', agent, syscall, resource: resources.join(' → ') },
      args: kept,
    })
    if (external) await this.#log.durable()
    const scope = { pid: 0, agent, syscall, resources, addresses: [], payload: kept.hash }
    const grant = mint.make(scope, new Flight())
    try {
      return await act(grant)
    } finally {
      mint.end(grant)
    }
  }

  /** Puts on record that the application released the content of a file. */
  declassified(what: Omit<DeclassifyBody, 'kind' | 'value'>, content: string): void {
    this.#log.append({
      kind: 'declassify',
      ...what,
      value: this.#log.payload(content),
    } satisfies DeclassifyBody)
  }

  #take(arrival: Arrival): void {
    try {
      const admitted = this.#admit(arrival)
      if ('asks' in admitted) this.#asking.begin(arrival, admitted)
      else this.#effects.begin(arrival, admitted)
    } catch (error) {
      this.#refuse(arrival, error)
    }
  }

  #admit({ process, name, text, past }: Arrival): Admitted | Asks {
    if (past?.asks) return askAgain(process, this.#means, name, text)
    return admit(process, this.#means, name, text)
  }

  #hold(arrival: Arrival): void {
    if (this.#held.keep(arrival)) return
    const cause = new SyscallError('EAGAIN', 'too many calls wait for this stopped process')
    this.#refuse(arrival, new Refusal(cause))
  }

  #refuse(arrival: Arrival, error: unknown): void {
    const { process, number, name } = arrival
    // The log has failed: the kernel is told by the log itself and ends every process.
    if (error instanceof EvidenceError) return
    if (!(error instanceof Refusal)) this.#observers.defect(error)
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(new SyscallError('EIO', 'the kernel failed; nothing was done'))
    const { cause, decision, ask } = refusal
    const resource = refusal.resource === undefined ? undefined : shownResource(refusal.resource, decision)
    const text = arrival.text.slice(0, limits.refusedArgsMax)
    const recorded = tryRecord(this.#log, process, () =>
      this.#log.append({
        kind: 'refusal',
        ...callerOf(arrival.process, arrival.number, arrival.name),
        ...(resource !== undefined && { resource }),
        code: cause.code,
        reason: cause.message,
        args: keep(this.#log, text, decision, ...refusal.permitted),
        ...(decision !== undefined && { decision: recordedDecision(decision, process.policy.hash) }),
        ...(ask !== undefined && { ask }),
      } satisfies RefusalBody),
    )
    if (recorded === undefined) return
    this.#observers.refused(process, name, resource, cause, decision)
    const message = sentence(cause.code, name, resource, cause.message)
    process.refusals.note({ code: cause.code, message, decision })
    answer({ process, number }, failureReply(cause.code, message), recorded.seq)
    process.ledger.spend('syscalls', 1)
    if (decision !== undefined) process.called(`${name} ${arrival.text}`, cause.code === 'EPERM')
    if (process.ledger.left('syscalls') < -limits.callsPastBudgetMax)
      process.kill('SIGBUDGET', 'it goes on calling with its budget of syscalls used up')
  }
}
