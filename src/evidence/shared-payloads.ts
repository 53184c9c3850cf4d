/** Texts that many entries name, such as programs and policies: each is kept once beside the log. */
import { limits } from '../limits.ts'
import type { PayloadRef } from './entry.ts'
import type { EvidenceLog } from './log.ts'

export class SharedPayloads {
  readonly #log: EvidenceLog
  readonly #refs = new Map<string, PayloadRef>()

  constructor(log: EvidenceLog) {
    this.#log = log
  }

  /**
   * @returns what an entry says about the text; that of the last time, where it is known still
   * @throws EvidenceError EIO or ENOSPC once the log has failed
   */
  of(text: string): PayloadRef {
    const known = this.#refs.get(text)
    if (known !== undefined) return known
    const ref = this.#log.payload(text)
    if (this.#refs.size >= limits.programsKeptMax) this.#refs.clear()
    this.#refs.set(text, ref)
    return ref
  }

  /** Every text is kept anew from here on: what is there of it may be removed. */
  forget(): void {
    this.#refs.clear()
  }
}
