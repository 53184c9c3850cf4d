/** A text as its tokens: what a value and the texts in which it may have been seen are compared by. */

/** Where one form of a token stands in a text: UTF-16 units, the end not included. */
export type TakeForm = (start: number, end: number) => void

/** @returns the text as tokens are read from it: Unicode NFKC, in small letters */
export function normalText(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase()
  // What a small sigma looks like depends on what follows.
  return text.normalize('NFKC').toLowerCase().normalize('NFKC').replaceAll('ς', 'σ')
}

/**
 * The same of a long text: as much as has room, and is read in a time that does not depend on what it holds.
 * @param max of the normal text, in UTF-16 units
 * @returns the normal text, and whether all of it; where not, it ends with a whole word
 */
export function normalStart(
  text: string,
  max: number,
): { readonly start: string; readonly isWhole: boolean } {
  let normal = ''
  let from = 0
  while (from < text.length && normal.length <= max) {
    const to = pieceEnd(text, from)
    if (to === from) break
    normal += normalText(text.slice(from, to))
    from = to
  }
  if (from === text.length && normal.length <= max) return { start: normal, isWhole: true }
  const cut = normal.slice(0, max)
  return { start: cut.slice(0, Math.max(cut.lastIndexOf(' '), cut.lastIndexOf('\n'), 0)), isWhole: false }
}

/** Some characters become many, and a page of them hundreds of pages, so a text is read in pieces of so many UTF-16 units. */
const pieceUnits = 4 * 0x400

/** @returns where a piece can end: before a character of ASCII, which belongs to nothing before it; `from` where there is none */
function pieceEnd(text: string, from: number): number {
  if (text.length - from <= pieceUnits) return text.length
  let to = from + pieceUnits
  while (to > from && text.charCodeAt(to) >= asciiEnd) to -= 1
  return to
}

const asciiEnd = 0x80
const beyondAscii = /[^\0-\x7f]/

/**
 * Finds the tokens of a normal text: runs of characters between white space, quotation marks, brackets, `;`, `!`, `?`
 * and `|`. A comma belongs to a run between digits and an apostrophe within a word; what a run begins or ends with of
 * `.` and `:` does not, but for a point before it and points after a slash.
 * @param take is told of each token in turn
 */
export function eachToken(text: string, take: TakeForm): void {
  const { length } = text
  let start = -1
  for (let at = 0; at < length; at += 1) {
    const unit = text.charCodeAt(at)
    const kind = kinds[unit] || kindOf(unit)
    if (kind === Kind.word || kind === Kind.point || (kind !== Kind.soft && joins(kind, text, at))) {
      if (start < 0) start = at
    } else if (start >= 0) {
      takeRun(text, start, at, take)
      start = -1
    }
  }
  if (start >= 0) takeRun(text, start, length, take)
}

/** @returns the tokens of a normal text, as texts */
export function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  eachToken(text, (start, end) => tokens.push(text.slice(start, end)))
  return tokens
}

function takeRun(text: string, from: number, to: number, take: TakeForm): void {
  let start = from
  let end = to
  while (start < end && text.charCodeAt(start) === colon) start += 1
  while (end > start && kindOf(text.charCodeAt(end - 1)) === Kind.point) end -= 1
  // The folder above, `/x/..`, is not the folder.
  if (end > start && isSlash(text.charCodeAt(end - 1))) end = to
  if (start < end) take(start, end)
}

/**
 * The other ways to read a token of a text that was taken in: without the marks that writing puts around a word, such
 * as `**bob**`, `#general`, `$100` or `bob's`, and, of an address of the web, its host, its host with the port, and
 * its origin.
 */
export function eachAlias(text: string, start: number, end: number, take: TakeForm): void {
  const head = text.charCodeAt(start)
  const tail = text.charCodeAt(end - 1)
  // Most tokens begin and end with a letter of ASCII or a digit, and have none.
  const isPlain = isAlphanumeric(head) && isAlphanumeric(tail)
  if (!isPlain || (tail === letterS && isApostrophe(text.charCodeAt(end - 2))))
    trimmed(text, start, end, take)
  if (head === letterH && text.startsWith('http', start)) addressParts(text, start, end, take)
}

function trimmed(text: string, start: number, end: number, take: TakeForm): void {
  let first = start
  let last = end
  if (text.charCodeAt(last - 1) === letterS && isApostrophe(text.charCodeAt(last - 2))) last -= 2
  while (first < last && leading.test(text.charAt(first))) first += 1
  while (first < last && trailing.test(text.charAt(last - 1))) last -= 1
  if (first < last && (first > start || last < end)) take(first, last)
}

/** Marks around a word that are no part of it. A sign, a slash before a path and a point before a name are. */
const leading = /[*_~#@&=\p{Currency_Symbol}]/u
const trailing = /[*_~/&=%\p{Currency_Symbol}]/u

function addressParts(text: string, start: number, end: number, take: TakeForm): void {
  const [, scheme = '', authority = ''] =
    address.exec(text.slice(start, Math.min(end, start + authorityMax))) ?? []
  // What stands before an `@` only looks like a host.
  if (authority === '' || authority.includes('@')) return
  const host = start + scheme.length
  const after = host + authority.length
  if (after - start >= authorityMax) return
  const port = authority.lastIndexOf(':')
  if (after < end) take(start, after)
  take(host, after)
  if (port > authority.lastIndexOf(']')) take(host, host + port)
}

const address = /^(https?:\/\/)([^/#\\]+)(?=[/#]|$)/
/** Scheme, host and port, in UTF-16 units: a longer host is none. */
const authorityMax = 280

/** What a character is to a token. */
const Kind = { unknown: 0, soft: 1, word: 2, point: 3, comma: 4, apostrophe: 5 } as const
type Kind = (typeof Kind)[keyof typeof Kind]

/** By UTF-16 unit, filled in as units are met. */
const kinds = new Uint8Array(1 << 16)

function kindOf(unit: number): Kind {
  const known = kinds[unit] as Kind
  if (known !== Kind.unknown) return known
  const kind = readKind(String.fromCharCode(unit))
  kinds[unit] = kind
  return kind
}

function readKind(char: string): Kind {
  if (char === '.' || char === ':') return Kind.point
  if (char === ',') return Kind.comma
  if (char === "'" || char === '’') return Kind.apostrophe
  return soft.test(char) ? Kind.soft : Kind.word
}

/** What nobody sees, such as U+200B, parts nothing: it is of a word. */
const soft = /[\s"`;!?|。、\p{Ps}\p{Pe}\p{Pi}\p{Pf}<>]/u

/** Whether a comma or an apostrophe is within a token. */
function joins(kind: number, text: string, at: number): boolean {
  if (at === 0 || at + 1 === text.length) return false
  const before = text.charCodeAt(at - 1)
  const after = text.charCodeAt(at + 1)
  return kind === Kind.comma
    ? isDigit(before) && isDigit(after)
    : kindOf(before) === Kind.word && kindOf(after) === Kind.word
}

const colon = 0x3a
const letterH = 0x68
const letterS = 0x73
const isSlash = (unit: number): boolean => unit === 0x2f || unit === 0x5c
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39
const isAlphanumeric = (unit: number): boolean => isDigit(unit) || (unit >= 0x61 && unit <= 0x7a)
const isApostrophe = (unit: number): boolean => kindOf(unit) === Kind.apostrophe
