/** Calls that a person has to approve: asked, held, and when they are answered admitted anew from the start. */
import { randomBytes } from 'node:crypto'
import { type Binding, bindingOf } from '../approvals/binding.ts'
import type { Seen } from '../approvals/changes.ts'
import { seenAsJson } from '../approvals/changes.ts'
import type { Answer, Answered, Desk } from '../approvals/desk.ts'
import { SyscallError } from '../errors.ts'
import { canonicalText } from '../evidence/canonical.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import type { GrantMint } from '../grant.ts'
import { Flight } from '../proc/flight.ts'
import type { Arrival, Held } from '../proc/held.ts'
import type { Process } from '../proc/process.ts'
import type { Drivers, Stakes } from '../syscalls/row.ts'
import { type AdmissionMeans, type Admitted, type Asks, admit, judgeCall, Refusal } from './admission.ts'
import { isDefect, sentence } from './answers.ts'
import { recordOf, shownOf } from './asked.ts'
import type { Runs } from './runs.ts'
import { lookAt } from './stakes.ts'

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
  /** The answer to this one, where it came with the arguments that it is about. */
  readonly given?: Answer
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
    const resource = asks.resources.join(' → ')
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
        return
      }
      this.#parts.refuse(call, refusalOf(error, asks, waiting.asked.seq))
    } finally {
      call.process.inFlight.delete(flight)
    }
  }

  async #askOnce(waiting: Waiting, asks: Asks): Promise<void> {
    const { call, flight, asked, before, given } = waiting
    const { process } = call
    const { desk, log } = this.#parts
    const stakes = this.#stakesOf(call, asks)
    const nonce = randomBytes(16).toString('hex')
    const { policy } = process
    const seen = await this.#look(call, stakes, flight)
    if (process.over) return
    if (process.policy !== policy) {
      // It was replaced while a host folder was looked at: nobody is shown rules that are no longer in force.
      await this.#untilRunning(process)
      return process.over ? undefined : this.#admit({ call, flight, asked, ...(before && { before }) })
    }
    const binding = bind(call, asks, stakes, seen, nonce)
    const judge = (text: string): void => judgeEdited(call, this.#parts, text)
    const request = shownOf({ call, asks, seen, binding, ...(before && { follows: before.id }) })
    const record = recordOf({ call, asks, binding, log, ...(before && { follows: before.id }) })
    const { id, seq, answered: answer } = desk.ask({ process, request, record, judge }, given)
    asked.seq = seq
    flight.approval = id
    const answered = await answer
    flight.approval = undefined
    const next = { call, flight, asked, before: answered }
    await this.#untilRunning(process)
    if (process.over) return
    if (answered.again) return this.#admit(next)
    if (answered.end !== 'approved') throw new SyscallError('EPERM', whyNot(answered, asks))
    if (answered.args !== undefined) {
      const { by, reason, args: text } = answered
      const edited = { ...call, text }
      return this.#admit({ ...next, call: edited, given: { end: 'approved', by, reason } })
    }
    for (;;) {
      // Not awaited where it is told at once: then nothing comes between this look and the beginning of the call.
      const looked = this.#look(call, stakes, flight)
      const now = looked instanceof Promise ? await looked : looked
      if (process.over) return
      if (!process.held) {
        const isSame = (again: Asks): boolean =>
          bind(call, again, this.#stakesOf(call, again), now, nonce).digest === binding.digest
        return this.#admit(next, isSame, this.#watch(call, asks, stakes, now))
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
    return async () => canonicalText(seenAsJson(await this.#look(call, stakes, new Flight()))) === then
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

function bind(
  { process, number, name, text }: Arrival,
  { requests }: Asks,
  stakes: Stakes,
  seen: readonly Seen[],
  nonce: string,
): Binding {
  const bound = {
    ...{ run: process.identity.run, pid: process.pid, call: number, syscall: name, args: text },
    ...{ policy: process.policy.hash, labels: requests[0]?.labels ?? [], target: stakes.pid },
    questions: requests.map(({ action, resource }) => ({ action, resource })),
    replaces: seenAsJson(seen),
  }
  return bindingOf(bound, nonce)
}

/** What the kernel did wrong stays what it is. */
function refusalOf(error: unknown, { resources, decision }: Asks, ask: number | undefined): unknown {
  if (error instanceof Refusal) return new Refusal(error.cause, error.resource, error.decision, ask)
  return error instanceof SyscallError ? new Refusal(error, resources[0], decision, ask) : error
}

/** @throws SyscallError with the whole sentence, for the person who wrote the arguments */
function judgeEdited({ process, name }: Arrival, means: AdmissionMeans, text: string): void {
  try {
    judgeCall(process, means, name, text)
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
