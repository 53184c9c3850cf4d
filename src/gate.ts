/** The one way from user space to the world: admit, record, invoke, record. Only the gate makes grants. */
import { type Admitted, admit, Refusal } from './admission.ts'
import {
  callerOf,
  failureReply,
  isDefect,
  outcomeOf,
  outcomeStatus,
  recordedDecision,
  sentence,
} from './answers.ts'
import { SyscallError } from './errors.ts'
import type { IntentBody, OutcomeBody, RefusalBody } from './evidence/entry.ts'
import type { EvidenceLog } from './evidence/log.ts'
import { EvidenceError } from './evidence/store.ts'
import { Grant } from './grant.ts'
import type { Json } from './json.ts'
import { limits } from './limits.ts'
import type { Observers } from './observers.ts'
import { Flight } from './proc/flight.ts'
import { type Arrival, Held } from './proc/held.ts'
import type { Process } from './proc/process.ts'
import type { Drivers } from './syscalls/row.ts'

const mint = Grant.claimMint()

/** An admitted call on its way. */
interface Effect extends Arrival {
  readonly admitted: Admitted
  readonly flight: Flight
  readonly grant: Grant
  /** `seq` of the intent. */
  readonly intent: number
}

export class Gate {
  readonly #drivers: Drivers
  readonly #log: EvidenceLog
  readonly #observers: Observers
  readonly #held = new Held()
  readonly #effects = new Set<Promise<void>>()
  /** Effects that have no outcome yet. */
  readonly #running = new Set<Effect>()

  constructor(drivers: Drivers, log: EvidenceLog, observers: Observers) {
    this.#drivers = drivers
    this.#log = log
    this.#observers = observers
  }

  /**
   * Takes one call of a guest. Synchronous up to the record of its intent; the reply goes to the process's next turn.
   * @param number the guest's number of the call
   * @param text its arguments as JSON text
   */
  call(process: Process, number: number, name: string, text: string): void {
    const arrival = { process, number, name, text }
    if (process.over) return
    if (process.held) return this.#hold(arrival)
    this.#take(arrival)
  }

  /** Begins what waited for the process to go on, and admits what it had asked for while it was stopped. */
  resume(process: Process): void {
    this.#held.wake(process)
    for (const { number, name, text } of this.#held.take(process)) this.call(process, number, name, text)
  }

  /** What a stopped process has asked for, as it came. */
  heldOf(process: Process): readonly Arrival[] {
    return this.#held.of(process)
  }

  /** Drops what a process that ended had still asked for. */
  forget(process: Process): void {
    this.#held.take(process)
    this.#held.wake(process)
  }

  /**
   * Waits for every effect that has begun; what is not over by the deadline goes on record as unknown.
   * @param deadline resolves when the waiting ends
   */
  async drain(deadline: Promise<void>): Promise<void> {
    await Promise.race([Promise.all(this.#effects), deadline])
    for (const effect of this.#running) {
      const { process, intent } = effect
      const { run } = process.identity
      this.#tryRecord(process, () =>
        this.#log.append({ kind: 'outcome', run, pid: process.pid, intent, status: 'unknown' }),
      )
    }
    this.#running.clear()
  }

  /**
   * An act of the application itself on an agent's files: not judged, but on record before it happens.
   * @param external whether the effect outlives the kernel
   * @param act gets the grant
   */
  async host<T>(
    agent: string,
    syscall: string,
    resources: readonly string[],
    external: boolean,
    act: (grant: Grant) => T | Promise<T>,
  ): Promise<T> {
    this.#log.append({ kind: 'host', agent, syscall, resource: resources.join(' → ') })
    if (external) await this.#log.durable()
    const grant = mint.make({ pid: 0, agent, syscall, resources, addresses: [] }, new Flight())
    try {
      return await act(grant)
    } finally {
      mint.end(grant)
    }
  }

  #take(arrival: Arrival): void {
    try {
      const admitted = admit(arrival.process, this.#drivers, arrival.name, arrival.text)
      this.#begin(arrival, admitted)
    } catch (error) {
      this.#refuse(arrival, error)
    }
  }

  #hold(arrival: Arrival): void {
    if (this.#held.keep(arrival)) return
    const cause = new SyscallError('EAGAIN', 'too many calls wait for this stopped process')
    this.#refuse(arrival, new Refusal(cause))
  }

  #refuse(arrival: Arrival, error: unknown): void {
    const { process, number, name } = arrival
    if (error instanceof EvidenceError)
      return this.#reply(arrival, failureReply('EIO', sentence('EIO', name, undefined, error.message)))
    if (!(error instanceof Refusal)) this.#observers.defect(error)
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(new SyscallError('EIO', 'the kernel failed; nothing was done'))
    const { cause, resource, decision } = refusal
    const text = arrival.text.slice(0, limits.refusedArgsMax)
    const recorded = this.#tryRecord(process, () =>
      this.#log.append({
        kind: 'refusal',
        ...callerOf(arrival.process, arrival.number, arrival.name),
        ...(resource !== undefined && { resource }),
        code: cause.code,
        reason: cause.message,
        args: this.#log.payload(text),
        ...(decision !== undefined && { decision: recordedDecision(decision, process.policy.hash) }),
      } satisfies RefusalBody),
    )
    if (!recorded) return
    this.#observers.refused(process, name, resource, cause, decision)
    const message = sentence(cause.code, name, resource, cause.message)
    process.lastRefusal = { code: cause.code, message, decision }
    this.#reply({ process, number }, failureReply(cause.code, message))
    process.ledger.spend('syscalls', 1)
    if (decision !== undefined) process.called(`${name} ${arrival.text}`, cause.code === 'EPERM')
    if (process.ledger.left('syscalls') < -limits.callsPastBudgetMax)
      process.kill('SIGBUDGET', 'it goes on calling with its budget of syscalls used up')
  }

  #begin(arrival: Arrival, admitted: Admitted): void {
    const { process, name } = arrival
    const { external, resources, decision } = admitted
    const resource = resources.join(' → ')
    const before = this.#log.written
    const args = this.#log.payload(arrival.text)
    const { seq } = this.#log.append({
      kind: 'intent',
      ...callerOf(arrival.process, arrival.number, arrival.name),
      resource,
      args,
      decision:
        decision === undefined ? { effect: 'unjudged' } : recordedDecision(decision, process.policy.hash),
    } satisfies IntentBody)
    const { number } = arrival
    const flight = new Flight({ number, syscall: name, resource, beganMs: process.usage.wallMs })
    process.inFlight.add(flight)
    const addresses = decision?.addresses ?? []
    const grant = mint.make(
      { pid: process.pid, agent: process.name, syscall: name, resources, addresses },
      flight,
    )
    const effect: Effect = { ...arrival, admitted, flight, grant, intent: seq }
    this.#running.add(effect)
    process.recorded(this.#log.written - before)
    // What is not judged, such as sleeping and printing, neither is a loop nor breaks one.
    if (decision !== undefined) process.called(`${name} ${arrival.text}`, false)
    if (external) this.#track(this.#afterDurable(effect))
    else this.#invoke(effect)
  }

  /** An effect that leaves the kernel waits until its intent is durable. */
  async #afterDurable(effect: Effect): Promise<void> {
    try {
      await this.#log.durable()
    } catch (error) {
      // The log has failed: the kernel is told by the log itself and ends every process.
      return this.#settle(effect, undefined, error)
    }
    // One that ended while it was stopped is held for ever, and nobody wakes it again.
    while (effect.process.held && !effect.process.over) await this.#held.untilWoken(effect.process)
    await this.#invoke(effect)
  }

  #invoke(effect: Effect): Promise<void> | void {
    const { flight } = effect
    if (flight.aborted)
      return this.#settle(effect, undefined, new SyscallError('EINTR', 'ended by a signal before it began'))
    const result = this.#act(effect)
    if (result instanceof Failure) return this.#settle(effect, undefined, result.error)
    if (!(result instanceof Promise)) return this.#settle(effect, result)
    const settled = result.then(
      (value) => this.#settle(effect, value),
      (error: unknown) => this.#settle(effect, undefined, error),
    )
    this.#track(settled)
    return settled
  }

  #act({ admitted, process, grant, number }: Effect): Json | Promise<Json> | Failure {
    try {
      return admitted.row.invoke(admitted.args, { process, grant, number }, this.#drivers)
    } catch (error) {
      return new Failure(error)
    }
  }

  /** Puts the outcome on record and answers the guest. */
  #settle(effect: Effect, result: Json | undefined, error?: unknown): void {
    const { process, name, flight, admitted, intent } = effect
    // It was abandoned at shutdown, and is on record as unknown.
    if (!this.#running.delete(effect)) return
    mint.end(effect.grant)
    process.inFlight.delete(flight)
    if (isDefect(error)) this.#observers.defect(error)
    const { text, cause } = outcomeOf(result, error)
    const resource = admitted.resources.join(' → ')
    const recorded = this.#tryRecord(process, () =>
      this.#log.append({
        kind: 'outcome',
        run: process.identity.run,
        pid: process.pid,
        intent,
        status: cause === undefined ? 'committed' : outcomeStatus(cause, flight.aborted),
        ...(cause === undefined ? { result: this.#log.payload(text) } : { code: cause.code }),
      } satisfies OutcomeBody),
    )
    if (!recorded) return
    this.#observers.settled(process, name, resource, cause, admitted.decision)
    this.#reply(
      effect,
      cause === undefined
        ? `{"ok":${text}}`
        : failureReply(cause.code, sentence(cause.code, name, resource, cause.message)),
    )
  }

  #reply({ process, number }: Pick<Arrival, 'process' | 'number'>, text: string): void {
    if (!process.over) process.turns.post(number, text)
  }

  /** No record, no reply: once the log has failed the kernel ends every process. */
  #tryRecord(process: Process, append: () => void): boolean {
    const before = this.#log.written
    try {
      append()
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
      process.end({ status: 'failed', reason: error.message, error: { code: 'EIO', message: error.message } })
      return false
    }
    process.recorded(this.#log.written - before)
    return true
  }

  #track(effect: Promise<void>): void {
    this.#effects.add(effect)
    void effect.finally(() => this.#effects.delete(effect))
  }
}

/** What a driver threw at once; a class, so that no result can pass for it. */
class Failure {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}
