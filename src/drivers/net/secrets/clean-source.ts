/** A streamed answer without secrets: what may be the beginning of one is kept back until it is known what it is. */
import { SyscallError } from '../../../errors.ts'
import { type Labels, noLabels } from '../../../labels.ts'
import { limits } from '../../../limits.ts'
import type { Piece, Source } from '../../streams/source.ts'
import type { Redactor } from './redactor.ts'

export class CleanSource implements Source {
  readonly #source: Source
  readonly #redactor: Redactor
  #kept: Uint8Array = new Uint8Array()
  /** Not looked through again until it is so long. */
  #worthwhile = 0
  #isAtEnd = false

  /** @param source gives bytes, unpacked */
  constructor(source: Source, redactor: Redactor) {
    this.#source = source
    this.#redactor = redactor
  }

  async next(): Promise<Piece | undefined> {
    while (!this.#isAtEnd) {
      const piece = await this.#source.next()
      if (piece === undefined) this.#isAtEnd = true
      else if ('bytes' in piece) this.#kept = Buffer.concat([this.#kept, piece.bytes])
      if (this.#kept.length === 0 || (!this.#isAtEnd && this.#kept.length < this.#worthwhile)) continue
      const bytes = await this.#shown()
      if (bytes.length > 0) return { bytes }
    }
    return undefined
  }

  close(labels: Labels = noLabels): void {
    this.#source.close(labels)
  }

  async #shown(): Promise<Uint8Array> {
    if (this.#isAtEnd) return this.#redactor.body(this.#kept)
    const { shown, kept } = await this.#redactor.part(this.#kept)
    if (kept.length > limits.secretHeldBytes) {
      this.close()
      throw new SyscallError(
        'EIO',
        `the answer goes on for ${kept.length} bytes with what may be a secret, and cannot be shown`,
      )
    }
    this.#kept = Buffer.from(kept)
    // Who sends byte by byte cannot have it all looked through for each.
    this.#worthwhile = shown.length === 0 ? kept.length + kept.length / 4 : 0
    return shown
  }
}
