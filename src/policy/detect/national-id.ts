/** Numbers by which states know people, with their check digits where they have some. */
import { candidates, digitsOf, named } from './candidates.ts'
import type { Detector } from './kinds.ts'

interface Form {
  /** Global and of bounded length. */
  readonly pattern: RegExp
  /** What the pattern cannot say, of the text without its separators, in capitals. */
  readonly checks?: (compact: string) => boolean
  /** A word that has to stand shortly before, where too many other numbers look the same. */
  readonly word?: RegExp
}

const isSsn = (it: string): boolean => !/^(?:000|666|9)|^...00|0000$/.test(it)

/** ISO 7064 mod 11,10; of the first ten digits exactly one comes twice or three times. */
function isSteuerId(digits: string): boolean {
  const counts = new Map<string, number>()
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  const repeated = [...counts.values()].filter((count) => count > 1)
  if (repeated.length !== 1 || (repeated[0] ?? 0) > 3) return false
  let product = 10
  for (const digit of digits.slice(0, 10)) {
    const sum = (Number(digit) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === Number(digits[10])
}

/** The key is what is missing to a multiple of 97; Corsica's departments count as 19 and 18. */
const isNir = (it: string): boolean =>
  97 - Number(BigInt(it.slice(0, 13).replace('2A', '19').replace('2B', '18')) % 97n) === Number(it.slice(13))

const spanishLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'
const isSpanish = (it: string): boolean => {
  const number = Number(it.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2'))
  return spanishLetters[number % 23] === it.at(-1)
}

/** Nine digits, weighed from nine down to two and the last by minus one, make a multiple of eleven. */
function isBsn(digits: string): boolean {
  let sum = -Number(digits[8])
  for (let index = 0; index < 8; index += 1) sum += Number(digits[index]) * (9 - index)
  return sum % 11 === 0 && digits !== '000000000'
}

/** What a unit at an odd place, counted from one, is worth: first the digits, and A to J like them. */
const italianOdd = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]

function isCodiceFiscale(it: string): boolean {
  let sum = 0
  for (let index = 0; index < 15; index += 1) {
    const value = Number.parseInt(it.charAt(index), 36)
    const rank = value > 9 ? value - 10 : value
    sum += index % 2 === 0 ? (italianOdd[rank] ?? 0) : rank
  }
  return String.fromCharCode(65 + (sum % 26)) === it[15]
}

const forms: readonly Form[] = [
  // United States: social security number.
  { pattern: /(?<![\w-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])/g, checks: isSsn },
  { pattern: /(?<!\w)\d{9}(?!\w)/g, checks: isSsn, word: /\bssn\b|social.?security/i },
  // United Kingdom: national insurance number.
  {
    pattern:
      /(?<![A-Za-z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])/gi,
  },
  // Germany: Steuer-Identifikationsnummer.
  { pattern: /(?<![\w.,+-])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?![\w-])/g, checks: isSteuerId },
  // France: numéro d’inscription au répertoire, with its key.
  {
    pattern:
      /(?<![\w.,+-])[12378] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w-])/gi,
    checks: isNir,
  },
  // Spain: DNI and NIE.
  { pattern: /(?<![A-Za-z0-9.,])\d{8}[- ]?[A-HJ-NP-TV-Z](?![A-Za-z0-9])/gi, checks: isSpanish },
  { pattern: /(?<![A-Za-z0-9])[XYZ][- ]?\d{7}[- ]?[A-HJ-NP-TV-Z](?![A-Za-z0-9])/gi, checks: isSpanish },
  // Netherlands: burgerservicenummer.
  {
    pattern: /(?<![\w])\d{4}[. ]?\d{2}[. ]?\d{3}(?!\w)/g,
    checks: isBsn,
    word: /\b(?:bsn|burgerservice|sofi)/i,
  },
  // Italy: codice fiscale; where two people share one, digits become letters.
  {
    pattern:
      /(?<![A-Za-z0-9])[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z](?![A-Za-z0-9])/gi,
    checks: isCodiceFiscale,
  },
]

export const nationalId: Detector = (text, found) => {
  for (const { pattern, checks, word } of forms)
    candidates(text, pattern, found, ({ 0: it, index }) => {
      if (word !== undefined && !named(text, index, word)) return false
      return checks === undefined || checks(compactOf(it))
    })
}

const compactOf = (text: string): string =>
  /[A-Za-z]/.test(text) ? text.replace(/[ .-]/g, '').toUpperCase() : digitsOf(text)
