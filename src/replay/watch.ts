/** Looks on while one turn is repeated: is each call the one that is on record, byte for byte? */
import { payloadHash } from '../evidence/verify.ts'
import type { Fault, GuestEvents } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import { aroundDifference, type Divergence, type Side } from './divergence.ts'
import type { RecordedCall } from './recorded-process.ts'
import type { StepTexts } from './steps.ts'

/** A call as the guest made it. */
export interface MadeCall {
  readonly number: number
  readonly name: string
  readonly text: string
}

/**
 * What the turn has to come to.
 * - `over`: to its end, with the recorded calls and no others
 * - `fault`: to a failure of agent code, likewise
 * - `seen`: to its last call on record: in the record it was cut off after that
 * - `live`: to its end; what comes past the record is kept
 */
export type Goal = 'over' | 'fault' | 'seen' | 'live'

export type TurnEnd =
  | { readonly how: 'over' | 'seen' }
  | { readonly how: 'fault'; readonly fault: Fault }
  | { readonly how: 'diverged'; readonly divergence: Divergence }

export class TurnWatch implements GuestEvents {
  /** Resolves once, when nothing more of this turn matters. */
  readonly end: Promise<TurnEnd>
  /** Calls that are not on record, and may be past it. */
  readonly beyond: MadeCall[] = []
  /** Calls whose arguments, and all that they could be compared with, were deleted. */
  unproven = 0
  /** Arguments of `proc.exit`, where it was made and admitted. */
  exitArgs: string | undefined
  lastCall = 0
  /** The stack of the call that is traced. */
  trace: string | undefined
  readonly #texts: StepTexts
  readonly #goal: Goal
  readonly #isLate: (number: number) => boolean
  readonly #resolve: (end: TurnEnd) => void
  #next = 0
  #isOver = false

  /** @param isLate whether a call that is not on record here may be on record later, or have been lost with the kernel */
  constructor(texts: StepTexts, goal: Goal, isLate: (number: number) => boolean) {
    this.#texts = texts
    this.#goal = goal
    this.#isLate = isLate
    const { promise, resolve } = Promise.withResolvers<TurnEnd>()
    this.end = promise
    this.#resolve = resolve
    this.#endIfSeen()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Calls on record that were made. */
  get seen(): number {
    return this.#next
  }

  call(number: number, name: string, text: string): void {
    if (this.#isOver) return
    if (number === 0) {
      this.trace = text
      return
    }
    this.lastCall = number
    const due = this.#texts.step.calls[this.#next]
    if (due === undefined || due.number > number) return this.#extra({ number, name, text })
    if (due.number < number) return this.#missing(due, `call ${number}, ${shownName(name)}, comes first`)
    if (!this.#isSame(due, name, text)) return
    this.#next += 1
    if (name === 'proc.exit' && due.intent !== undefined) this.exitArgs = text
    this.#endIfSeen()
  }

  turn(): void {
    const due = this.#texts.step.calls[this.#next]
    if (this.#isOver) return
    if (due !== undefined) return this.#missing(due, 'the turn ended without it')
    this.#finish({ how: 'over' })
  }

  fault(fault: Fault): void {
    this.#finish({ how: 'fault', fault })
  }

  #endIfSeen(): void {
    if (this.#goal === 'seen' && this.#next === this.#texts.step.calls.length) this.#finish({ how: 'seen' })
  }

  #finish(end: TurnEnd): void {
    this.#isOver = true
    this.#resolve(end)
  }

  #diverged(divergence: Omit<Divergence, 'turn'>): void {
    this.#finish({ how: 'diverged', divergence: { turn: this.#texts.step.turn, ...divergence } })
  }

  #extra(made: MadeCall): void {
    const isPast = this.#texts.step.isLast && this.#goal === 'live'
    if (isPast || this.#isLate(made.number)) return void this.beyond.push(made)
    this.#diverged({
      ...{ kind: 'extra', entry: null, call: made.number },
      recorded: { what: `no call ${made.number} is on record` },
      replayed: madeSide(made, made.text),
    })
  }

  #missing(due: RecordedCall, instead: string): void {
    this.#diverged({
      ...{ kind: 'missing', entry: due.seq, call: due.number },
      recorded: this.#recordedSide(due),
      replayed: { what: instead },
    })
  }

  #isSame(due: RecordedCall, name: string, text: string): boolean {
    const given = (due.isRefused ? text.slice(0, limits.refusedArgsMax) : text).toWellFormed()
    const payload = this.#texts.args.get(due.args.hash)
    if (shownName(name) === due.syscall) {
      if (payload !== undefined && payloadHash(Buffer.from(payload.salt, 'hex'), given) === due.args.hash)
        return true
      if (payload === undefined && Buffer.byteLength(given) === due.args.bytes) {
        this.unproven += 1
        return true
      }
    }
    const [recorded, replayed] = aroundDifference(payload?.text ?? '', given)
    this.#diverged({
      ...{ kind: 'call', entry: due.seq, call: due.number },
      recorded: { ...this.#recordedSide(due), ...(payload?.text !== undefined && { args: recorded }) },
      replayed: madeSide({ number: due.number, name, text }, replayed),
    })
    return false
  }

  #recordedSide({ number, syscall, args }: RecordedCall): Side {
    const text = this.#texts.args.get(args.hash)?.text
    return {
      what: `call ${number}: ${syscall}`,
      ...(text !== undefined && { args: aroundDifference(text, '')[0] }),
    }
  }
}

const shownName = (name: string): string => name.slice(0, limits.syscallNameMax).toWellFormed()

const madeSide = ({ number, name }: MadeCall, text: string): Side => ({
  what: `call ${number}: ${shownName(name)}`,
  args: aroundDifference(text, '')[0],
})
