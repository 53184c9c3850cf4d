/** How many payloads that entries name are not kept any more, and for how many of them the record says why. */
import type { Entry } from './entry.ts'
import { payloadHashesOf } from './payload-hashes.ts'
import { readPayload } from './verify.ts'

export interface Missing {
  /** Payloads that entries name and no pack has. */
  readonly gone: number
  /** As many were deleted according to entries of the kind `redact`. */
  readonly recorded: number
}

/** Counts them; it takes 8 bytes for each payload that is kept, and for each that is gone. */
export class MissingPayloads {
  readonly #kept = new Numbers()
  readonly #gone = new Numbers()
  #recorded = 0

  /** @param packs every line of the payloads; what is none counts for nothing */
  constructor(packs: Iterable<string>) {
    for (const line of packs) {
      const hash = readPayload(line)?.hash
      if (hash !== undefined) this.#kept.add(numberOf(hash))
    }
    this.#kept.sort()
  }

  /** Takes the next entry of the record. */
  entry(entry: Entry): void {
    if (entry.kind === 'redact') this.#recorded += Number(entry.payloads)
    for (const hash of payloadHashesOf(entry)) {
      const number = numberOf(hash)
      if (!this.#kept.has(number)) this.#gone.add(number)
    }
  }

  result(): Missing {
    this.#gone.sort()
    return { gone: this.#gone.distinct, recorded: this.#recorded }
  }
}

/** 48 bits of a hash: among ten million payloads one in three times two are taken for one. */
const numberOf = (hash: string): number => Number.parseInt(hash.slice(0, 12), 16)

class Numbers {
  #values = new Float64Array(512)
  #length = 0

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const values = new Float64Array(this.#length * 2)
      values.set(this.#values)
      this.#values = values
    }
    this.#values[this.#length] = value
    this.#length += 1
  }

  sort(): void {
    this.#values.subarray(0, this.#length).sort()
  }

  /** Whether it is there, once they are sorted. */
  has(value: number): boolean {
    let [low, high] = [0, this.#length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#values[middle] ?? 0) < value) low = middle + 1
      else high = middle
    }
    return low < this.#length && this.#values[low] === value
  }

  /** How many different ones there are, once they are sorted. */
  get distinct(): number {
    let count = 0
    for (let nth = 0; nth < this.#length; nth += 1)
      if (nth === 0 || this.#values[nth] !== this.#values[nth - 1]) count += 1
    return count
  }
}
