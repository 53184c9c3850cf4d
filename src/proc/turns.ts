/** Delivers replies and signals to a guest, one turn at a time, in the order in which they came. */
import type { Clock } from '../clock.ts'
import type { TurnBody } from '../evidence/beginnings.ts'
import type { Frozen, Guest, TurnLimit } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import type { SignalName } from './signals.ts'

/** What a turn brings, as it goes on record. */
export type Delivery = Omit<TurnBody, 'kind' | 'run' | 'pid'>

/** Where a message is on record: the `seq` of an entry, or the name of a signal. */
export type Source = number | SignalName

interface Message {
  readonly text: string
  readonly source: Source
}

export class Turns {
  readonly #clock: Clock
  /** How long the next turn may take. */
  readonly #limit: () => TurnLimit
  readonly #record: (delivery: Delivery) => void
  #guest: Guest | undefined
  #outbox: Message[] = []
  #outboxLength = 0
  #beganAt = 0
  /** The start is the first turn. */
  #active = true
  #count = 1
  #lastCall = 0
  /** The same when the turn began that runs. */
  #lastCallBefore = 0
  #held = false
  #scheduled = false
  #stoppedAt = 0
  #stoppedMs = 0
  /** When it was held, and how long the turn that runs has stood still, on the clock that never goes back. */
  #heldAt = 0
  #heldMs = 0
  /** Whether the guest was told to stand still, and not yet to go on. */
  #freezes = false
  /** While another guest is brought to where the one before was: goes on with that after a stop. */
  #repeats: (() => void) | undefined

  /** @param record puts a delivery on record before it is made; where that fails it ends this */
  constructor(clock: Clock, limit: () => TurnLimit, record: (delivery: Delivery) => void) {
    this.#clock = clock
    this.#limit = limit
    this.#record = record
  }

  attach(guest: Guest): void {
    this.#guest = guest
    this.#beganAt = this.#clock.monotonic()
  }

  /**
   * The guest is gone, and another one will take its place: nothing is delivered until that has caught up.
   * @param goOn is told that the process was stopped and goes on
   */
  lost(goOn: () => void): void {
    this.#guest = undefined
    this.#repeats = goOn
    this.#freezes = false
  }

  /**
   * Goes on where a record ends.
   * @param past how many turns there were, the number of the last call, and the process's own time
   */
  resume(past: { readonly count: number; readonly lastCall: number; readonly time: number }): void {
    this.#count = past.count
    this.#lastCall = past.lastCall
    this.#lastCallBefore = past.lastCall
    this.#stoppedMs = this.#clock.now() - past.time
  }

  /** A guest takes the place of the one before, and does again what is past, until `caughtUp`. */
  replace(guest: Guest, goOn: () => void): void {
    this.#guest = guest
    this.#repeats = goOn
  }

  /** The new guest stands where the one before did, its last turn over. */
  caughtUp(): void {
    this.#repeats = undefined
    this.#beganAt = this.#clock.monotonic()
    this.#heldMs = 0
  }

  /** Whether the turn that runs has made no call yet. */
  get silent(): boolean {
    return this.#lastCall === this.#lastCallBefore
  }

  /** The guest's number of its last call. */
  get lastCall(): number {
    return this.#lastCall
  }

  /** Whether agent code may be running now. */
  get active(): boolean {
    return this.#active
  }

  /** How many turns have begun. */
  get count(): number {
    return this.#count
  }

  /**
   * Takes note of a call of the turn that runs.
   * @param number the guest's number of it
   */
  called(number: number): void {
    this.#lastCall = number
  }

  /** Replies that wait for the next turn. */
  get waiting(): number {
    return this.#outbox.length
  }

  /** Their length, in UTF-16 units. */
  get waitingLength(): number {
    return this.#outboxLength
  }

  /** How long the turn that runs has run, in ms; 0 where none runs. */
  get activeMs(): number {
    if (!this.#active || this.#guest === undefined || this.#repeats !== undefined) return 0
    const until = this.#held ? this.#heldAt : this.#clock.monotonic()
    return Math.max(0, until - this.#beganAt - this.#heldMs)
  }

  get idle(): boolean {
    return !this.#active && this.#outbox.length === 0
  }

  /** The process's own time, ms since 1970: it stands still while the process does. */
  get time(): number {
    return (this.#held ? this.#stoppedAt : this.#clock.now()) - this.#stoppedMs
  }

  /**
   * Queues a message for the next turn.
   * @param number the guest's number of the call, or the kernel's of a signal
   * @param text the reply as JSON text
   */
  post(number: number, text: string, source: Source): void {
    this.#outbox.push({ text: `[${number},${text}]`, source })
    this.#outboxLength += text.length
    this.#schedule()
  }

  /** The turn before has run to its end. */
  over(): void {
    this.#active = false
    this.#flush()
  }

  /**
   * Keeps back every delivery until `release`, and stops a turn that runs in the middle of an instruction.
   * @returns the proof that agent code stands still, at once where none runs; undefined where it was released or ended before
   */
  hold(): Frozen | Promise<Frozen | undefined> {
    this.#stoppedAt = this.#clock.now()
    this.#heldAt = this.#clock.monotonic()
    this.#held = true
    const runs = this.#active || this.#repeats !== undefined
    if (!runs || this.#guest === undefined) return { how: 'idle', stack: [], depth: 0 }
    this.#freezes = true
    return this.#guest.freeze()
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.#stoppedMs += this.#clock.now() - this.#stoppedAt
    this.#heldMs += this.#clock.monotonic() - this.#heldAt
    if (this.#freezes) void this.#guest?.thaw()
    this.#freezes = false
    this.#repeats?.()
    this.#schedule()
  }

  /** Ends the guest; what was not delivered never is. */
  end(): void {
    this.#held = true
    this.#outbox = []
    this.#outboxLength = 0
    void this.#guest?.end()
    this.#guest = undefined
  }

  /** Replies that come in one pass of the event loop share a turn. */
  #schedule(): void {
    if (this.#scheduled || this.#active) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#active || this.#held || this.#outbox.length === 0) return
    if (this.#guest === undefined || this.#repeats !== undefined) return
    const messages = this.#takeBatch()
    const at = this.time
    this.#active = true
    this.#beganAt = this.#clock.monotonic()
    this.#heldMs = 0
    this.#count += 1
    this.#lastCallBefore = this.#lastCall
    this.#record({
      ...{ turn: this.#count, at, after: this.#lastCall },
      replies: messages.map(({ source }) => source),
    })
    this.#guest?.deliver(at, `[${messages.map(({ text }) => text).join(',')}]`, this.#limit())
  }

  /** As many of the oldest messages as one delivery carries, and always one. */
  #takeBatch(): readonly Message[] {
    let length = 0
    let count = 0
    for (const { text } of this.#outbox) {
      if (count > 0 && length + text.length > limits.deliveryMax) break
      length += text.length
      count += 1
    }
    const batch = this.#outbox.splice(0, count)
    this.#outboxLength = this.#outbox.length === 0 ? 0 : Math.max(0, this.#outboxLength - length)
    return batch
  }
}
