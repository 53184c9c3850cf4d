/** A map that keeps the newest so many: what is read forwards for hours may not grow for as long. */
import { limits } from '../../limits.ts'

export class Newest<K, V> {
  readonly #kept = new Map<K, V>()
  readonly #max: number

  /** @param max the oldest of more are let go */
  constructor(max: number = limits.reportOpenMax) {
    this.#max = max
  }

  get(key: K): V | undefined {
    return this.#kept.get(key)
  }

  set(key: K, value: V): void {
    this.#kept.delete(key)
    this.#kept.set(key, value)
    if (this.#kept.size <= this.#max) return
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined) this.#kept.delete(oldest)
  }

  /** @returns what was kept under the key, which is let go */
  take(key: K): V | undefined {
    const value = this.#kept.get(key)
    this.#kept.delete(key)
    return value
  }

  values(): Iterable<V> {
    return this.#kept.values()
  }
}
