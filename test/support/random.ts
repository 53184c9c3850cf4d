/** Chance from a seed (sfc32): the same seed gives the same run, on every machine. */
import { createHash } from 'node:crypto'

export class Random {
  readonly #words: Uint32Array
  readonly #seed: string

  constructor(seed: number | string) {
    this.#seed = String(seed)
    const digest = createHash('sha256').update(this.#seed).digest()
    this.#words = new Uint32Array([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)))
  }

  /** A stream of its own, so that one part may ask more often without changing the others. */
  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`)
  }

  /** @returns a whole number from 0 to 2^32 - 1 */
  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#words
    const sum = (a + b + d) >>> 0
    this.#words[0] = b ^ (b >>> 9)
    this.#words[1] = c + (c << 3)
    this.#words[2] = ((c << 21) | (c >>> 11)) + sum
    this.#words[3] = d + 1
    return sum
  }

  /** @returns a number from 0 up to, but not, 1 */
  unit(): number {
    return this.u32() / 2 ** 32
  }

  /** @returns a whole number, both ends included */
  between(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.between(0, items.length - 1)] as T
  }

  /** @param weights how often each comes up, in relation to the others */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries.at(-1) as [Name, number])[0]
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    for (let at = 0; at < count; at += 1) bytes[at] = this.u32() & 0xff
    return bytes
  }
}
