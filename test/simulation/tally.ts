/** What a simulation did, in figures, and its last steps in words. */
import { createHash } from 'node:crypto'

const wordsKept = 60

export class Tally {
  steps = 0
  readonly faults = new Map<string, number>()
  readonly #hash = createHash('sha256')
  readonly #words: string[] = []
  readonly #print: boolean

  /** @param print whether each step is printed as it happens */
  constructor(print = false) {
    this.#print = print
  }

  /** Something happened; the order of it all is what a seed has to repeat. */
  saw(what: string): void {
    this.#hash.update(`${what}\n`)
    this.#words.push(`${this.steps}: ${what}`)
    if (this.#words.length > wordsKept) this.#words.shift()
    if (this.#print) console.log(`${this.steps}: ${what}`)
  }

  fault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1)
    this.saw(`fault: ${name}`)
  }

  /** @returns a fingerprint of everything that was seen, in its order */
  fingerprint(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  lately(): readonly string[] {
    return [...this.#words]
  }
}
