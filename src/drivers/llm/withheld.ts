/** Text that comes in pieces, without secrets: what may be the beginning of one waits for what follows. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Redactor } from '../net/secrets/redactor.ts'

const none = Buffer.alloc(0)

export class Withheld {
  readonly #redactor: () => Redactor | undefined
  #kept: Uint8Array = none

  /** @param redactor of what is known by then; undefined while that is nothing */
  constructor(redactor: () => Redactor | undefined) {
    this.#redactor = redactor
  }

  /**
   * @returns as much of the text as cannot be a part of a secret, with what was held back before
   * @throws SyscallError EIO where too much would be held back
   */
  async take(text: string): Promise<string> {
    const redactor = this.#redactor()
    if (redactor === undefined && this.#kept.length === 0) return text
    const bytes = Buffer.concat([this.#kept, Buffer.from(text)])
    if (redactor === undefined) return this.#rest(bytes)
    const { shown, kept } = await redactor.part(bytes)
    if (kept.length > limits.secretHeldBytes)
      throw new SyscallError(
        'EIO',
        `the reply goes on for ${kept.length} bytes with what may be a secret, and cannot be shown`,
      )
    this.#kept = Buffer.from(kept)
    return Buffer.from(shown).toString('utf8')
  }

  /** @returns what is left at the end */
  async flush(): Promise<string> {
    const redactor = this.#redactor()
    return this.#rest(redactor === undefined ? this.#kept : await redactor.body(this.#kept))
  }

  #rest(bytes: Uint8Array): string {
    this.#kept = none
    return Buffer.from(bytes).toString('utf8')
  }
}
