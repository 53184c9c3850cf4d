/** Keys, tokens, passwords: by the formats of services, and by the places where secrets stand. */
import { limits } from '../../limits.ts'
import { candidates } from './candidates.ts'
import type { Detector, Found } from './kinds.ts'
import { alphabets, type SecretFormat, secretFormats } from './secret-formats.ts'

const byStart = new Map<string, SecretFormat>(
  secretFormats.flatMap((format) => format.starts.map((start) => [start, format] as const)),
)
const escaped = (text: string): string => text.replace(/[.+]/g, '\\$&')
const starts = new RegExp([...byStart.keys()].map(escaped).join('|'), 'g')

/** Units of one kind that follow each other: the end of a run is found once, wherever in it a token could begin. */
class Runs {
  readonly #text: string
  readonly #unit: RegExp
  #end = -1

  constructor(text: string, unit: RegExp) {
    this.#text = text
    this.#unit = unit
  }

  /** @param at not before the place of the call before */
  endFrom(at: number): number {
    if (at < this.#end) return this.#end
    let end = at
    while (end < this.#text.length && this.#unit.test(this.#text.charAt(end))) end += 1
    this.#end = end
    return end
  }
}

export const secret: Detector = (text, found) => {
  tokens(text, found)
  privateKeys(text, found)
  webTokens(text, found)
  candidates(text, telegramToken, found)
  candidates(text, urlPassword, found, ([, it = '']) => !isPlaceholder(it) && it.length)
  candidates(text, authorization, found, ([, it = '']) => !isPlaceholder(it) && it.length)
  candidates(text, assignment, found, ([, it = '']) => looksRandom(it) && it.length)
}

/** Different units that a token has at least: fewer are a placeholder, such as `ghp_xxxxxxxx…`. */
const distinctMin = 5
/** As much of a token is looked at for that, in UTF-16 units. */
const distinctSample = 64

const isPlaceholder = (text: string): boolean =>
  new Set(text.slice(0, distinctSample)).size < distinctMin || /^[$%<{[]/.test(text)

function tokens(text: string, found: Found): void {
  const runs = new Map<string, Runs>()
  candidates(text, starts, (index, bodyAt) => {
    const format = byStart.get(text.slice(index, bodyAt))
    if (format === undefined || /[A-Za-z0-9]/.test(text.charAt(index - 1))) return
    const { alphabet, length, exact } = format
    const ofAlphabet = runs.get(alphabet) ?? new Runs(text, alphabets[alphabet])
    runs.set(alphabet, ofAlphabet)
    const end = ofAlphabet.endFrom(bodyAt)
    const fits = exact ? end - bodyAt === length && !/\w/.test(text.charAt(end)) : end - bodyAt >= length
    if (fits && !isPlaceholder(text.slice(bodyAt, bodyAt + distinctSample)))
      found(index, Math.min(end, index + limits.secretMax))
  })
}

const keyBegins = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g

/** From its first line to its last; what has no last line is taken to be as long as a key can be. */
function privateKeys(text: string, found: Found): void {
  let after = 0
  let end = -1
  candidates(text, keyBegins, (index, headEnd) => {
    if (index < after) return
    if (end !== Number.POSITIVE_INFINITY && end < headEnd) {
      const at = text.indexOf('-----END ', headEnd)
      end = at < 0 ? Number.POSITIVE_INFINITY : at
    }
    const last = end - index > limits.secretMax ? headEnd + limits.secretMax : tailEnd(text, end)
    after = Math.min(text.length, last)
    found(index, after)
  })
}

function tailEnd(text: string, at: number): number {
  const tail = /^-----END [A-Z0-9 ]{0,60}-----/.exec(text.slice(at, at + 80))
  return at + (tail?.[0].length ?? '-----END '.length)
}

/** JSON Web Tokens: a header and a claim that begin as JSON in base64 does, and a signature. Each run is looked at once. */
function webTokens(text: string, found: Found): void {
  const runs = new Runs(text, /[A-Za-z0-9_.-]/)
  let done = 0
  for (let at = text.indexOf('eyJ'); at >= 0; at = text.indexOf('eyJ', Math.max(at + 3, done))) {
    done = runs.endFrom(at)
    let start = at
    const parts = text.slice(at, done).split('.')
    for (const [index, part] of parts.entries()) {
      const begins = part.indexOf('eyJ')
      const isToken =
        begins >= 0 &&
        part.length - begins >= 12 &&
        (parts[index + 1] ?? '').startsWith('eyJ') &&
        (parts[index + 2] ?? '').length >= 10
      const [, claims = '', signature = ''] = [part, parts[index + 1], parts[index + 2]]
      if (isToken) found(start + begins, start + part.length + claims.length + signature.length + 2)
      start += part.length + 1
    }
  }
}

const telegramToken = /(?<![A-Za-z0-9])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/g

/** The password in `scheme://user:password@host`. */
const urlPassword =
  /(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}:\/\/[^\s/:@"'<>]{0,100}:([^\s/@"'<>]{3,200})(?=@)/g

/** What stands in a header, as in `Authorization: Bearer …`. */
const authorization =
  /(?<![A-Za-z])(?:authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|basic|token|apikey)|bearer)\s{1,3}([A-Za-z0-9._~+/=-]{16,2000})/gi

/** A value beside a name that says what it is: `client_secret: "…"`, `DB_PASSWORD=…`, `"apiKey": "…"`. */
const assignment =
  /(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,24}[_-]){0,3}(?:api[_-]?(?:key|token|secret)|(?:secret|private|signing|encryption)[_-]?(?:access[_-]?)?key|client[_-]?secret|(?:access|auth|refresh|bearer|session)[_-]?token|passw(?:or)?d|passwd|pwd|passphrase|secret|token)["']?\s{0,3}(?::=|=>|=|:)\s{0,3}["']?([^\s"'`;,<>{}()[\]&]{8,200})/gi

/** Bits a unit that a value has at least, by how often its own units come. */
const entropyMin = 2.5

/** Letters and digits without order; what a program or a template fills in is none. */
function looksRandom(value: string): boolean {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value) || isPlaceholder(value)) return false
  const counts = new Map<string, number>()
  for (const unit of value) counts.set(unit, (counts.get(unit) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits >= entropyMin
}
