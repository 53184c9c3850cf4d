/** Calls that a person has to approve: asked, held, and when they are answered admitted anew from the start. */
import { randomBytes } from 'node:crypto'
import type { Binding } from '../approvals/binding.ts'
import type { Seen } from '../approvals/changes.ts'
import { seenAsJson } from '../approvals/changes.ts'
import type { Answer, Answered, Desk } from '../approvals/desk.ts'
import { SyscallError } from '../errors.ts'
import { canonicalText } from '../evidence/canonical.ts'
import type { PayloadRef } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import type { GrantMint } from '../grant.ts'
import type { Decision } from '../policy/types.ts'
import { Flight } from '../proc/flight.ts'
import type { Arrival, Held } from '../proc/held.ts'
import type { Process } from '../proc/process.ts'
import type { Drivers, Stakes } from '../syscalls/row.ts'
import { type AdmissionMeans, type Admitted, type Asks, admit, judgeCall, Refusal } from './admission.ts'
import { canceled, isDefect, sentence } from './answers.ts'
import { recordOf, resourceOf, shownOf } from './asked.ts'
import { areSame, bind, type Circumstances, circumstancesOf } from './circumstances.ts'
import { keep } from './record.ts'
import type { Runs } from './runs.ts'
import { learn, lookAt } from './stakes.ts'

export interface AskingParts {
  readonly drivers: Drivers
  readonly runs: Runs
  readonly log: EvidenceLog
  readonly mint: GrantMint
  readonly held: Held
  readonly desk: Desk
  /** Begins an admitted call at once. @throws EvidenceError */
  readonly begin: (arrival: Arrival, admitted: Admitted) => void
  readonly refuse: (arrival: Arrival, error: unknown) => void
  readonly defect: (error: unknown) => void
}

/** A call on its way through one request, and perhaps several. */
interface Waiting {
  /** As it was sent, or with the arguments that a person wrote. */
  readonly call: Arrival
  readonly flight: Flight
  /** Where on record it was asked about last. */
  readonly asked: { seq: number | undefined }
  /** The request before this one. */
  readonly before?: Answered
  /** The answer to this one, where it came with the arguments that it is about, and what the person saw who gave it. */
  readonly given?: { readonly answer: Answer; readonly saw: Circumstances }
}

export class Asking {
  readonly #parts: AskingParts

  constructor(parts: AskingParts) {
    this.#parts = parts
  }

  /**
   * The call waits from now on, and nothing else does.
   * @throws Refusal EAGAIN where too many wait already
   */
  begin(call: Arrival, asks: Asks): void {
    const { process, number, name, text } = call
    const resource = resourceOf(asks)
    const leave = this.#takeSeat(process, text, asks)
    const flight = new Flight({ number, syscall: name, resource, beganMs: process.usage.wallMs })
    process.inFlight.add(flight)
    void this.#ask({ call, flight, asked: { seq: undefined } }, asks).finally(leave)
  }

  #takeSeat(process: Process, text: string, { resources, decision }: Asks): () => void {
    try {
      return this.#parts.desk.seats.take(process, text.length)
    } catch (error) {
      throw error instanceof SyscallError ? new Refusal(error, resources[0], decision) : error
    }
  }

  /** Resolves when the call has begun, was refused, or its process has ended; never rejects. */
  async #ask(waiting: Waiting, asks: Asks): Promise<void> {
    const { call, flight } = waiting
    try {
      await this.#askOnce(waiting, asks)
    } catch (error) {
      await this.#untilRunning(call.process)
      if (call.process.over) {
        if (isDefect(error) && !(error instanceof Refusal)) this.#parts.defect(error)
        return this.#recordUnasked(waiting, asks)
      }
      this.#parts.refuse(call, refusalOf(error, asks, waiting.asked.seq))
    } finally {
      call.process.inFlight.delete(flight)
    }
  }

  /** What a process asked for is on record, also where it ended before a person could be asked. */
  #recordUnasked({ call, asked }: Waiting, { resources, decision }: Asks): void {
    if (asked.seq !== undefined) return
    const cause = new SyscallError('ECANCELED', 'its process ended before a person was asked')
    this.#parts.refuse(call, new Refusal(cause, resources[0], decision))
  }

  async #askOnce(waiting: Waiting, asks: Asks): Promise<void> {
    const { call, flight, before } = waiting
    const { process } = call
    const { policy } = process
    const stakes = this.#stakesOf(call, asks)
    const seen = await this.#look(call, stakes, flight)
    if (process.over) return this.#recordUnasked(waiting, asks)
    if (process.policy !== policy) {
      // It was replaced while a host folder was looked at: nobody is shown rules that are no longer in force.
      await this.#untilRunning(process)
      const { asked } = waiting
      if (process.over) return this.#recordUnasked(waiting, asks)
      return this.#admit({ call, flight, asked, ...(before && { before }) })
    }
    const nonce = randomBytes(16).toString('hex')
    const saw = circumstancesOf(call, asks, stakes, seen)
    const binding = bind(call, asks, saw, nonce)
    const answered = await this.#answerTo(waiting, asks, binding, saw)
    await this.#untilRunning(process)
    if (process.over) return
    if (flight.isCanceled) throw canceled()
    const next = { call, flight, asked: waiting.asked, before: answered }
    if (answered.again) return this.#admit(next)
    if (answered.end !== 'approved') throw new SyscallError('EPERM', whyNot(answered, asks))
    if (answered.args === undefined)
      return this.#admitApproved(next, asks, stakes, { digest: binding.digest, nonce })
    const { by, reason, args: text } = answered
    const answer = { end: 'approved', by, reason } as const
    return this.#admit({ ...next, call: { ...call, text }, given: { answer, saw } })
  }

  /** Shows the request to whoever may answer, unless an answer came before under the same circumstances. */
  async #answerTo(
    { call, flight, asked, before, given }: Waiting,
    asks: Asks,
    binding: Binding,
    saw: Circumstances,
  ): Promise<Answered> {
    const { desk, log } = this.#parts
    const { seen } = saw
    const follows = before && { follows: before.id }
    const asking = {
      process: call.process,
      request: shownOf({ call, asks, seen, binding, ...follows }),
      record: recordOf({ call, asks, binding, log, ...follows }),
      judge: (text: string): (() => PayloadRef) => {
        const decision = judgeEdited(call, this.#parts, text)
        return () => keep(log, text, asks.decision, decision)
      },
    }
    const holds = given !== undefined && areSame(given.saw, saw)
    const known = before === undefined ? call.past?.request : undefined
    const { id, seq, answered } = desk.ask(asking, holds ? given.answer : undefined, known)
    asked.seq = seq
    flight.approval = id
    const withdraw = (): void => {
      if (flight.isCanceled) desk.withdraw(id)
    }
    flight.signal.addEventListener('abort', withdraw, { once: true })
    const answer = await answered
    flight.signal.removeEventListener('abort', withdraw)
    flight.approval = undefined
    return answer
  }

  /** An approved call, exactly as it was shown: what it was bound to is looked at once more. */
  async #admitApproved(
    next: Waiting,
    asks: Asks,
    stakes: Stakes,
    { digest, nonce }: { readonly digest: string; readonly nonce: string },
  ): Promise<void> {
    const { call, flight } = next
    const { process } = call
    for (;;) {
      // Not awaited where it is told at once: then nothing comes between this look and the beginning of the call.
      const looked = this.#look(call, stakes, flight)
      const seen = looked instanceof Promise ? await looked : looked
      if (process.over) return
      if (!process.held) {
        const isSame = (again: Asks): boolean => {
          const now = circumstancesOf(call, again, this.#stakesOf(call, again), seen)
          return bind(call, again, now, nonce).digest === digest
        }
        return this.#admit(next, isSame, this.#watch(call, asks, stakes, seen))
      }
      await this.#untilRunning(process)
    }
  }

  /** The whole admission runs again; what it asks about still, or anew, is asked. */
  #admit(
    waiting: Waiting,
    isApproved: (asks: Asks) => boolean = () => false,
    unchanged?: () => Promise<boolean>,
  ): Promise<void> | void {
    const { call, flight, before } = waiting
    const { process, name, text } = call
    process.inFlight.delete(flight)
    const next = admit(process, this.#parts, name, text, isApproved)
    if (!('asks' in next)) {
      const ask = before === undefined ? {} : { ask: before.ask }
      return this.#parts.begin(call, { ...next, ...ask, ...(unchanged !== undefined && { unchanged }) })
    }
    process.inFlight.add(flight)
    return this.#ask(waiting, next)
  }

  /** What leaves the kernel waits for its record, and while its process is stopped. */
  #watch(
    call: Arrival,
    { external }: Asks,
    stakes: Stakes,
    seen: readonly Seen[],
  ): (() => Promise<boolean>) | undefined {
    if (!external || seen.length === 0) return undefined
    const then = canonicalText(seenAsJson(seen))
    return async () => {
      const isSame = canonicalText(seenAsJson(await this.#look(call, stakes, new Flight()))) === then
      if (!isSame) learn(call.process, stakes, this.#parts.drivers)
      return isSame
    }
  }

  #stakesOf({ process }: Arrival, { row, args }: Asks): Stakes {
    return row.stakes?.(args, this.#parts.drivers, process) ?? {}
  }

  #look(call: Arrival, stakes: Stakes, flight: Flight): readonly Seen[] | Promise<readonly Seen[]> {
    return lookAt(call.process, stakes, flight, this.#parts)
  }

  /** One that ended while it was stopped is held for ever. */
  async #untilRunning(process: Process): Promise<void> {
    while (process.held && !process.over) await this.#parts.held.untilWoken(process)
  }
}

/** What the kernel did wrong stays what it is. */
function refusalOf(error: unknown, { resources, decision }: Asks, ask: number | undefined): unknown {
  if (error instanceof Refusal) {
    const refusal = new Refusal(error.cause, error.resource, error.decision, ask)
    refusal.permitted = [decision, ...error.permitted]
    return refusal
  }
  return error instanceof SyscallError ? new Refusal(error, resources[0], decision, ask) : error
}

/** @throws SyscallError with the whole sentence, for the person who wrote the arguments */
function judgeEdited({ process, name }: Arrival, means: AdmissionMeans, text: string): Decision | undefined {
  try {
    return judgeCall(process, means, name, text).decision
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { cause, resource } = error
    throw new SyscallError(cause.code, sentence(cause.code, name, resource, cause.message))
  }
}

function whyNot({ end, reason }: Answered, { decision }: Asks): string {
  const said = reason === undefined ? '' : `: ${reason}`
  const why = end === 'denied' ? `denied${said}` : end === 'expired' ? (reason ?? end) : `${end}${said}`
  return `${why}; ${decision.reason}`
}
