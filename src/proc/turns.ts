/** Delivers replies and signals to a guest, one turn at a time, in the order in which they came. */
import type { Clock } from '../clock.ts'
import type { Guest } from '../isolate/guest.ts'

export class Turns {
  readonly #clock: Clock
  /** How long the next turn may take, in ms. */
  readonly #turnMs: () => number
  #guest: Guest | undefined
  #outbox: string[] = []
  /** The start is the first turn. */
  #active = true
  #count = 1
  #held = false
  #scheduled = false
  #stoppedAt = 0
  #stoppedMs = 0

  constructor(clock: Clock, turnMs: () => number) {
    this.#clock = clock
    this.#turnMs = turnMs
  }

  attach(guest: Guest): void {
    this.#guest = guest
  }

  /** Whether agent code may be running now. */
  get active(): boolean {
    return this.#active
  }

  /** How many turns have begun. */
  get count(): number {
    return this.#count
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
  post(number: number, text: string): void {
    this.#outbox.push(`[${number},${text}]`)
    this.#schedule()
  }

  /** The turn before has run to its end. */
  over(): void {
    this.#active = false
    this.#flush()
  }

  /** Keeps back every delivery until `release`. A turn that runs goes on to its end. */
  hold(): void {
    if (this.#held) return
    this.#stoppedAt = this.#clock.now()
    this.#held = true
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.#stoppedMs += this.#clock.now() - this.#stoppedAt
    this.#schedule()
  }

  /** Ends the guest; what was not delivered never is. */
  end(): void {
    this.#held = true
    this.#outbox = []
    this.#guest?.end()
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
    if (this.#active || this.#held || this.#outbox.length === 0 || this.#guest === undefined) return
    const batch = `[${this.#outbox.join(',')}]`
    this.#outbox = []
    this.#active = true
    this.#count += 1
    this.#guest.deliver(this.time, batch, Math.max(1, Math.floor(this.#turnMs())))
  }
}
