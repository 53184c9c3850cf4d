/** Text that comes in pieces, without secrets: what may be the beginning of one waits for what follows. */
import type { Redactor } from '../net/secrets/redactor.ts'

export class Withheld {
  readonly #redactor: () => Redactor | undefined
  #rest = ''

  /** @param redactor of what is known by then; undefined while that is nothing */
  constructor(redactor: () => Redactor | undefined) {
    this.#redactor = redactor
  }

  /** @returns as much of the text as cannot be a part of a secret, with what was held back before */
  take(text: string): string {
    const redactor = this.#redactor()
    if (redactor === undefined) return this.#rest + text
    const clean = redactor.text(this.#rest + text)
    const end = redactor.endOf(clean)
    this.#rest = clean.slice(end)
    return clean.slice(0, end)
  }

  /** @returns what is left at the end */
  flush(): string {
    const rest = this.#rest
    this.#rest = ''
    return rest
  }
}
