/** A time limit that can stand still: what is frozen has all the time in the world. */
import { performance } from 'node:perf_hooks'

export class Deadline {
  readonly #then: () => void
  readonly #ms: number
  #leftMs: number
  #since = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * Begins at once.
   * @param ms how long it may take
   * @param then called once, when it took longer
   */
  constructor(ms: number, then: () => void) {
    this.#ms = ms
    this.#leftMs = ms
    this.#then = then
    this.resume()
  }

  /** How much of it is gone, in ms. */
  get usedMs(): number {
    const running = this.#timer === undefined ? 0 : performance.now() - this.#since
    return this.#ms - this.#leftMs + running
  }

  pause(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#leftMs -= performance.now() - this.#since
  }

  resume(): void {
    if (this.#timer !== undefined || this.#leftMs === Number.POSITIVE_INFINITY) return
    this.#since = performance.now()
    this.#timer = setTimeout(
      () => {
        this.cancel()
        this.#then()
      },
      Math.max(0, this.#leftMs),
    )
  }

  cancel(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#leftMs = Number.POSITIVE_INFINITY
  }
}
