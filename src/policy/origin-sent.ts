/** What the agents of one run have sent themselves, in the order in which they did. Nothing leaves it. */
import { limits } from '../limits.ts'
import type { Pay } from './origin-page.ts'
import type { Room } from './room.ts'

export class SentTexts {
  readonly #room: Room
  /** Each text once, as it is in `#text` too. */
  readonly #known = new Set<string>()
  #text = ''
  #isFull = false

  constructor(room: Room) {
    this.#room = room
  }

  /** In UTF-16 units: how much had been sent at some time. */
  get length(): number {
    return this.#text.length
  }

  /** Whether something was sent that is not kept. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** @param text normal */
  add(text: string): void {
    if (this.#isFull || this.#known.has(text)) return
    const units = text.length + 1
    if (this.#text.length + units > limits.originSentMax || !this.#room.take(units)) return this.overflow()
    this.#known.add(text)
    this.#text += `${text}\n`
  }

  overflow(): void {
    this.#isFull = true
  }

  /**
   * Whether every token had been sent, also within a longer word: what a tool takes out of one counts as sent.
   * @param before how much had been sent then
   */
  has(tokens: readonly string[], before: number, pay: Pay): boolean {
    return tokens.every((token) => {
      const part = token.slice(-compared)
      pay((before * part.length) / unitsPerStep)
      const at = this.#text.indexOf(part)
      return at >= 0 && at + part.length <= before
    })
  }

  clear(): void {
    this.#room.give(this.#text.length)
    this.#known.clear()
    this.#text = ''
    this.#isFull = true
  }
}

/** Looking for a text may compare all of it at every place, so only the end of a long one is looked for. */
const compared = 64
/** Units that are compared in about one step of an evaluation. */
const unitsPerStep = 0x400
