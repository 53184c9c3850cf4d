/** A text with its escapes undone: percent, JSON and HTML at once, and without line breaks, which wrap base64. */
import type { Found } from './matcher.ts'

/** Work in steps, so that whoever drives it can let others have a turn. */
export type Steps<T> = Generator<undefined, T>

/** How many bytes one step looks at. */
export const step = 256 * 1024

/** What an escape means is a byte, or nothing. */
const nothing = 256
const unknown = 0

/** How many bytes it takes, and what they mean. */
const read = (length: number, meaning: number): number => length * 512 + meaning

const special = new Uint8Array(256)
for (const character of '%\\&\r\n') special[character.charCodeAt(0)] = 1

/** @returns the text with its escapes undone, or undefined where it has none */
export function* withoutEscapes(bytes: Uint8Array): Steps<Uint8Array | undefined> {
  const out = new Uint8Array(bytes.length)
  let length = 0
  let at = 0
  while (at < bytes.length) {
    const stop = Math.min(at + step, bytes.length)
    while (at < stop) {
      const byte = bytes[at] ?? 0
      const meant = special[byte] === 0 ? read(1, byte) : readAt(bytes, at)
      at += meant >> 9
      if ((meant & 511) === nothing) continue
      out[length] = meant & 511
      length += 1
    }
    yield
  }
  return length === bytes.length ? undefined : out.subarray(0, length)
}

/**
 * @param found in the text with its escapes undone; in order, and apart from each other
 * @returns where the same stands in `bytes`
 */
export function* placesBefore(bytes: Uint8Array, found: readonly Found[]): Steps<readonly Found[]> {
  const places: Found[] = []
  let seen = 0
  let at = 0
  let start = 0
  while (places.length < found.length && at < bytes.length) {
    const stop = Math.min(at + step, bytes.length)
    while (at < stop) {
      const meant = readAt(bytes, at)
      const next = at + (meant >> 9)
      if ((meant & 511) !== nothing) {
        const looked = found[places.length]
        if (seen === looked?.start) start = at
        seen += 1
        if (seen === looked?.end) places.push({ ...looked, start, end: next })
      }
      at = next
    }
    yield
  }
  return places
}

/** The longest escape has one byte less: whether it is one is known when so many bytes are there. */
const lookAhead = 12

/** @returns where the first escape may begin that is not complete; the length where there is none */
export function* unfinishedEscape(bytes: Uint8Array): Steps<number> {
  let at = 0
  while (at < bytes.length) {
    const stop = Math.min(at + step, bytes.length)
    while (at < stop) {
      const isEscape = bytes[at] === 0x25 || bytes[at] === 0x5c || bytes[at] === 0x26
      if (isEscape && at > bytes.length - lookAhead) return at
      at += readAt(bytes, at) >> 9
    }
    yield
  }
  return bytes.length
}

/**
 * The last place up to which a text can be cut without parting an escape.
 * @param max no later than this
 * @returns that place, and how many bytes stand before it when escapes are undone
 */
export function* wholeEscapes(
  bytes: Uint8Array,
  max: number,
): Steps<{ readonly at: number; readonly before: number }> {
  let at = 0
  let before = 0
  while (at < max) {
    const stop = Math.min(at + step, max)
    while (at < stop) {
      const meant = readAt(bytes, at)
      if (at + (meant >> 9) > max) return { at, before }
      at += meant >> 9
      if ((meant & 511) !== nothing) before += 1
    }
    yield
  }
  return { at, before }
}

/** Every stretch of a text in turn. */
export function* stretches(length: number): Generator<readonly [from: number, to: number]> {
  for (let from = 0; from < length; from += step) yield [from, Math.min(from + step, length)]
}

function readAt(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case 0x25: // %
      return hexEscape(bytes, at, 1, 2)
    case 0x5c: // backslash
      return backslashEscape(bytes, at)
    case 0x26: // &
      return characterReference(bytes, at)
    case 0x0a:
    case 0x0d:
      return read(1, nothing)
    default:
      return read(1, bytes[at] ?? 0)
  }
}

/** @param skipped how many characters stand before the digits */
function hexEscape(bytes: Uint8Array, at: number, skipped: number, digits: number): number {
  let value = 0
  for (let index = 0; index < digits; index += 1) {
    const digit = hexDigit(bytes[at + skipped + index])
    if (digit < 0) return read(1, bytes[at] ?? 0)
    value = value * 16 + digit
  }
  return read(skipped + digits, value < nothing ? value : unknown)
}

/** RFC 8259, section 7, and what JavaScript and Python write besides. */
function backslashEscape(bytes: Uint8Array, at: number): number {
  const next = bytes[at + 1] ?? 0
  switch (String.fromCharCode(next)) {
    case 'u':
      return hexEscape(bytes, at, 2, 4)
    case 'x':
      return hexEscape(bytes, at, 2, 2)
    case 'n':
    case 'r':
      return read(2, nothing)
    case '\\':
    case '/':
    case '"':
    case "'":
      return read(2, next)
    default:
      return read(1, bytes[at] ?? 0)
  }
}

/** The references that escaping writes; a name of the HTML Standard that stands for what a text may hold as it is is left. */
const named = [
  ['amp;', '&'],
  ['quot;', '"'],
  ['apos;', "'"],
  ['lt;', '<'],
  ['gt;', '>'],
].map(([name = '', meant = '']) => [Buffer.from(name), meant.charCodeAt(0)] as const)

const digitsMax = 7

function characterReference(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] === 0x23) return numericReference(bytes, at) // #
  for (const [name, meant] of named)
    if (name.every((byte, index) => bytes[at + 1 + index] === byte)) return read(name.length + 1, meant)
  return read(1, bytes[at] ?? 0)
}

function numericReference(bytes: Uint8Array, at: number): number {
  const hexadecimal = ((bytes[at + 2] ?? 0) | 0x20) === 0x78 // x
  const base = hexadecimal ? 16 : 10
  const first = at + (hexadecimal ? 3 : 2)
  let value = 0
  for (let index = first; index <= first + digitsMax; index += 1) {
    if (bytes[index] === 0x3b && index > first) return read(index + 1 - at, value < nothing ? value : unknown) // ;
    const digit = hexDigit(bytes[index])
    if (digit < 0 || digit >= base) break
    value = value * base + digit
  }
  return read(1, bytes[at] ?? 0)
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
