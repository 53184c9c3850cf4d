/** The kernel's clock, which shows the time of the record while what is on record is done again. */
import type { Clock } from '../clock.ts'

export class PastClock implements Clock {
  readonly #clock: Clock
  /** Of the entry that is done again. */
  #at: number | undefined
  /** Of the last one: from there on the clock goes on as if no time had passed. */
  #end = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param end time of the last entry, ms since 1970 */
  during(end: number, work: (set: (time: number) => void) => void): void {
    this.#end = end
    this.#at = end
    try {
      work((time) => {
        // A clock may have been set back while the record was written.
        this.#at = Math.min(time, end)
      })
    } finally {
      this.#at = undefined
    }
  }

  now(): number {
    return this.#at ?? this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic() - this.#agoMs
  }

  after(ms: number, then: () => void): () => void {
    return this.#clock.after(Math.max(0, ms - this.#agoMs), then)
  }

  get #agoMs(): number {
    return this.#at === undefined ? 0 : this.#end - this.#at
  }
}
