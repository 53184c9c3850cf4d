/** Numbers of payment cards: ISO/IEC 7812, with a check digit by Luhn and a prefix that a scheme issues. */
import { isDigit } from './candidates.ts'
import type { Detector, Found } from './kinds.ts'

const digitsMin = 12
const digitsMax = 19

/** Prefixes, as from and to, and the lengths that are issued under them. */
const schemes: readonly (readonly [from: string, to: string, lengths: readonly number[]])[] = [
  ['4', '4', [13, 16, 19]], // Visa
  ['51', '55', [16]], // Mastercard
  ['2221', '2720', [16]],
  ['34', '34', [15]], // American Express
  ['37', '37', [15]],
  ['300', '305', [14, 16, 19]], // Diners Club
  ['36', '36', [14, 16, 19]],
  ['38', '39', [14, 16, 19]],
  ['3528', '3589', [16, 17, 18, 19]], // JCB
  ['6011', '6011', [16, 17, 18, 19]], // Discover
  ['644', '649', [16, 17, 18, 19]],
  ['65', '65', [16, 17, 18, 19]],
  ['62', '62', [16, 17, 18, 19]], // UnionPay
  ['81', '82', [16]], // RuPay, UnionPay
  ['60', '60', [16]],
  ['50', '50', [12, 13, 14, 15, 16, 17, 18, 19]], // Maestro
  ['56', '58', [12, 13, 14, 15, 16, 17, 18, 19]],
  ['63', '63', [12, 13, 14, 15, 16, 17, 18, 19]],
  ['67', '67', [12, 13, 14, 15, 16, 17, 18, 19]],
  ['2200', '2205', [16, 17, 18, 19]], // Mir
  ['9792', '9792', [16]], // Troy
]

/** For each four digits, the lengths of cards that begin so: bit n for n digits. */
const lengthsByPrefix = new Uint32Array(10 ** 4)
for (const [from, to, lengths] of schemes) {
  const scale = 10 ** (4 - from.length)
  const bits = lengths.reduce((sum, length) => sum | (1 << length), 0)
  for (let prefix = Number(from) * scale; prefix < (Number(to) + 1) * scale; prefix += 1)
    lengthsByPrefix[prefix] = (lengthsByPrefix[prefix] ?? 0) | bits
}

/** As many digits are kept as the longest number has, and some. */
const kept = 32

/**
 * Digits that may belong together, one after the other. Of those before each only sums are kept,
 * so that all numbers that end with a digit are checked in a few steps, however long the row is.
 */
class Row {
  readonly #digits = new Uint8Array(kept)
  readonly #places = new Float64Array(kept)
  readonly #begins = new Uint8Array(kept)
  /** Of the digits so far, with those at even and those at odd places doubled, modulo ten. */
  readonly #sums = [new Uint8Array(kept), new Uint8Array(kept)] as const
  #count = 0

  clear(): void {
    this.#count = 0
  }

  /** @param begins whether a number may begin with it */
  add(digit: number, place: number, begins: boolean): void {
    const at = this.#count % kept
    const before = (this.#count + kept - 1) % kept
    const doubled = digit > 4 ? digit * 2 - 9 : digit * 2
    for (const [parity, sums] of this.#sums.entries()) {
      const sum = this.#count === 0 ? 0 : (sums[before] ?? 0)
      sums[at] = (sum + (this.#count % 2 === parity ? doubled : digit)) % 10
    }
    this.#digits[at] = digit
    this.#places[at] = place
    this.#begins[at] = begins ? 1 : 0
    this.#count += 1
  }

  /** Reports every number that ends with the last digit. */
  end(found: Found): void {
    const last = this.#count - 1
    const sums = this.#sums[(last + 1) % 2] ?? this.#sums[0]
    for (let length = digitsMin; length <= Math.min(digitsMax, this.#count); length += 1) {
      const first = this.#count - length
      if (this.#begins[first % kept] !== 1) continue
      if (((lengthsByPrefix[this.#prefix(first)] ?? 0) & (1 << length)) === 0) continue
      const before = first === 0 ? 0 : (sums[(first - 1) % kept] ?? 0)
      // Luhn, from the right: every second digit doubled, and all together a multiple of ten.
      if (sums[last % kept] === before)
        found(this.#places[first % kept] ?? 0, (this.#places[last % kept] ?? 0) + 1)
    }
  }

  #prefix(first: number): number {
    let prefix = 0
    for (let index = first; index < first + 4; index += 1)
      prefix = prefix * 10 + (this.#digits[index % kept] ?? 0)
    return prefix
  }
}

/** A number begins and ends with a run of digits; the runs of one follow each other after a space, a dash or the like. */
export const card: Detector = (text, found) => {
  const row = new Row()
  let index = 0
  while (index < text.length) {
    if (!isDigit(text.charCodeAt(index))) {
      index += 1
      continue
    }
    const begins = !isFraction(text, index)
    for (let first = true; isDigit(text.charCodeAt(index)); index += 1, first = false)
      row.add(text.charCodeAt(index) - 0x30, index, first && begins)
    row.end(found)
    const next = index + separatorAt(text, index)
    if (next > index && isDigit(text.charCodeAt(next))) index = next
    else row.clear()
  }
}

/** The digits after a decimal point are no card: `0.4111111111111111`. */
const isFraction = (text: string, index: number): boolean =>
  index > 1 && text[index - 1] === '.' && isDigit(text.charCodeAt(index - 2)) && !isDotted(text, index)

/** Four digits and a point again, as a card that is written with points has. */
const isDotted = (text: string, index: number): boolean => {
  dotted.lastIndex = index
  return dotted.test(text)
}
const dotted = /\d{4}\.\d{4}\./y

const space = 0x20
const dash = 0x2d
/** A form writes a space as `+`. */
const isSeparator = (code: number): boolean =>
  code === space || code === dash || code === 0x2e || code === 0x2b || code === 0x5f

/** @returns how many units stand between two runs of digits that may belong together; 0 where they do not */
function separatorAt(text: string, index: number): number {
  if (!isSeparator(text.charCodeAt(index))) return 0
  const code = text.charCodeAt(index + 1)
  return code === space || code === dash ? 2 : 1
}
