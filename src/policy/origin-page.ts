/** Texts that came in, one after another, and an index of their tokens: whether a value stands in them is seen without reading them. */
import { Numbers } from './numbers.ts'
import { eachAlias, eachToken } from './origin-tokens.ts'

/** Pays for steps of an evaluation; throws when there are none left. */
export type Pay = (steps: number) => void

export class Page {
  #text = ''
  /** By text: where it begins, and its mark. */
  readonly #begins = new Numbers()
  readonly #marks = new Numbers()
  /** By form of a token: its hash, its place in the text, its token, and one more than the next form in its slot. */
  readonly #hashes = new Numbers()
  readonly #starts = new Numbers()
  readonly #ends = new Numbers()
  readonly #tokens = new Numbers()
  readonly #next = new Numbers()
  /** By token: its first form. A token without a form parts one text from the next. */
  readonly #forms = new Numbers()
  /** By slot, into which hashes fall: one more than its first and its last form. */
  #heads = new Int32Array(slotsMin)
  #tails = new Int32Array(slotsMin)

  /** In UTF-16 units. */
  get length(): number {
    return this.#text.length
  }

  /**
   * @param text normal; no value is found that begins in one text and ends in another
   * @param mark what `find` gives for a value that stands in this text
   */
  add(text: string, mark: number): void {
    const offset = this.#text.length
    this.#begins.push(offset)
    this.#marks.push(mark)
    eachToken(text, (start, end) => {
      const token = this.#forms.push(this.#starts.length)
      const take = (from: number, to: number): void =>
        this.#take(hashOf(text, from, to), token, offset + from, offset + to)
      take(start, end)
      eachAlias(text, start, end, take)
    })
    this.#forms.push(this.#starts.length)
    this.#text += `${text}\n`
  }

  /**
   * @param value tokens, at least one
   * @returns the mark of the first text in which they stand one after another; undefined where there is none
   */
  find(value: readonly string[], pay: Pay): number | undefined {
    const anchor = longestOf(value)
    const token = value[anchor] ?? ''
    const hash = hashOf(token, 0, token.length)
    let form = (this.#heads[slotOf(hash, this.#heads)] ?? 0) - 1
    for (; form >= 0; form = this.#next.at(form) - 1) {
      pay(formSteps)
      if (this.#hashes.at(form) !== hash || !this.#is(form, token)) continue
      pay(token.length * unitSteps)
      if (this.#surrounds(this.#tokens.at(form) - anchor, anchor, value, pay))
        return this.#marks.at(this.#textAt(this.#starts.at(form)))
    }
    return undefined
  }

  #is(form: number, token: string): boolean {
    const start = this.#starts.at(form)
    return this.#ends.at(form) - start === token.length && this.#text.startsWith(token, start)
  }

  /** Whether the tokens from `first` on are the value's, that of the anchor apart. */
  #surrounds(first: number, anchor: number, value: readonly string[], pay: Pay): boolean {
    if (first < 0) return false
    for (let index = 0; index < value.length; index += 1) {
      if (index === anchor) continue
      const token = value[index] ?? ''
      pay(formSteps + token.length * unitSteps)
      if (!this.#hasForm(first + index, token)) return false
    }
    return true
  }

  #hasForm(token: number, text: string): boolean {
    const from = this.#forms.at(token)
    const after = token + 1 < this.#forms.length ? this.#forms.at(token + 1) : this.#starts.length
    for (let form = from; form >= 0 && form < after; form += 1) if (this.#is(form, text)) return true
    return false
  }

  /** @returns the number of the text in which a place lies */
  #textAt(place: number): number {
    let low = 0
    let high = this.#begins.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#begins.at(middle) <= place) low = middle
      else high = middle - 1
    }
    return low
  }

  #take(hash: number, token: number, start: number, end: number): void {
    if (this.#starts.length >= this.#heads.length) this.#grow()
    const form = this.#starts.push(start)
    this.#ends.push(end)
    this.#tokens.push(token)
    this.#hashes.push(hash)
    this.#next.push(0)
    this.#link(form, hash)
  }

  #link(form: number, hash: number): void {
    const slot = slotOf(hash, this.#heads)
    const tail = this.#tails[slot] ?? 0
    if (tail === 0) this.#heads[slot] = form + 1
    else this.#next.set(tail - 1, form + 1)
    this.#tails[slot] = form + 1
  }

  /** With more slots, each form is linked anew, the earliest first. */
  #grow(): void {
    const slots = this.#heads.length * 2
    this.#heads = new Int32Array(slots)
    this.#tails = new Int32Array(slots)
    for (let form = 0; form < this.#starts.length; form += 1) {
      this.#next.set(form, 0)
      this.#link(form, this.#hashes.at(form))
    }
  }
}

/** Slots to begin with; a power of two, as every number of slots. */
const slotsMin = 64
/** Looking at one form, and at one UTF-16 unit, in steps of an evaluation, each some 100 ns. */
const formSteps = 0.25
const unitSteps = 1 / 64

/** Who makes many tokens of one hash only makes looking at them cost more, and that is paid for. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

const slotOf = (hash: number, slots: Int32Array): number => (hash ^ (hash >>> 15)) & (slots.length - 1)

/** The longest token is the rarest, mostly. */
function longestOf(tokens: readonly string[]): number {
  let longest = 0
  for (let index = 1; index < tokens.length; index += 1)
    if ((tokens[index] ?? '').length > (tokens[longest] ?? '').length) longest = index
  return longest
}
