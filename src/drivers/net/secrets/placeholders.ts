/** Placeholders of secrets in a request, `${secret:NAME}`: where they stand, and what is no sound one. */
import { SyscallError } from '../../../errors.ts'
import { limits } from '../../../limits.ts'
import type { FetchRequest } from '../request.ts'

/** The parts of a request in which a secret may stand. */
export const secretPlaces = ['header', 'body', 'query'] as const
export type SecretPlace = (typeof secretPlaces)[number]

export interface SecretUse {
  readonly name: string
  readonly place: SecretPlace
}

/** As names of environment variables are written. */
export const secretNamePattern = /^[A-Z][A-Z0-9_]{0,63}$/

const opening = '${secret:'
/** With a user, the pair of RFC 7617 in base64; neither may hold what ends a placeholder or begins another. */
const whole = /\$\{secret:([A-Z][A-Z0-9_]{0,63})(?:\|basic:([\x20-#%-9;-z~\xa0-\xff]{1,128}))?\}/y

/**
 * The beginning of an escape, percent or backslash, itself escaped or not. A server that undoes it would give the value
 * back without its first characters, and nobody would find it in the answer.
 */
const unfinished = /(%(25)*[0-9a-f]?|\\(u[0-9a-f]{0,3}|x[0-9a-f]?)?)$/i
const lookBack = 64

/** @returns a URL that a server wrote, in which nothing passes for a placeholder */
export const withoutPlaceholders = (url: string): string => url.replaceAll(opening, '$%7Bsecret:')

/**
 * Finds every placeholder of a request. A body that is given as bytes is sent as it is.
 * @throws SyscallError EINVAL for one that is not sound, or stands where none can
 */
export function usesOf(request: FetchRequest): readonly SecretUse[] {
  const uses: SecretUse[] = []
  const look = (text: string, place: SecretPlace): void => {
    for (const { name, user, start } of placeholdersIn(text)) {
      if (unfinished.test(text.slice(Math.max(0, start - lookBack), start)))
        throw unsound(
          `what stands before secret \`${name}\` is the beginning of an escape, which would swallow the beginning of the value; put something else there`,
        )
      if (user !== undefined && place !== 'header')
        throw unsound(`the form \`|basic:\` of secret \`${name}\` is for headers only`)
      uses.push({ name, place })
      if (uses.length > limits.secretUsesMax)
        throw unsound(`more than ${limits.secretUsesMax} secrets in one request`)
    }
  }
  look(queryOf(request.url), 'query')
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    assertNone(name, 'the name of a header')
    look(value, 'header')
  }
  assertNone(request.method ?? '', 'the method')
  look(request.text ?? '', 'body')
  return uses
}

/** @returns the names, each once, in the order in which they stand in the request */
export const namesOf = (uses: readonly SecretUse[]): readonly string[] => [
  ...new Set(uses.map(({ name }) => name)),
]

/**
 * Puts values in place of all placeholders, in one pass: what a value holds is never looked at.
 * @param valueFor what stands for a name; `user` where the placeholder asks for a pair in base64
 */
export function fillIn(text: string, valueFor: (name: string, user: string | undefined) => string): string {
  const parts: string[] = []
  let done = 0
  for (const { name, user, start, end } of placeholdersIn(text)) {
    parts.push(text.slice(done, start), valueFor(name, user))
    done = end
  }
  return done === 0 ? text : parts.join('') + text.slice(done)
}

interface Placeholder {
  readonly name: string
  readonly user: string | undefined
  readonly start: number
  readonly end: number
}

function* placeholdersIn(text: string): Generator<Placeholder> {
  for (let start = text.indexOf(opening); start >= 0; ) {
    whole.lastIndex = start
    const [all = '', name, user] = whole.exec(text) ?? []
    if (name === undefined) throw misspelt(text.slice(start))
    yield { name, user, start, end: start + all.length }
    start = text.indexOf(opening, start + all.length)
  }
}

/** What stands before the query would name a host or a path by a secret; what stands behind it is not sent. */
function queryOf(url: string): string {
  const fragment = url.indexOf('#')
  const sent = fragment < 0 ? url : url.slice(0, fragment)
  const question = sent.indexOf('?')
  assertNone(question < 0 ? sent : sent.slice(0, question), 'the URL before its query')
  assertNone(fragment < 0 ? '' : url.slice(fragment), 'the fragment of the URL')
  return question < 0 ? '' : sent.slice(question)
}

function assertNone(text: string, where: string): void {
  const at = text.indexOf(opening)
  if (at < 0) return
  const name = /^[A-Z0-9_]{1,64}/.exec(text.slice(at + opening.length))?.[0] ?? ''
  throw unsound(`secret \`${name}\` stands in ${where}, where none can; put it into the value of a header`)
}

const misspelt = (text: string): SyscallError =>
  unsound(
    `\`${text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}\` is no placeholder; write \`\${secret:NAME}\`, or \`\${secret:NAME|basic:USER}\` in a header, with a name of A-Z, 0-9 and _`,
  )

const unsound = (why: string): SyscallError => new SyscallError('EINVAL', why)
