/** Salts of payloads: 16 bytes, always fresh, never from a seed, or a deleted payload could be guessed. */
import { randomBytes } from 'node:crypto'

export class Salts {
  #pool = Buffer.alloc(0)

  next(): Buffer {
    if (this.#pool.length === 0) this.#pool = randomBytes(256 * 16)
    const salt = this.#pool.subarray(0, 16)
    this.#pool = this.#pool.subarray(16)
    return salt
  }
}
