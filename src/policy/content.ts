/** All the text that a value holds, as one: every string, key and number in it, for detectors to look through. */
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { Scan } from './detect/find.ts'
import type { DataKind } from './detect/kinds.ts'

/** Why something cannot be looked through, as a clause. Whoever looks has to take it as the worst case. */
export class Unscannable extends Error {}

/** What one call holds, looked through when the first rule asks, and for each kind of data once. */
export class Content {
  readonly #read: () => string
  #scan: Scan | string | undefined
  /** What is held, where it is given as it is: for those who show what they asked. */
  readonly sample: Json | undefined

  /** @param read gives the text; may throw Unscannable */
  constructor(read: () => string, sample?: Json) {
    this.#read = read
    this.sample = sample
  }

  /** @param value what is held, as it is */
  static of(value: Json): Content {
    return new Content(() => textOf(value), value)
  }

  /** @returns whether it holds data of any of the kinds; why that cannot be said, as a clause */
  holds(kinds: readonly DataKind[]): boolean | string {
    this.#scan ??= this.#begin()
    const scan = this.#scan
    return typeof scan === 'string' ? scan : kinds.some((kind) => scan.find(kind).length > 0)
  }

  #begin(): Scan | string {
    try {
      return new Scan(this.#read())
    } catch (error) {
      if (error instanceof Unscannable) return error.message
      throw error
    }
  }
}

/**
 * @returns all texts of a value, in order; the text of a key ends with a colon, as people write what a value is
 * @throws Unscannable for more than one look can take, and for text with NUL, behind which other encodings hide
 */
export function textOf(value: Json): string {
  const parts = partsOf(value)
  return parts.map(({ text, end }) => text + end).join('')
}

/** One text of a value, and what stands between it and the next. */
export interface Part {
  readonly text: string
  readonly end: ':' | '\n'
}

/** @throws Unscannable as textOf does */
export function partsOf(value: Json): readonly Part[] {
  const parts: Part[] = []
  let length = 0
  walk(value, (text, end) => {
    length += text.length + 1
    if (length > limits.scanMax)
      throw new Unscannable(
        `it has more than ${limits.scanMax} characters, of which a search for data takes no more at once`,
      )
    if (text.includes('\0')) throw new Unscannable('it holds NUL, which no text does')
    parts.push({ text, end })
  })
  return parts
}

/** Whole numbers with fewer digits than this are nothing that a detector looks for. */
const numberMin = 1e6

/** Calls back for each text, in an order that `replaceParts` repeats. */
function walk(value: Json, visit: (text: string, end: Part['end']) => void): void {
  if (typeof value === 'string') visit(value, '\n')
  else if (isLongNumber(value)) visit(String(value), '\n')
  else if (isList(value)) for (const item of value) walk(item, visit)
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) {
      visit(key, ':')
      walk(item, visit)
    }
}

/**
 * @param next gives the text in place of each part, in order
 * @returns the value with them; a number whose text is another becomes text, and keys that became the same are numbered
 */
export function replaceParts(value: Json, next: () => string): Json {
  if (typeof value === 'string') return next()
  if (isLongNumber(value)) {
    const text = next()
    return text === String(value) ? value : text
  }
  if (isList(value)) return value.map((item) => replaceParts(item, next))
  if (typeof value !== 'object' || value === null) return value
  const made = new Map<string, Json>()
  for (const item of Object.values(value)) {
    const key = next()
    let free = key
    for (let count = 2; made.has(free); count += 1) free = `${key} ${count}`
    made.set(free, replaceParts(item, next))
  }
  return Object.fromEntries(made)
}

const isLongNumber = (value: Json): value is number =>
  typeof value === 'number' && Number.isInteger(value) && Math.abs(value) >= numberMin

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)
