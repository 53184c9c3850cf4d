/** Takes secrets out of what a server sent, in every form in which it may have sent them back. */

import { placesBefore, type Steps, stretches, withoutEscapes } from './escapes.ts'
import { type Form, formsOf } from './forms.ts'
import { type Found, Matcher } from './matcher.ts'

export interface KnownValue {
  readonly name: string
  readonly value: string
}

/** How often escapes are undone: a text that was escaped, and escaped again within another. */
const levels = 2

export class Redactor {
  readonly #forms: readonly (Form & { readonly name: string })[]
  readonly #matcher: Matcher
  readonly #texts: readonly string[]
  readonly #longest: number
  /** Characters of the shortest form of any value. */
  readonly shortest: number

  constructor(values: readonly KnownValue[]) {
    this.#forms = values.flatMap(({ name, value }) => formsOf(value).map((form) => ({ ...form, name })))
    this.#matcher = new Matcher(this.#forms)
    this.#texts = this.#forms.map(({ bytes }) => Buffer.from(bytes).toString('utf8'))
    this.#longest = Math.max(...this.#texts.map(({ length }) => length))
    this.shortest = Math.min(...this.#forms.map(({ bytes }) => bytes.length))
  }

  /** @returns the text, with `[secret:NAME]` in place of each secret */
  text(text: string): string {
    const bytes = Buffer.from(text, 'utf8')
    const work = this.#clean(bytes)
    let result = work.next()
    while (!result.done) result = work.next()
    return result.value === bytes ? text : Buffer.from(result.value).toString('utf8')
  }

  /** @returns where a text ends but for what may be the beginning of a secret, which is not complete */
  endOf(text: string): number {
    for (let at = Math.max(0, text.length - this.#longest); at < text.length; at += 1) {
      const rest = text.slice(at)
      if (this.#texts.some((form) => form.startsWith(rest))) return at
    }
    return text.length
  }

  /**
   * The same for a body, with pauses in which the kernel does other things.
   * @returns the same bytes where they hold no secret
   */
  async body(bytes: Uint8Array): Promise<Uint8Array> {
    const work = this.#clean(bytes)
    for (;;) {
      const { done, value } = work.next()
      if (done) return value
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  *#clean(bytes: Uint8Array): Steps<Uint8Array> {
    const views = [bytes]
    const found: Found[] = []
    for (let view: Uint8Array | undefined = bytes; view !== undefined; ) {
      let places: readonly Found[] = yield* this.#find(view)
      for (const before of views.slice(0, -1).toReversed()) places = yield* placesBefore(before, places)
      found.push(...places)
      view = views.length > levels ? undefined : yield* withoutEscapes(view)
      if (view !== undefined) views.push(view)
    }
    return found.length === 0 ? bytes : this.#replace(bytes, found)
  }

  *#find(bytes: Uint8Array): Steps<readonly Found[]> {
    const found: Found[] = []
    if (bytes.length < this.shortest) return found
    let state = 0
    for (const [from, to] of stretches(bytes.length)) {
      state = this.#matcher.scan(bytes, from, to, state, found)
      yield
    }
    return found
  }

  #replace(bytes: Uint8Array, found: readonly Found[]): Uint8Array {
    const parts: Uint8Array[] = []
    let done = 0
    for (const { start, end, needle } of found.toSorted((a, b) => a.start - b.start)) {
      // What begins within the one before it is gone with it; its rest goes too.
      if (start >= done) parts.push(bytes.subarray(done, start), this.#markOf(needle))
      done = Math.max(done, end)
    }
    return Buffer.concat([...parts, bytes.subarray(done)])
  }

  #markOf(needle: number): Uint8Array {
    const form = this.#forms[needle]
    const mark = `[secret:${form?.name}]`
    return form?.wide === true ? Buffer.from(mark, 'utf16le').subarray(0, -1) : Buffer.from(mark)
  }
}
