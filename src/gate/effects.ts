/** Admitted calls on their way: on record, invoked, on record again, answered. */

import type { Terms } from '../drivers/streams/stream.ts'
import { SyscallError } from '../errors.ts'
import type { DeclassifyBody, IntentBody, OutcomeBody } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import type { Grant, GrantMint } from '../grant.ts'
import type { Json } from '../json.ts'
import type { Observers } from '../observers.ts'
import { untrustedLabel } from '../policy/origin.ts'
import { Flight } from '../proc/flight.ts'
import type { Arrival, Held } from '../proc/held.ts'
import type { Process } from '../proc/process.ts'
import type { Call, Drivers } from '../syscalls/row.ts'
import type { Admitted } from './admission.ts'
import {
  againOf,
  answer,
  callerOf,
  canceled,
  failureReply,
  isDefect,
  outcomeStatus,
  recordedDecision,
  sentence,
} from './answers.ts'
import { Carried } from './carried.ts'
import { demandsOf, recordCharge } from './charge.ts'
import { redactedKinds, shownResource } from './content.ts'
import { partOf, readPart } from './partial.ts'
import { Pieces } from './pieces.ts'
import { isKept, keep, tryRecord } from './record.ts'
import type { Runs } from './runs.ts'
import { isForeign, suspectOf } from './seen.ts'
import { shownOf } from './shown.ts'

/** An admitted call on its way. */
interface Effect extends Arrival {
  readonly admitted: Admitted
  readonly flight: Flight
  readonly grant: Grant
  readonly carried: Carried
  readonly terms: Terms
  /** `seq` of the intent. */
  readonly intent: number
}

export interface EffectsParts {
  readonly drivers: Drivers
  readonly log: EvidenceLog
  readonly observers: Observers
  readonly mint: GrantMint
  readonly runs: Runs
  /** What a stopped process waits with. */
  readonly held: Held
}

export class Effects {
  readonly #parts: EffectsParts
  readonly #waiting = new Set<Promise<void>>()
  /** Those that have no outcome yet. */
  readonly #running = new Set<Effect>()
  readonly #pieces = new Pieces()

  constructor(parts: EffectsParts) {
    this.#parts = parts
  }

  /**
   * Waits for every effect that has begun; what is not over by the deadline goes on record as unknown.
   * @param deadline resolves when the waiting ends
   */
  async drain(deadline: Promise<void>): Promise<void> {
    await Promise.race([Promise.all(this.#waiting), deadline])
    for (const effect of this.#running) {
      const { process, intent } = effect
      const { run } = process.identity
      tryRecord(this.#parts.log, process, () =>
        this.#parts.log.append({ kind: 'outcome', run, pid: process.pid, intent, status: 'unknown' }),
      )
    }
    this.#running.clear()
  }

  /**
   * Puts the intent of an admitted call on record, and begins it.
   * @throws EvidenceError: then nothing was done
   */
  begin(arrival: Arrival, admitted: Admitted): void {
    const { process, name } = arrival
    const { external, resources, decision } = admitted
    const resource = shownResource(resources.join(' → '), decision)
    const before = this.#parts.log.written
    const args = keep(this.#parts.log, arrival.text, demandsOf(admitted))
    const { seq } = this.#parts.log.append({
      kind: 'intent',
      ...callerOf(arrival.process, arrival.number, arrival.name),
      resource,
      args,
      decision:
        decision === undefined ? { effect: 'unjudged' } : recordedDecision(decision, process.policy.hash),
      ...(admitted.ask !== undefined && { ask: admitted.ask }),
      ...againOf(arrival),
    } satisfies IntentBody)
    const { number } = arrival
    const flight = new Flight({ number, syscall: name, resource, beganMs: process.usage.wallMs })
    process.inFlight.add(flight)
    const addresses = decision?.addresses ?? []
    const payload = isKept(decision) ? { payload: args.hash } : {}
    const grant = this.#parts.mint.make(
      { pid: process.pid, agent: process.name, syscall: name, resources, addresses, ...payload },
      flight,
    )
    const carried = new Carried(decision)
    const terms = termsOf(process, admitted, carried)
    const effect: Effect = { ...arrival, admitted, flight, grant, carried, terms, intent: seq }
    this.#running.add(effect)
    process.recorded(this.#parts.log.written - before)
    admitted.row.takes?.(admitted.args, { process, grant, terms }, this.#parts.drivers)
    // What is not judged, such as sleeping and printing, neither is a loop nor breaks one.
    if (decision !== undefined) process.called(`${name} ${arrival.text}`, false)
    if (external) this.#track(this.#afterDurable(effect))
    else this.#invoke(effect)
  }

  /** An effect that leaves the kernel waits until its intent is durable. */
  async #afterDurable(effect: Effect): Promise<void> {
    try {
      await this.#parts.log.durable()
    } catch (error) {
      // The log has failed: the kernel is told by the log itself and ends every process.
      return this.#settle(effect, undefined, error)
    }
    const { process, admitted } = effect
    for (;;) {
      // One that ended while it was stopped is held for ever, and nobody wakes it again.
      while (process.held && !process.over) await this.#parts.held.untilWoken(process)
      if (admitted.unchanged === undefined || process.over) break
      const changed = await whatChanged(admitted.unchanged)
      if (changed !== undefined) return this.#settle(effect, undefined, changed)
      if (!process.held) break
    }
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

  #act(effect: Effect): Json | Promise<Json> | Failure {
    const { admitted, process, grant, number, name, carried, terms } = effect
    const { row, args, decision } = admitted
    const kinds = redactedKinds(decision)
    const part = kinds.length === 0 ? undefined : partOf(name, args)
    const call: Call = {
      ...{ process, grant, number, given: carried.given, isLookedThrough: kinds.length > 0 },
      terms,
      carries: (labels) => carried.add(labels),
      releases: (labels, how) => carried.release(labels, how),
      meter: admitted.meter,
      costs: (cost) => {
        carried.cost = cost
      },
      charges: (end) => recordCharge(this.#parts.log, effect, end),
    }
    try {
      if (part === undefined) return row.invoke(args, call, this.#parts.drivers)
      return readPart(part, kinds, (wider) => row.invoke(wider as never, call, this.#parts.drivers))
    } catch (error) {
      return new Failure(error)
    }
  }

  /** Puts the outcome on record and answers the guest. */
  #settle(effect: Effect, result: Json | undefined, error?: unknown): void {
    const { process, name, flight, admitted, intent } = effect
    // It was abandoned at shutdown, and is on record as unknown.
    if (!this.#running.delete(effect)) return
    this.#parts.mint.end(effect.grant)
    process.inFlight.delete(flight)
    if (isDefect(error)) this.#parts.observers.defect(error)
    const { text, cause } = shownOf(name, admitted, result, flight.isCanceled ? canceledBy(error) : error)
    const { labels, cost } = effect.carried
    if (admitted.meter?.isKept !== true) admitted.meter?.close()
    const released = cause === undefined ? effect.carried.released : undefined
    const resource = shownResource(admitted.resources.join(' → '), admitted.decision)
    const recorded = tryRecord(this.#parts.log, process, () =>
      this.#parts.log.append({
        kind: 'outcome',
        run: process.identity.run,
        pid: process.pid,
        intent,
        status: cause === undefined ? 'committed' : outcomeStatus(cause, flight.aborted),
        ...(cause === undefined
          ? { result: keep(this.#parts.log, text, demandsOf(admitted)) }
          : { code: cause.code, ...(isKept(demandsOf(admitted)) && { reason: cause.message }) }),
        ...(labels.length > 0 && { labels }),
        ...(released !== undefined && { released: released.labels }),
        ...(cost !== undefined && { cost }),
      } satisfies OutcomeBody),
    )
    if (recorded === undefined || !this.#release(effect, released, text)) return
    // Before the guest can act on what it learns.
    process.takeOn(labels)
    if (cause === undefined && !process.over) this.#learn(effect, () => learned(admitted, result, text))
    this.#parts.observers.settled(process, {
      syscall: name,
      resource,
      cause,
      decision: admitted.decision,
      labels,
    })
    answer(
      effect,
      cause === undefined
        ? `{"ok":${text}}`
        : failureReply(cause.code, sentence(cause.code, name, resource, cause.message)),
      recorded.seq,
    )
  }

  #learn({ process, admitted, carried }: Effect, result: () => Json): void {
    const { drivers, runs } = this.#parts
    const labels = suspectOf(admitted, carried.suspect, process)
    const isUntrusted = labels.includes(untrustedLabel)
    if (!isUntrusted && !isForeign(admitted, drivers, process)) return
    const { stream } = admitted
    const seen = stream === undefined ? result() : this.#pieces.seen(stream, result(), isUntrusted)
    if (seen !== undefined) runs.received(process, seen, labels)
  }

  /** @returns whether it is on record that a value was released; only then it is */
  #release({ process, intent, admitted }: Effect, released: Carried['released'], text: string): boolean {
    if (released === undefined) return true
    const { by, reason, again, labels } = released
    const recorded = tryRecord(this.#parts.log, process, () =>
      this.#parts.log.append({
        kind: 'declassify',
        run: process.identity.run,
        pid: process.pid,
        ...{ intent, by, reason, labels },
        value: keep(this.#parts.log, text, admitted.decision),
      } satisfies DeclassifyBody),
    )
    if (recorded !== undefined && again) process.releases.add(JSON.parse(text), labels)
    return recorded !== undefined
  }

  #track(effect: Promise<void>): void {
    this.#waiting.add(effect)
    void effect.finally(() => this.#waiting.delete(effect))
  }
}

/** What a stream stands on that it opens, or takes. */
const termsOf = (process: Process, { judged, decision }: Admitted, { given: labels }: Carried): Terms => ({
  ...{ policy: process.policy, carried: process.labels, judged, decision, labels },
})

/** What its driver failed with because it was canceled; the kernel's own failure stays what it is. */
const canceledBy = (error: unknown): unknown => (error instanceof SyscallError ? canceled(error.sent) : error)

/** @returns what the guest gets of a result: without what rules take out of it */
const learned = ({ decision }: Admitted, result: Json | undefined, text: string): Json =>
  redactedKinds(decision).length === 0 ? (result ?? null) : (JSON.parse(text) as Json)

/** @returns why what was approved is not done; undefined where all is as it was */
async function whatChanged(unchanged: () => Promise<boolean>): Promise<unknown> {
  try {
    if (await unchanged()) return undefined
  } catch (error) {
    return error
  }
  return new SyscallError(
    'EAGAIN',
    'what it would change is no longer what was approved; nothing was done, call again',
  )
}

/** What a driver threw at once; a class, so that no result can pass for it. */
class Failure {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}
