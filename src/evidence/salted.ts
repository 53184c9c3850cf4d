/** Fresh salts, and what is hashed with them: SHA-256(salt ‖ bytes of the text). */
import { hash, randomBytes } from 'node:crypto'
import { payloadHash } from './verify.ts'

const saltBytes = 16
const salts = 256
/** A UTF-16 unit is at most so many bytes of UTF-8. */
const bytesPerUnit = 3

/** A salt and the text behind it, to be hashed in one piece; nothing stays in use when that is done. */
const both = Buffer.allocUnsafeSlow(64 * 1_024)

export interface Salted {
  /** As hex. */
  readonly salt: string
  readonly hash: string
  /** Of the text, as UTF-8. */
  readonly bytes: number
}

/** Salts are always fresh, never from a seed, or a deleted payload could be guessed. */
export class Salting {
  #pool = Buffer.alloc(0)
  #used = 0

  /** @param text well-formed */
  of(text: string): Salted {
    if (this.#used === this.#pool.length) [this.#pool, this.#used] = [randomBytes(salts * saltBytes), 0]
    const [from, to] = [this.#used, this.#used + saltBytes]
    this.#used = to
    const salt = this.#pool.toString('hex', from, to)
    if (saltBytes + text.length * bytesPerUnit > both.length)
      return { salt, hash: payloadHash(this.#pool.subarray(from, to), text), bytes: Buffer.byteLength(text) }
    this.#pool.copy(both, 0, from, to)
    const bytes = both.write(text, saltBytes)
    return { salt, hash: hash('sha256', both.subarray(0, saltBytes + bytes)), bytes }
  }
}
