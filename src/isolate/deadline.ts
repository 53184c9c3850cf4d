/** A time limit that can stand still: what is frozen has all the time in the world. */
import { performance } from 'node:perf_hooks'

export class Deadline {
  readonly #then: () => void
  #leftMs: number
  #since = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * Begins at once.
   * @param ms how long it may take
   * @param then called once, when it took longer
   */
  constructor(ms: number, then: () => void) {
    this.#leftMs = ms
    this.#then = then
    this.resume()
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
