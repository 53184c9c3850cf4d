/** A text as it is, and as it would be read: without escapes, and with what stands in it as base64 unpacked. One level of each. */
import { fold } from './fold.ts'

/** A text that was made from another, and where each of its units comes from. */
export interface View {
  readonly text: string
  /** @returns the place in the original where the unit at `at` begins, or with `end` where the one before it ends */
  readonly origin: (at: number, end?: boolean) => number
}

/** @returns the text folded first; then, where there are any, its unescaped form and the unpacked runs of both */
export function viewsOf(text: string): readonly View[] {
  const plain: View = { text: fold(text), origin: (at) => at }
  const open = unescaped(plain)
  const readings = open === undefined ? [plain] : [plain, open]
  return readings.flatMap((view) => {
    const packed = unpacked(view)
    return packed === undefined ? [view] : [view, packed]
  })
}

/** Percent-encoding, and the escapes of JSON, JavaScript and HTML. */
const escapes =
  /%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]{1,5});|&#(\d{1,6});|&(amp|commat|period|nbsp|hyphen);/gi
const named: Readonly<Record<string, string>> = { amp: '&', commat: '@', period: '.', nbsp: ' ', hyphen: '-' }

function unescaped({ text }: View): View | undefined {
  const made: number[] = []
  const taken: number[] = []
  const parts: string[] = []
  let length = 0
  let from = 0
  for (const { 0: whole, 1: hex, 2: u, 3: x, 4: entity, 5: decimal, 6: name, index } of text.matchAll(
    escapes,
  )) {
    const code = decimal === undefined ? Number.parseInt(hex ?? u ?? x ?? entity ?? '', 16) : Number(decimal)
    const unit = name === undefined ? unitOf(code) : (named[name.toLowerCase()] ?? ' ')
    parts.push(text.slice(from, index), unit)
    length += index - from + 1
    from = index + whole.length
    made.push(length)
    taken.push(from)
  }
  if (parts.length === 0) return undefined
  parts.push(text.slice(from))
  return { text: fold(parts.join('')), origin: originBy(made, taken) }
}

const lastUnit = '\uffff'.charCodeAt(0)

/** One unit for each escape: what lies beyond the first plane is of no interest. */
const unitOf = (code: number): string => (code > 0 && code <= lastUnit ? String.fromCharCode(code) : ' ')

/**
 * @param made places after each escape in what was made, ascending
 * @param taken the same places in the original
 */
const originBy =
  (made: readonly number[], taken: readonly number[]) =>
  (at: number): number => {
    const index = lastAtMost(made, at)
    if (index < 0) return at
    return (taken[index] ?? 0) + at - (made[index] ?? 0)
  }

/** @returns the index of the last entry of an ascending list that is at most `value`; -1 where none is */
function lastAtMost(list: readonly number[], value: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Shorter runs hold nothing that is looked for. */
const runMin = 12
const isPacked = new Uint8Array(128)
for (const unit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_')
  isPacked[unit.charCodeAt(0)] = 1

/** Calls back for each run of the alphabet of base64; by hand, since a pattern keeps its place in a run of any length on a stack. */
function eachRun(text: string, visit: (start: number, end: number) => void): void {
  let start = 0
  for (let index = 0; index <= text.length; index += 1) {
    if (index < text.length && isPacked[text.charCodeAt(index)] === 1) continue
    if (index - start >= runMin) visit(start, index)
    start = index + 1
  }
}

/**
 * Wherever a run of the alphabet begins, what stands before the packed text may belong to it,
 * as the path before a parameter does: so each is unpacked from each of its first four units.
 */
function unpacked(view: View): View | undefined {
  const parts: string[] = []
  const begins: number[] = []
  const sources: number[] = []
  let length = 0
  eachRun(view.text, (start, end) => {
    const whole = view.text.slice(start, end)
    if (isWord(whole)) return
    const standard = whole.replaceAll('-', '+').replaceAll('_', '/')
    for (let skip = 0; skip < 4; skip += 1) {
      const usable = standard.length - skip
      const text = fromBase64(standard.slice(skip, skip + usable - (usable % 4 === 1 ? 1 : 0)))
      begins.push(length)
      sources.push(start + skip)
      parts.push(text)
      length += text.length + 1
    }
  })
  if (parts.length === 0) return undefined
  const origin = (at: number, end = false): number => {
    const index = Math.max(0, lastAtMost(begins, at))
    const units = ((at - (begins[index] ?? 0)) * 4) / 3
    return view.origin((sources[index] ?? 0) + (end ? Math.ceil(units) : Math.floor(units)), end)
  }
  return { text: parts.join('\n'), origin }
}

/** Base64 of a text has letters of both cases or digits within its first units; a word or a number has not. */
const isWord = (text: string): boolean =>
  text.length <= wordMax && /^(?:[a-z]+|[A-Z]+|\d+|[A-Z]?[a-z]+(?:[_/-][a-z]+)*)$/.test(text)

const wordMax = 64

/** Unit by unit a byte: what is looked for is ASCII. */
function fromBase64(text: string): string {
  try {
    return atob(text)
  } catch {
    return ''
  }
}
