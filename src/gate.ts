/** The one way from user space to the world: admit, record, invoke, record. Only the gate makes grants. */
import { type Admitted, admit, Refusal } from './admission.ts'
import { type Errno, SyscallError } from './errors.ts'
import type { RecordedDecision } from './evidence/entry.ts'
import type { EvidenceLog } from './evidence/log.ts'
import { EvidenceError } from './evidence/store.ts'
import { Grant } from './grant.ts'
import type { Json } from './json.ts'
import { limits } from './limits.ts'
import type { Observers } from './observers.ts'
import type { Decision } from './policy/types.ts'
import { Flight } from './proc/flight.ts'
import type { Process } from './proc/process.ts'
import type { Drivers } from './syscalls/row.ts'

const mint = Grant.claimMint()

/** One call as it arrived: everything in it is the guest's word. */
interface Arrival {
  readonly process: Process
  readonly number: number
  readonly name: string
  readonly text: string
}

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
  /** Calls that wait for SIGCONT, by process. */
  readonly #held = new Map<Process, Arrival[]>()
  readonly #effects = new Set<Promise<void>>()

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
    if (process.stopped) return this.#hold(arrival)
    this.#take(arrival)
  }

  /** Admits what a process had asked for while it was stopped. */
  resume(process: Process): void {
    const arrivals = this.#held.get(process) ?? []
    this.#held.delete(process)
    for (const arrival of arrivals) this.call(process, arrival.number, arrival.name, arrival.text)
  }

  /** Drops what a process that ended had still asked for. */
  forget(process: Process): void {
    this.#held.delete(process)
  }

  /** Resolves when every effect that has begun is on record with its outcome. */
  async drain(): Promise<void> {
    await Promise.all(this.#effects)
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
    const held = this.#held.get(arrival.process) ?? []
    if (held.length >= limits.callsInFlightMax) {
      return this.#refuse(
        arrival,
        new Refusal(new SyscallError('EAGAIN', 'too many calls wait for this stopped process')),
      )
    }
    held.push(arrival)
    this.#held.set(arrival.process, held)
  }

  #refuse(arrival: Arrival, error: unknown): void {
    const { process, number, name } = arrival
    if (error instanceof EvidenceError)
      return this.#reply(arrival, failure('EIO', sentence('EIO', name, undefined, error.message)))
    if (!(error instanceof Refusal)) this.#observers.defect(error)
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(new SyscallError('EIO', 'the kernel failed; nothing was done'))
    const { cause, resource, decision } = refusal
    const recorded = this.#tryRecord(process, () =>
      this.#log.append({
        kind: 'refusal',
        ...this.#caller(arrival),
        ...(resource !== undefined && { resource }),
        code: cause.code,
        reason: cause.message,
        args: this.#log.payload(arrival.text.slice(0, limits.refusedArgsMax)),
        ...(decision !== undefined && { decision: record(decision, process) }),
      }),
    )
    if (!recorded) return
    this.#observers.refused(process, name, resource, cause, decision)
    const message = sentence(cause.code, name, resource, cause.message)
    process.lastRefusal = { message, decision }
    this.#reply({ process, number }, failure(cause.code, message))
    process.ledger.spend('syscalls', 1)
    if (process.ledger.left('syscalls') < -limits.callsPastBudgetMax)
      process.raise('SIGBUDGET', 'it goes on calling with its budget of syscalls used up')
  }

  #begin(arrival: Arrival, admitted: Admitted): void {
    const { process, name } = arrival
    const { row, args, resources, decisions } = admitted
    const [decision] = decisions
    const { seq } = this.#log.append({
      kind: 'intent',
      ...this.#caller(arrival),
      resource: resources.join(' → '),
      args: this.#log.payload(arrival.text),
      decision: decision === undefined ? { effect: 'unjudged' } : record(decision, process),
    })
    const flight = new Flight()
    process.inFlight.add(flight)
    const addresses = decision?.addresses ?? []
    const grant = mint.make(
      { pid: process.pid, agent: process.name, syscall: name, resources, addresses },
      flight,
    )
    const effect: Effect = { ...arrival, admitted, flight, grant, intent: seq }
    if (row.external?.(args, this.#drivers, process)) this.#track(this.#afterDurable(effect))
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
    await this.#invoke(effect)
  }

  #invoke(effect: Effect): Promise<void> | void {
    const { admitted, process, grant, number, flight } = effect
    if (flight.aborted)
      return this.#settle(effect, undefined, new SyscallError('EINTR', 'ended by a signal before it began'))
    try {
      const result = admitted.row.invoke(admitted.args, { process, grant, number }, this.#drivers)
      if (!(result instanceof Promise)) return this.#settle(effect, result)
      const settled = result.then(
        (value) => this.#settle(effect, value),
        (error: unknown) => this.#settle(effect, undefined, error),
      )
      this.#track(settled)
      return settled
    } catch (error) {
      this.#settle(effect, undefined, error)
    }
  }

  /** Puts the outcome on record and answers the guest. */
  #settle(effect: Effect, result: Json | undefined, error?: unknown): void {
    const { process, name, flight, admitted, intent } = effect
    mint.end(effect.grant)
    process.inFlight.delete(flight)
    const { text, cause } = this.#answer(result, error)
    const resource = admitted.resources.join(' → ')
    const recorded = this.#tryRecord(process, () =>
      this.#log.append({
        kind: 'outcome',
        run: process.identity.run,
        pid: process.pid,
        intent,
        status: cause === undefined ? 'committed' : statusOf(cause, flight),
        ...(cause === undefined ? { result: this.#log.payload(text) } : { code: cause.code }),
      }),
    )
    if (!recorded) return
    this.#observers.settled(process, name, resource, cause, admitted.decisions[0])
    this.#reply(
      effect,
      cause === undefined
        ? `{"ok":${text}}`
        : failure(cause.code, sentence(cause.code, name, resource, cause.message)),
    )
  }

  #answer(result: Json | undefined, error: unknown): { text: string; cause?: SyscallError } {
    if (error instanceof SyscallError) return { text: '', cause: error }
    if (error !== undefined) {
      if (!(error instanceof EvidenceError)) this.#observers.defect(error)
      return { text: '', cause: new SyscallError('EIO', 'the kernel failed while it was done') }
    }
    const text = JSON.stringify(result ?? null)
    if (text.length <= limits.replyBytesMax) return { text }
    return {
      text: '',
      cause: new SyscallError(
        'EFBIG',
        `the reply has ${text.length} characters, at most ${limits.replyBytesMax} fit; ask for a part`,
      ),
    }
  }

  #reply({ process, number }: Pick<Arrival, 'process' | 'number'>, text: string): void {
    if (!process.over) process.turns.post(number, text)
  }

  #caller({ process, number, name }: Arrival): {
    run: string
    pid: number
    agent: string
    isolation: string
    call: number
    syscall: string
  } {
    const { run, pid, isolation } = process.identity
    return {
      run,
      pid,
      agent: process.name,
      isolation,
      call: number,
      syscall: name.slice(0, limits.syscallNameMax).toWellFormed(),
    }
  }

  /** No record, no reply: once the log has failed the kernel ends every process. */
  #tryRecord(process: Process, append: () => void): boolean {
    try {
      append()
      return true
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
      process.end({ status: 'failed', reason: error.message, error: { code: 'EIO', message: error.message } })
      return false
    }
  }

  #track(effect: Promise<void>): void {
    this.#effects.add(effect)
    void effect.finally(() => this.#effects.delete(effect))
  }
}

function record(decision: Decision, process: Process): RecordedDecision {
  const { effect, rules, observed } = decision
  const recorded = {
    effect,
    rules: rules.map(({ id, line, policy }) => ({ id, line, policy })),
    policy: process.policy.hash,
  }
  if (observed === undefined) return recorded
  return {
    ...recorded,
    observed: {
      effect: observed.effect,
      rules: observed.rules.map(({ id, line, policy }) => ({ id, line, policy })),
    },
  }
}

/** `unknown`: it may have happened outside, and nobody can tell. */
function statusOf(cause: SyscallError, flight: Flight): 'failed' | 'aborted' | 'unknown' {
  if (cause.sent) return 'unknown'
  return flight.aborted ? 'aborted' : 'failed'
}

/** What was tried, on what, why not, and what would help. */
function sentence(code: Errno, name: string, resource: string | undefined, why: string): string {
  const on = resource === undefined || resource === '' ? '' : ` \`${resource}\``
  return `${code}: ${name.slice(0, limits.syscallNameMax)}${on}: ${why}`
}

const failure = (code: Errno, message: string): string => JSON.stringify({ error: { code, message } })
