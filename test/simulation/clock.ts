/** A clock that goes on only when it is told to: timers come in the order of their time, then of their making. */
import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly at: number
  readonly then: () => void
}

export class VirtualClock implements Clock {
  #ms = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    // Some moment of 2026, the same in every run.
    return 1_780_000_000_000 + Math.floor(this.#ms)
  }

  monotonic(): number {
    return this.#ms
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#ms + Math.max(0, ms), then }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** The same clock for one user of it, whose own timers are counted. */
  lent(): Clock & { readonly waiting: number } {
    const own = new Set<symbol>()
    return {
      now: () => this.now(),
      monotonic: () => this.monotonic(),
      after: (ms, then) => {
        const key = Symbol()
        own.add(key)
        const cancel = this.after(ms, () => {
          own.delete(key)
          then()
        })
        return () => {
          own.delete(key)
          cancel()
        }
      },
      get waiting() {
        return own.size
      },
    }
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size
  }

  /** When the next timer is due, in virtual ms; infinite where none waits. */
  get next(): number {
    return this.#first()?.at ?? Number.POSITIVE_INFINITY
  }

  /** Time passes; no timer may be due before. */
  pass(ms: number): void {
    this.#ms = Math.min(this.#ms + ms, this.next)
  }

  /** Goes to the next timer and fires it. @returns false where none waits */
  fire(): boolean {
    const timer = this.#first()
    if (timer === undefined) return false
    this.#timers.delete(timer)
    this.#ms = Math.max(this.#ms, timer.at)
    timer.then()
    return true
  }

  #first(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (first === undefined || timer.at < first.at) first = timer
    return first
  }
}
