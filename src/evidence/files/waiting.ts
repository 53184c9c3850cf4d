/** Lines that wait to be written, as the bytes that will be: each is encoded once, into memory that is used again. */
import { limits } from '../../limits.ts'

/** A UTF-16 unit is at most so many bytes of UTF-8; a pair of surrogates is four. */
const bytesPerUnit = 3
const newline = 10

export class WaitingLines {
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /** @param line without its newline */
  add(line: string): void {
    const most = this.#length + line.length * bytesPerUnit + 1
    if (most > this.#bytes.length) this.#grow(most)
    this.#length += this.#bytes.write(line, this.#length)
    this.#bytes[this.#length] = newline
    this.#length += 1
  }

  /** @returns all of them, until the next one is added; nothing waits any more */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    // What one large text has taken is given back.
    if (this.#bytes.length > limits.evidenceWaitingBytes) this.#bytes = Buffer.alloc(0)
    return taken
  }

  #grow(most: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(most, this.#bytes.length * 2))
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }
}
