/** Takes secrets out of what a server sent, in every form in which it may have sent them back. */

import {
  placesBefore,
  type Steps,
  stretches,
  unfinishedEscape,
  wholeEscapes,
  withoutEscapes,
} from './escapes.ts'
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
  /** Characters of the shortest form of any value. */
  readonly shortest: number

  constructor(values: readonly KnownValue[]) {
    this.#forms = values.flatMap(({ name, value }) => formsOf(value).map((form) => ({ ...form, name })))
    this.#matcher = new Matcher(this.#forms)
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

  /**
   * The same for the next part of a body that comes in pieces, with pauses.
   * @param bytes what was kept back, and what has come since
   * @returns what can be shown, and what is kept back: it may be the beginning of a secret
   */
  async part(bytes: Uint8Array): Promise<{ readonly shown: Uint8Array; readonly kept: Uint8Array }> {
    return inTurns(this.#part(bytes))
  }

  /**
   * The same for a body, with pauses in which the kernel does other things.
   * @returns the same bytes where they hold no secret
   */
  async body(bytes: Uint8Array): Promise<Uint8Array> {
    return inTurns(this.#clean(bytes))
  }

  *#clean(bytes: Uint8Array): Steps<Uint8Array> {
    const views = [bytes]
    const found: Found[] = []
    for (let view: Uint8Array | undefined = bytes; view !== undefined; ) {
      const { places } = yield* this.#find(view)
      found.push(...(yield* inFirst(views, places)))
      view = views.length > levels ? undefined : yield* withoutEscapes(view)
      if (view !== undefined) views.push(view)
    }
    return found.length === 0 ? bytes : this.#replace(bytes, found)
  }

  /** As `#clean`, but what stands at the end of a view may go on: as a secret, or as an escape, which is then not read. */
  *#part(bytes: Uint8Array): Steps<{ shown: Uint8Array; kept: Uint8Array }> {
    const views = [bytes]
    const found: Found[] = []
    let cut = isBase64(bytes.at(-1)) ? bytes.length - 1 : bytes.length
    for (const view of views) {
      const { places, open } = yield* this.#find(view)
      found.push(...(yield* inFirst(views, places)))
      const isLast = views.length > levels
      const whole = isLast ? view.length : yield* unfinishedEscape(view)
      cut = Math.min(cut, yield* placeInFirst(views, Math.min(open, whole)))
      const read = view.subarray(0, whole)
      if (!isLast) views.push((yield* withoutEscapes(read)) ?? read)
    }
    for (let before = bytes.length + 1; cut < before; ) {
      before = cut
      cut = yield* wholeBefore(views, cut)
      for (const { start, end } of found) if (start < cut && cut < end) cut = start
    }
    const done = found.filter(({ end }) => end <= cut)
    const shown = bytes.subarray(0, cut)
    return { shown: done.length === 0 ? shown : this.#replace(shown, done), kept: bytes.subarray(cut) }
  }

  /** @returns what is found, and from where on what stands at the end may go on as a secret */
  *#find(bytes: Uint8Array): Steps<{ readonly places: readonly Found[]; readonly open: number }> {
    const places: Found[] = []
    let state = 0
    for (const [from, to] of stretches(bytes.length)) {
      state = this.#matcher.scan(bytes, from, to, state, places)
      yield
    }
    const begun = bytes.length - this.#matcher.depthOf(state)
    // The character before has bits of it, too.
    return { places, open: begun < bytes.length && isBase64(bytes[begun - 1]) ? begun - 1 : begun }
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

/** @returns where what was found in the last view stands in the first */
function* inFirst(views: readonly Uint8Array[], found: readonly Found[]): Steps<readonly Found[]> {
  let places = found
  for (const view of views.slice(0, -1).toReversed()) places = yield* placesBefore(view, places)
  return places
}

/** @returns where a place of the last view stands in the first; its end for one behind the end */
function* placeInFirst(views: readonly Uint8Array[], place: number): Steps<number> {
  if (place >= (views.at(-1)?.length ?? 0)) return views[0]?.length ?? 0
  const [found] = yield* inFirst(views, [{ start: place, end: place + 1, needle: 0 }])
  return found?.start ?? 0
}

/** @returns the last place up to `max` where no escape is parted, of no level */
function* wholeBefore(views: readonly Uint8Array[], max: number): Steps<number> {
  const [first = new Uint8Array(), second] = views
  const { at, before } = yield* wholeEscapes(first, max)
  if (second === undefined) return at
  const whole = yield* wholeEscapes(second, before)
  return whole.at === before ? at : yield* placeInFirst(views.slice(0, 2), whole.at)
}

const isBase64 = (byte = 0): boolean => /^[A-Za-z0-9+/_-]$/.test(String.fromCharCode(byte))

async function inTurns<T>(work: Steps<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    await new Promise((resolve) => setImmediate(resolve))
  }
}
