/** A guest that does again what is on record, turn by turn, and then is handed over to go on live. */
import { type Payload, payloadHash } from '../evidence/verify.ts'
import type { Fault, Guest, GuestEvents, Usage } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import type { Process } from '../proc/process.ts'
import type { RecordedCall } from '../replay/recorded-process.ts'
import type { StepTexts } from '../replay/steps.ts'

/** A call that is not on record: what the guest asks for next, where it goes on. */
export interface NewCall {
  readonly number: number
  readonly name: string
  readonly text: string
}

export interface RepetitionParts {
  readonly process: Process
  /** What is on record, from the start to where it ends. */
  readonly steps: Iterator<StepTexts, unknown>
  readonly startGuest: (events: GuestEvents) => Guest
  /** Takes over: every call from now on, the end of a turn and faults are its own. */
  readonly live: GuestEvents
  /** Calls up to this number were taken before, whether or not they are on record already. */
  readonly taken: number
  /**
   * The guest stands where the record ends, its last turn over.
   * @param calls of its last turns that are not on record
   */
  readonly done: (calls: readonly NewCall[], usage: Usage) => void
  /** It cannot be brought there; it is gone. */
  readonly failed: (fault: Fault) => void
}

export class Repetition {
  readonly #parts: RepetitionParts
  readonly #guest: Guest
  /** Calls of all steps up to the one that runs, which are due, by number. */
  readonly #due = new Map<number, RecordedCall>()
  readonly #new: NewCall[] = []
  #args: ReadonlyMap<string, Payload> = new Map()
  #turn = 0
  /** What was to come next when the process was stopped. */
  #waiting: (() => void) | undefined
  #state: 'repeating' | 'live' | 'failed' = 'repeating'

  /** The guest begins at once; neither `done` nor `failed` is called from within. */
  constructor(parts: RepetitionParts) {
    this.#parts = parts
    const first = parts.steps.next()
    if (!first.done) this.#load(first.value)
    this.#guest = parts.startGuest({
      call: (number, name, text) => this.#called(number, name, text),
      turn: (usage) => this.#turnOver(usage),
      fault: (fault) => this.#faulted(fault),
    })
    parts.process.turns.replace(this.#guest, () => this.#goOn())
  }

  #called(number: number, name: string, text: string): void {
    if (this.#state === 'live') return this.#parts.live.call(number, name, text)
    if (this.#state === 'failed') return
    const due = this.#due.get(number)
    if (due === undefined) {
      if (number > this.#parts.taken) this.#new.push({ number, name, text })
      return
    }
    this.#due.delete(number)
    const why = this.#difference(due, name, text)
    if (why !== undefined) this.#diverged(`call ${number} of turn ${this.#turn} ${why}`)
  }

  #turnOver(usage: Usage): void {
    if (this.#state === 'live') return this.#parts.live.turn(usage)
    if (this.#state === 'failed') return
    const [missing] = this.#due.values()
    if (missing !== undefined)
      return this.#diverged(
        `turn ${this.#turn} is over without \`${missing.syscall}\`, call ${missing.number}`,
      )
    this.#waiting = () => this.#next(usage)
    this.#goOn()
  }

  #faulted(fault: Fault): void {
    if (this.#state === 'live') return this.#parts.live.fault(fault)
    if (this.#state === 'failed') return
    this.#state = 'failed'
    this.#parts.failed(fault)
  }

  /** A stopped process stands still, also where it only does again what it has done. */
  #goOn(): void {
    const { process } = this.#parts
    const next = this.#waiting
    if (next === undefined || process.over || process.held) return
    this.#waiting = undefined
    next()
  }

  #next(usage: Usage): void {
    const { steps, process, done } = this.#parts
    const next = steps.next()
    if (next.done) {
      this.#state = 'live'
      return done(this.#new, usage)
    }
    const { step, batch } = next.value
    if (typeof batch !== 'string')
      return this.#fail(`it could not be made again: turn ${step.turn} is not whole on record: ${batch.why}`)
    this.#load(next.value)
    this.#guest.deliver(step.delivery?.at ?? 0, batch, process.turnLimit)
  }

  #load({ step, args }: StepTexts): void {
    this.#turn = step.turn
    this.#args = args
    for (const call of step.calls) this.#due.set(call.number, call)
  }

  /** @returns in what a call differs from the one on record */
  #difference({ syscall, args, isRefused }: RecordedCall, name: string, text: string): string | undefined {
    if (name.slice(0, limits.syscallNameMax).toWellFormed() !== syscall)
      return `is \`${name.slice(0, limits.syscallNameMax)}\`, and was \`${syscall}\``
    const payload = this.#args.get(args.hash)
    // Its text was deleted, and what it was hashed with: there is nothing to compare.
    if (payload === undefined) return undefined
    const given = (isRefused ? text.slice(0, limits.refusedArgsMax) : text).toWellFormed()
    const isSame = payloadHash(Buffer.from(payload.salt, 'hex'), given) === args.hash
    return isSame ? undefined : `to \`${syscall}\` has other arguments than are on record`
  }

  #diverged(why: string): void {
    this.#fail(`it did not do again what is on record: ${why}`)
  }

  #fail(reason: string): void {
    this.#state = 'failed'
    void this.#guest.end()
    this.#parts.failed({ code: 'EIO', reason })
  }
}
