/** What of a question cannot be told from the record; a decision that looked at it is not to be relied on. */
import type { Json } from '../json.ts'

/**
 * - `payload`: its arguments are deleted, cut, or on record by a digest only
 * - `schema`: what the tool takes is not on record, and a condition looks at its arguments
 * - `process`: how its process began is not on record
 * - `policy`: its process has a policy of its own that is not on record, or cannot stand beside the new one
 * - `labels`: whether its process would carry a label
 * - `origin`: where a value would have been seen
 * - `history`: what other runs did, for an agent's own policy
 * - `budget`: what would be left of a budget
 * - `time`: it lies on the edge of a time that a rule names
 * - `record`: the entry and its arguments do not say the same
 */
export const doubts = [
  'payload',
  'schema',
  'process',
  'policy',
  'labels',
  'origin',
  'history',
  'budget',
  'time',
  'record',
] as const
export type Doubt = (typeof doubts)[number]

/** Takes note of what a decision looked at. */
export class Doubts {
  #found: Doubt | undefined

  /** The first of the decision under way. */
  get found(): Doubt | undefined {
    return this.#found
  }

  add(doubt: Doubt): void {
    this.#found ??= doubt
  }

  clear(): void {
    this.#found = undefined
  }

  /** @returns a value that raises a doubt when somebody looks into it, and is as good as the one given otherwise */
  over(value: object, doubt: Doubt): Json {
    const noted = <T>(seen: T): T => {
      this.add(doubt)
      return seen
    }
    return new Proxy(value, {
      get: (target, key) => noted(Reflect.get(target, key)),
      has: (target, key) => noted(Reflect.has(target, key)),
      ownKeys: (target) => noted(Reflect.ownKeys(target)),
      getOwnPropertyDescriptor: (target, key) => noted(Reflect.getOwnPropertyDescriptor(target, key)),
    }) as Json
  }
}
