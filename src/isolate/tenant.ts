/** The kernel's side of one guest in a cell: what its cell may say of it, and until when. */
import { z } from 'zod'
import { type Errno, errnos } from '../errors.ts'
import { limits } from '../limits.ts'
import { Deadline } from './deadline.ts'
import type { Frame, FrameKind } from './frames.ts'
import type { Fault, Frozen, Guest, GuestEvents, GuestSpec, TurnLimit } from './guest.ts'

/** More than any process can use; what is beyond is a lie that arithmetic could not carry. */
const usageMax = 2 ** 48
const usageSchema = z.strictObject({
  cpuMs: z.number().min(0).max(usageMax),
  heapBytes: z.number().min(0).max(usageMax),
})
/** What agent code throws or calls its functions may hold lone surrogates, which the record does not take. */
const text = z.string().transform((value) => value.toWellFormed())
const faultSchema = z.strictObject({
  code: z.enum(Object.keys(errnos) as [Errno, ...Errno[]]),
  reason: z
    .string()
    .max(2 * limits.errorTextMax)
    .pipe(text),
  error: z.strictObject({ name: text, message: text, stack: text.optional() }).optional(),
})
const position = z.int().min(0).max(usageMax)
const frozenSchema = z
  .strictObject({
    how: z.enum(['paused', 'idle']),
    stack: z
      .array(
        z.strictObject({
          name: z.string().max(limits.frameNameMax).pipe(text),
          line: position,
          column: position,
        }),
      )
      .max(limits.frozenFramesMax),
    depth: position,
  })
  .nullable()

/** What a guest's side needs of its cell. */
export interface Host {
  /** Whether no other guest lives there. */
  readonly alone: boolean
  /** Whether it has started; before that no guest of it can answer. */
  readonly ready: boolean
  /** Whether it ends with its guest. */
  readonly own: boolean
  send(frame: Frame): void
  /**
   * Ends the cell at once, from outside.
   * @param guilty who made it necessary; whoever lives beside it ends for that, and not for what it did
   */
  kill(cause: Fault, guilty?: Guest): void
  /** Has the operating system stop it: resolves with whether it stands still. */
  suspend(): Promise<boolean>
  resume(): void
  /** It takes no other guest, and ends with its last one. */
  retire(): void
  /** The guest is gone from it. */
  forget(number: number): void
}

/** A guest that is to stand still, and has not said that it does. */
interface Freezing {
  readonly number: number
  readonly proof: PromiseWithResolvers<Frozen | undefined>
  deadline: NodeJS.Timeout
}

export class Tenant implements Guest {
  readonly #number: number
  readonly #host: Host
  readonly #events: GuestEvents
  /** Of the turn that runs, or of the end. */
  #deadline: Deadline | undefined
  /** Of the end, where nobody else would be harmed by that of its cell. */
  #endAlone: NodeJS.Timeout | undefined
  /** Time in turns that are over, in ms. */
  #pastMs = 0
  /** The heap that it may have. */
  heapBytes = 0
  /** Set once it is over: resolves when none of its code runs any more. */
  #ended: PromiseWithResolvers<void> | undefined
  #lastRequest = 0
  #freezing: Freezing | undefined
  #thawing: { readonly number: number; readonly done: PromiseWithResolvers<void> } | undefined
  #suspended = false

  constructor(number: number, host: Host, events: GuestEvents) {
    this.#number = number
    this.#host = host
    this.#events = events
  }

  /** To be called once, when its cell knows of it. */
  start(spec: GuestSpec): void {
    this.heapBytes = spec.heapBytes
    this.#send('start', 0, '', JSON.stringify(spec))
    this.#expectTurn(spec.limit.wallMs, limits.cellStartMs)
  }

  /** Whether it was told to end a while ago and has not: its cell may have to be killed for it. */
  get overdue(): boolean {
    return this.#ended !== undefined && (this.#deadline?.usedMs ?? 0) > limits.endMs
  }

  /** How long its turns have taken, in ms, while it did not stand still. */
  get activeMs(): number {
    return this.#pastMs + (this.#deadline?.usedMs ?? 0)
  }

  deliver(time: number, batch: string, limit: TurnLimit): void {
    this.#send('deliver', limit.wallMs, JSON.stringify([time, limit.cpuMs ?? null]), batch)
    this.#expectTurn(limit.wallMs)
  }

  freeze(): Promise<Frozen | undefined> {
    if (this.#ended !== undefined) return Promise.resolve(undefined)
    if (this.#freezing !== undefined) return this.#freezing.proof.promise
    this.#lastRequest += 1
    const number = this.#lastRequest
    const deadline = this.#freezeDeadline(number, this.#host.ready ? 0 : limits.cellStartMs)
    this.#freezing = { number, proof: Promise.withResolvers(), deadline }
    this.#send('freeze', number)
    return this.#freezing.proof.promise
  }

  /** From now on it can answer. */
  cellReady(): void {
    if (this.#freezing === undefined) return
    clearTimeout(this.#freezing.deadline)
    this.#freezing.deadline = this.#freezeDeadline(this.#freezing.number, 0)
  }

  #freezeDeadline(number: number, startMs: number): NodeJS.Timeout {
    const stopMs = this.#host.alone ? limits.stopMs : limits.stopSharedMs
    return setTimeout(() => void this.#stopFromOutside(number), startMs + stopMs)
  }

  thaw(): Promise<void> {
    this.#frozen(undefined)
    if (this.#ended !== undefined) return Promise.resolve()
    if (this.#suspended) this.#host.resume()
    this.#suspended = false
    this.#lastRequest += 1
    this.#thawing?.done.resolve()
    this.#thawing = { number: this.#lastRequest, done: Promise.withResolvers() }
    this.#send('thaw', this.#lastRequest)
    this.#deadline?.resume()
    return this.#thawing.done.promise
  }

  end(): Promise<void> {
    if (this.#ended !== undefined) return this.#ended.promise
    const cause: Fault = { code: 'ECANCELED', reason: 'its process has ended' }
    this.#over()
    // A cell that stands still cannot end its guest; one that had a single guest needs not.
    if (this.#host.own || this.#suspended) this.#host.kill(cause)
    else this.#send('end')
    return this.#expectEnd()
  }

  /**
   * Takes what the cell says of this guest.
   * @throws Error for what no cell says; the cell is of no use after that
   */
  obey(frame: Frame): void {
    if (frame.kind === 'ended') {
      // Nobody would hear of its end, nor wait for it any longer.
      if (this.#ended === undefined) throw new Error('a cell ended a guest that it was not told to end')
      return this.#forget()
    }
    if (this.#ended !== undefined) return
    if (frame.kind === 'call') return this.#events.call(frame.number, frame.name, frame.text)
    if (frame.kind === 'frozen') return this.#onFrozen(frame)
    if (frame.kind === 'thawed') return this.#onThawed(frame)
    this.#rest()
    if (frame.kind === 'turn') return this.#events.turn(usageSchema.parse(JSON.parse(frame.text)))
    if (frame.kind !== 'fault') throw new Error(`a cell sent \`${frame.kind}\``)
    const { error, ...fault } = faultSchema.parse(JSON.parse(frame.text))
    // Where V8 cannot free what it held, only the end of the cell does.
    if (fault.code === 'ENOMEM') this.#host.retire()
    this.#over()
    void this.#expectEnd()
    this.#events.fault(
      error === undefined ? fault : { ...fault, error: { ...error, stack: error.stack ?? '' } },
    )
  }

  /** Its cell is gone. */
  buried(fault: Fault): void {
    this.#rest()
    const wasOver = this.#ended !== undefined
    this.#over().resolve()
    if (!wasOver) this.#events.fault(fault)
  }

  #send(kind: FrameKind, number = 0, name = '', content = ''): void {
    this.#host.send({ kind, guest: this.#number, number, name, text: content })
  }

  #onFrozen(frame: Frame): void {
    if (frame.number !== this.#freezing?.number) return
    const frozen = frozenSchema.parse(JSON.parse(frame.text))
    if (frozen !== null) this.#deadline?.pause()
    this.#frozen(frozen ?? undefined)
  }

  #onThawed(frame: Frame): void {
    if (frame.number !== this.#thawing?.number) return
    this.#thawing.done.resolve()
    this.#thawing = undefined
  }

  /** Answers whoever waits for it to stand still. */
  #frozen(frozen: Frozen | undefined): void {
    clearTimeout(this.#freezing?.deadline)
    this.#freezing?.proof.resolve(frozen)
    this.#freezing = undefined
  }

  /** Inside one uninterruptible builtin V8 cannot be paused: then the whole cell stops, or ends. */
  async #stopFromOutside(number: number): Promise<void> {
    const standsStill = this.#host.alone && (await this.#host.suspend())
    // It may have been continued, have said that it stands still, or have ended in the meantime.
    if (this.#freezing?.number !== number) return this.#host.resume()
    if (standsStill) {
      this.#suspended = true
      this.#deadline?.pause()
      return this.#frozen({ how: 'system', stack: [], depth: 0 })
    }
    this.#host.kill(
      { code: 'ETIMEDOUT', reason: 'agent code could not be stopped from inside, so its cell was killed' },
      this,
    )
  }

  #over(): PromiseWithResolvers<void> {
    this.#ended ??= Promise.withResolvers()
    this.#frozen(undefined)
    this.#thawing?.done.resolve()
    this.#thawing = undefined
    return this.#ended
  }

  /** Guests inside an uninterruptible builtin do not end by V8's own time limit; the cell then ends by this one. */
  #expectTurn(turnMs: number, startMs = 0): void {
    const reason = `one turn of agent code took longer than ${turnMs} ms and could not be stopped from inside, so its cell was killed`
    this.#killUnless(turnMs + startMs + limits.turnGraceMs + limits.cellGraceMs, reason)
  }

  /** What is over may still burn CPU, inside such a builtin; then only the end of its cell helps. */
  #expectEnd(): Promise<void> {
    const reason = 'it could not be ended from inside, so its cell was killed'
    this.#killUnless(limits.cellGraceMs, reason)
    this.#endAlone = setTimeout(() => {
      if (this.#host.alone) this.#host.kill({ code: 'ETIMEDOUT', reason }, this)
    }, limits.endAloneMs)
    return this.#ended?.promise ?? Promise.resolve()
  }

  #killUnless(ms: number, reason: string): void {
    this.#rest()
    this.#deadline = new Deadline(ms, () => this.#host.kill({ code: 'ETIMEDOUT', reason }, this))
  }

  /** Nothing of it is due. */
  #rest(): void {
    clearTimeout(this.#endAlone)
    this.#pastMs += this.#deadline?.usedMs ?? 0
    this.#deadline?.cancel()
    this.#deadline = undefined
  }

  #forget(): void {
    this.#rest()
    this.#host.forget(this.#number)
    this.#over().resolve()
  }
}
