/** What a guest reads from a stream piece by piece, put together for the question where a value has been seen: no value hides behind a border. */
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import type { OpenStream } from '../syscalls/row.ts'

/** The end of what was read of a text, which what follows may go on with. */
interface Tail {
  text: string
  /** Whether it begins within a word, of which the beginning is not there any more. */
  isTorn: boolean
}

export class Pieces {
  readonly #tails = new WeakMap<OpenStream, Tail>()

  /**
   * @param reply what one read gave
   * @param isUntrusted whether anybody may have written it: then every part of it counts at once. What is trusted counts
   *   when its words are whole: whoever reads could cut any value out of a longer one.
   * @returns what was seen by it; undefined where that is nothing
   */
  seen(stream: OpenStream, reply: Json, isUntrusted: boolean): Json | undefined {
    if (typeof reply !== 'object' || reply === null) return undefined
    // A model's words come as values, and go on from one to the next as any text does.
    const words = 'value' in reply ? wordsOf(reply.value) : undefined
    if ('value' in reply && words === undefined) return reply.value
    const tail = this.#tails.get(stream) ?? { text: '', isTorn: false }
    this.#tails.set(stream, tail)
    const joined = tail.text + (words ?? textOf(reply as Readonly<Record<string, Json>>))
    const end =
      words !== undefined || 'text' in reply || 'base64' in reply
        ? isUntrusted
          ? joined.length
          : lastBlank(joined)
        : joined.length
    const begin = tail.isTorn && !isUntrusted ? firstBlank(joined) : 0
    keep(tail, joined)
    return begin < end ? joined.slice(begin, end) : undefined
  }
}

function wordsOf(value: Json | undefined): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, text } = value as Readonly<Record<string, Json>>
  return type === 'text' && typeof text === 'string' ? text : undefined
}

function textOf({ text, base64 }: Readonly<Record<string, Json>>): string {
  if (typeof text === 'string') return text
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('utf8') : ''
}

/** As much as a value may be long, and whole words where there are any. */
function keep(tail: Tail, joined: string): void {
  const from = joined.length - limits.streamTailMax
  if (from <= 0) {
    tail.text = joined
    return
  }
  const cut = joined.slice(from)
  const blank = firstBlank(cut)
  tail.isTorn = blank === cut.length
  tail.text = tail.isTorn ? cut : cut.slice(blank)
}

/** @returns where the first white space is; the length where there is none */
function firstBlank(text: string): number {
  const at = text.search(/\s/)
  return at < 0 ? text.length : at
}

/** @returns where the text behind the last white space begins */
function lastBlank(text: string): number {
  for (let at = text.length; at > 0; at -= 1) if (/\s/.test(text[at - 1] ?? '')) return at
  return 0
}
