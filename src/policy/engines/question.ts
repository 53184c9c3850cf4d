/** What an engine is asked about is bounded: it looks at all of it, and cannot be stopped. */
import type { Json } from '../../json.ts'
import { limits } from '../../limits.ts'
import { Unjudged } from './judge.ts'

/** Counts values and characters of one question. */
export class Size {
  #values = 0
  #length = 0

  /**
   * @param value what is asked about; nested as deep as the kernel lets calls be
   * @throws Unjudged where there is more than a decision may look at
   */
  add(value: Json): void {
    const waiting: Json[] = [value]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      this.#values += 1
      if (typeof next === 'string') this.#length += next.length
      else if (Array.isArray(next)) waiting.push(...next.slice(0, limits.engineValuesMax + 1))
      else if (next !== null && typeof next === 'object') {
        const entries = Object.entries(next)
        for (const [key, item] of entries.slice(0, limits.engineValuesMax + 1)) {
          this.#length += key.length
          waiting.push(item)
        }
      }
      if (this.#values + waiting.length > limits.engineValuesMax)
        throw new Unjudged(`the call holds more than ${limits.engineValuesMax} values`)
      if (this.#length > limits.engineTextMax)
        throw new Unjudged(`the call is longer than ${limits.engineTextMax} characters`)
    }
  }
}
