/** Requests that wait for a person. The kernel alone holds them; each is answered once, and time denies. */
import { randomBytes } from 'node:crypto'
import { byApplication, byKernel } from '../actors.ts'
import type { Clock } from '../clock.ts'
import { KernelError, SyscallError } from '../errors.ts'
import type { AnswerBody, AskBody, PayloadRef } from '../evidence/entry.ts'
import type { EvidenceLog, Receipt } from '../evidence/log.ts'
import { asJson } from '../json.ts'
import { limits } from '../limits.ts'
import type { Observers } from '../observers.ts'
import { wallLeftMs } from '../proc/budget-watch.ts'
import type { Process } from '../proc/process.ts'
import { readBy, readHookAnswer, readReason } from './answers.ts'
import type { ApprovalEnd, ApprovalRequest, ApproveOptions, DenyOptions, HookAnswer } from './request.ts'
import { Seats } from './seats.ts'

/** A call that asks, as the gate hands it over. */
export interface Asking {
  readonly process: Process
  readonly request: Omit<ApprovalRequest, 'id' | 'askedAt' | 'expiresAt' | 'endsAt'>
  /** What goes on record besides. */
  readonly record: (id: string, expiresAt: number) => AskBody
  /** Throws SyscallError for arguments that the policy forbids, or that are not sound; gives what puts them on record. */
  readonly judge: (text: string) => () => PayloadRef
}

export interface Answer {
  readonly end: ApprovalEnd
  readonly by: string
  readonly reason: string | undefined
  /** Arguments in place of the agent's, and what puts them on record. */
  readonly args?: string
  readonly keep?: () => PayloadRef
  /** Whether the call is to be admitted anew: nobody has answered, and what was asked about is no longer so. */
  readonly again?: true
}

/** How a request ended, and where on record it stands. */
export interface Answered extends Answer {
  readonly id: string
  /** `seq` of the entry that asks. */
  readonly ask: number
}

interface Pending extends Omit<Asking, 'request' | 'record'> {
  readonly request: ApprovalRequest
  readonly ask: number
  /** On the clock that never goes back. */
  readonly deadline: number
  readonly settle: (answer: Answered) => void
  cancelTimer: () => void
}

export interface DeskParts {
  readonly log: EvidenceLog
  readonly observers: Observers
  readonly clock: Clock
  /** How long a request waits, in ms. */
  readonly timeoutMs: number
  readonly hook: ((request: ApprovalRequest) => HookAnswer | Promise<HookAnswer>) | undefined
  /** Puts something about a process on record. @returns where it stands; undefined where it does not, and the process has ended */
  readonly record: (process: Process, append: () => Receipt) => Receipt | undefined
}

export class Desk {
  readonly seats = new Seats()
  readonly #parts: DeskParts
  readonly #pending = new Map<string, Pending>()
  /** How those ended that were answered lately, as sentences. */
  readonly #known = new Map<string, string>()

  constructor(parts: DeskParts) {
    this.#parts = parts
  }

  /** What waits, the oldest first. */
  list(): readonly ApprovalRequest[] {
    return [...this.#pending.values()].map(({ request }) => request)
  }

  /**
   * Puts a request on record, and tells everybody who may answer.
   * @param given the answer, where it came before: with the arguments that this request is about
   * @param known what it was called before its kernel ended, and what was left of its time in ms
   * @returns its id, and a promise that resolves when it is answered, has expired or is cancelled; it never rejects
   */
  ask(
    asking: Asking,
    given?: Answer,
    known?: { readonly id: string; readonly leftMs: number },
  ): { readonly id: string; readonly seq: number; readonly answered: Answered | Promise<Answered> } {
    const { process } = asking
    const { clock, observers } = this.#parts
    const timeoutMs = Math.min(Math.max(known?.leftMs ?? Number.POSITIVE_INFINITY, 1), this.#parts.timeoutMs)
    const id = known !== undefined && this.#isFree(known.id) ? known.id : randomBytes(5).toString('hex')
    const askedAt = clock.now()
    const leftMs = wallLeftMs(process)
    const request: ApprovalRequest = deepFreeze({
      ...asking.request,
      ...{ id, askedAt, expiresAt: askedAt + timeoutMs },
      ...(leftMs < timeoutMs && { endsAt: askedAt + leftMs }),
    })
    const recorded = this.#parts.record(process, () =>
      this.#parts.log.append(asking.record(id, request.expiresAt)),
    )
    const ask = recorded?.seq ?? 0
    if (recorded === undefined)
      return { id, seq: ask, answered: { end: 'cancelled', by: byKernel, reason: undefined, id, ask } }
    const { promise, resolve: settle } = Promise.withResolvers<Answered>()
    const deadline = clock.monotonic() + timeoutMs
    const pending: Pending = {
      ...{ process, request, judge: asking.judge, ask, deadline, settle },
      cancelTimer: () => {},
    }
    this.#pending.set(id, pending)
    if (given !== undefined) this.#end(pending, given)
    else {
      pending.cancelTimer = clock.after(timeoutMs, () => this.#expire(pending))
      observers.approval(process, { id, status: 'asked', request })
      this.#consult(pending)
    }
    return { id, seq: ask, answered: promise }
  }

  /**
   * Lets one call pass, once, as it was shown; the policy is asked again before it does.
   * @throws KernelError ENOENT for an id that does not wait, EINVAL for options that are not sound, EPERM and others for
   *   arguments that the policy forbids or that are not sound: then the request still waits
   */
  approve(id: string, { by, reason, args }: ApproveOptions = {}): void {
    const pending = this.#find(id)
    const answer = { end: 'approved', by: readBy(by), reason: readReason(reason) } as const
    if (args === undefined) return this.#finish(pending, answer)
    this.#finish(pending, { ...answer, ...judged(pending, args) })
  }

  /** @throws KernelError ENOENT for an id that does not wait, EINVAL for options that are not sound */
  deny(id: string, { by, reason }: DenyOptions = {}): void {
    const pending = this.#find(id)
    this.#finish(pending, { end: 'denied', by: readBy(by), reason: readReason(reason) })
  }

  /** What a process that ended has asked for. */
  cancel(process: Process): void {
    for (const pending of this.#pending.values())
      if (pending.process === process)
        this.#end(pending, { end: 'cancelled', by: byKernel, reason: 'the process ended' })
  }

  /** Whoever asked does not want it any more. */
  withdraw(id: string): void {
    const pending = this.#pending.get(id)
    if (pending !== undefined)
      this.#end(pending, { end: 'cancelled', by: byKernel, reason: 'the agent canceled the call' })
  }

  /** The policy is another one: what waits is judged anew, and asked anew where that is so. */
  reconsider(): void {
    const reason = 'another policy came into force'
    for (const pending of this.#pending.values())
      this.#end(pending, { end: 'cancelled', by: byKernel, reason, again: true })
  }

  /** What a record calls a request may be anything. */
  #isFree(id: string): boolean {
    return /^[0-9a-f]{10}$/.test(id) && !this.#pending.has(id)
  }

  #find(id: string): Pending {
    const pending = this.#pending.get(id)
    if (pending !== undefined && this.#isLate(pending)) this.#expire(pending)
    const found = this.#pending.get(id)
    if (found !== undefined) return found
    const shown = String(id).slice(0, limits.wordMax)
    const why = this.#known.get(id) ?? `no request \`${shown}\` waits for approval`
    throw new KernelError('ENOENT', why)
  }

  /** A clock that was set back gives nobody more time, and a machine that slept does not either. */
  #isLate({ request, deadline }: Pending): boolean {
    const { clock } = this.#parts
    return clock.now() >= request.expiresAt || clock.monotonic() >= deadline
  }

  #expire(pending: Pending): void {
    const reason = `nobody answered within ${this.#parts.timeoutMs} ms`
    this.#end(pending, { end: 'expired', by: byKernel, reason })
  }

  /** The hook is told once, and never in the middle of the kernel's own work. */
  #consult(pending: Pending): void {
    const { hook } = this.#parts
    if (hook === undefined || !this.#pending.has(pending.request.id)) return
    const failed = (error: unknown): void => {
      this.#parts.observers.approvalFailed(error)
      this.#end(pending, { end: 'denied', by: byApplication, reason: 'what was to answer it failed' })
    }
    void Promise.resolve()
      .then(() => hook(pending.request))
      .then((said) => this.#said(pending, readHookAnswer(said)))
      .catch(failed)
  }

  #said(pending: Pending, said: ReturnType<typeof readHookAnswer>): void {
    const { id } = pending.request
    if (said === undefined || this.#pending.get(id) !== pending) return
    if (said.answer === 'approve') this.approve(id, said)
    else this.deny(id, said)
  }

  /** @throws KernelError EIO where the answer cannot be put on record: then nothing is done */
  #finish(pending: Pending, answer: Answer): void {
    if (!this.#end(pending, answer))
      throw new KernelError('EIO', 'the answer cannot be put on record, so nothing is done')
  }

  /** @returns whether the answer is on record; one that is not counts for nothing */
  #end(pending: Pending, answer: Answer): boolean {
    const { process, request, ask } = pending
    const { id } = request
    if (!this.#pending.delete(id)) return true
    pending.cancelTimer()
    this.#remember(id, answer)
    const recorded = this.#parts.record(process, () =>
      this.#parts.log.append({
        ...{ kind: 'answer', run: request.run, pid: request.pid, ask, id, answer: answer.end, by: answer.by },
        ...(answer.reason !== undefined && { reason: answer.reason }),
        ...(answer.keep !== undefined && { args: answer.keep() }),
      } satisfies AnswerBody),
    )
    const counts: Answer =
      recorded !== undefined ? answer : { end: 'cancelled', by: byKernel, reason: undefined }
    pending.settle({ ...counts, id, ask })
    const { by, reason } = counts
    this.#parts.observers.approval(process, {
      ...{ id, status: counts.end, request, by },
      ...(reason !== undefined && { reason }),
    })
    return recorded !== undefined
  }

  #remember(id: string, { end, by }: Answer): void {
    const oldest = this.#known.size >= limits.approvalsKnownMax ? this.#known.keys().next().value : undefined
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(id, `request \`${id}\` waits no longer: it was ${end}, by ${by}`)
  }
}

/** @returns the text of arguments that a person wrote */
function judged(pending: Pending, args: unknown): Required<Pick<Answer, 'args' | 'keep'>> {
  try {
    const text = JSON.stringify(asJson(args, 'args'))
    return { args: text, keep: pending.judge(text) }
  } catch (error) {
    if (error instanceof SyscallError) throw new KernelError(error.code, error.message)
    throw error
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
