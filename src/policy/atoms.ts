/**
 * All the ways in which patterns can match or not match one text, each with a shortest text as its witness.
 * Two texts that the same patterns match are the same to a policy, so what holds of the witnesses holds of all.
 */
import { limits } from '../limits.ts'

export interface Atoms {
  readonly witnesses: readonly string[]
  /** Whether there are no others. */
  readonly complete: boolean
}

/** One step of a pattern: a character, a run of characters (`*`), or a run of whole parts (`**`). */
type Token = { readonly char: string } | 'run' | 'parts'

/** Where a text stands, beside what the patterns make of it. */
type Tail = 'start' | 'slash' | 'dot' | 'dots' | 'within'

interface Grammar {
  readonly separator: string | undefined
  /** @returns undefined where the text could not go on so */
  readonly next: (tail: Tail, char: string) => Tail | undefined
  readonly ends: (tail: Tail) => boolean
}

const afterSeparator = (tail: Tail): Tail | undefined =>
  tail === 'start' || tail === 'within' ? 'slash' : undefined

function withinPart(tail: Tail, char: string): Tail | undefined {
  if (tail === 'start') return undefined
  if (char === '.') return tail === 'slash' ? 'dot' : tail === 'dot' ? 'dots' : 'within'
  return 'within'
}

const paths: Grammar = {
  separator: '/',
  next: (tail, char) => (char === '/' ? afterSeparator(tail) : withinPart(tail, char)),
  ends: (tail) => tail === 'within' || tail === 'start',
}
/** A path of a URL may end in a slash, and has at least one. */
const urlPaths: Grammar = { ...paths, ends: (tail) => tail === 'within' || tail === 'slash' }
const names: Grammar = { separator: undefined, next: () => 'within', ends: (tail) => tail === 'within' }

/** @param patterns paths that compile; the witnesses are normalised paths */
export function pathAtoms(patterns: readonly string[]): Atoms {
  const tokens = patterns.map((pattern) => (pattern === '/' ? [] : pathTokens(pattern)))
  const { witnesses, complete } = explore(tokens, paths)
  return { witnesses: witnesses.map((text) => (text === '' ? '/' : text)), complete }
}

/** @param patterns the paths of URL patterns */
export const urlPathAtoms = (patterns: readonly string[]): Atoms =>
  explore(patterns.map(pathTokens), urlPaths)

/** @param patterns of names, in which `*` is any run of characters */
export const nameAtoms = (patterns: readonly string[]): Atoms => explore(patterns.map(textTokens), names)

const textTokens = (text: string): readonly Token[] =>
  Array.from(text, (char): Token => (char === '*' ? 'run' : { char }))

function pathTokens(pattern: string): readonly Token[] {
  return pattern
    .slice(1)
    .split('/')
    .flatMap((part) => (part === '**' ? ['parts' as const] : [{ char: '/' }, ...textTokens(part)]))
}

/** Places in a pattern: `n` before token n, `~n` within the parts that token n stands for. */
type Places = readonly number[]

function enter(tokens: readonly Token[], place: number, into: Set<number>): void {
  into.add(place)
  const token = tokens[place]
  if (token === 'run' || token === 'parts') enter(tokens, place + 1, into)
}

function step(tokens: readonly Token[], places: Places, char: string, separator: string | undefined): Places {
  const next = new Set<number>()
  for (const place of places) {
    if (place < 0) {
      next.add(place)
      enter(tokens, ~place + 1, next)
      continue
    }
    const token = tokens[place]
    if (token === 'run') {
      if (char !== separator) enter(tokens, place, next)
    } else if (token === 'parts') {
      if (char === separator) {
        next.add(~place)
        enter(tokens, place + 1, next)
      }
    } else if (token?.char === char) enter(tokens, place + 1, next)
  }
  return [...next].sort((a, b) => a - b)
}

interface State {
  readonly text: string
  readonly tail: Tail
  /** By the number of the pattern; those that cannot match any more are gone. */
  readonly alive: readonly (readonly [pattern: number, places: Places])[]
}

function explore(patterns: readonly (readonly Token[])[], grammar: Grammar): Atoms {
  const other = freshCharacter(patterns)
  const begin = (tokens: readonly Token[]): Places => {
    const places = new Set<number>()
    enter(tokens, 0, places)
    return [...places]
  }
  const waiting: State[] = [
    { text: '', tail: 'start', alive: patterns.map((tokens, index) => [index, begin(tokens)]) },
  ]
  const seen = new Set(waiting.map(keyOf))
  const witnesses = new Map<string, string>()
  for (let at = 0; at < waiting.length && at < limits.atomStatesMax; at += 1) {
    const state = waiting[at]
    if (state === undefined) break
    if (grammar.ends(state.tail)) {
      const matching = state.alive.filter(([index, places]) => places.includes(patterns[index]?.length ?? -1))
      const atom = matching.map(([index]) => index).join()
      if (!witnesses.has(atom)) witnesses.set(atom, state.text)
    }
    for (const char of charactersAfter(patterns, state, other, grammar.separator)) {
      const next = advance(patterns, state, char, grammar)
      if (next === undefined || seen.has(keyOf(next))) continue
      seen.add(keyOf(next))
      waiting.push(next)
    }
  }
  const complete = waiting.length <= limits.atomStatesMax && other !== undefined
  return { witnesses: [...witnesses.values()], complete }
}

const keyOf = ({ tail, alive }: State): string =>
  `${tail} ${alive.map(([index, places]) => `${index}:${places.join('.')}`).join(' ')}`

function advance(
  patterns: readonly (readonly Token[])[],
  { text, tail, alive }: State,
  char: string,
  { next, separator }: Grammar,
): State | undefined {
  const tailNext = next(tail, char)
  if (tailNext === undefined) return undefined
  const still = alive.flatMap(([index, places]) => {
    const after = step(patterns[index] ?? [], places, char, separator)
    return after.length === 0 ? [] : [[index, after] as const]
  })
  return { text: text + char, tail: tailNext, alive: still }
}

/** Characters that make a difference here, and one that makes none. */
function charactersAfter(
  patterns: readonly (readonly Token[])[],
  { alive }: State,
  other: string | undefined,
  separator: string | undefined,
): ReadonlySet<string> {
  const characters = new Set<string>([other, separator].filter((it) => it !== undefined))
  for (const [index, places] of alive) {
    for (const place of places) {
      const token = place < 0 ? undefined : patterns[index]?.[place]
      if (typeof token === 'object') characters.add(token.char)
    }
  }
  return characters
}

/** A letter that no pattern names. */
function freshCharacter(patterns: readonly (readonly Token[])[]): string | undefined {
  const taken = new Set(
    patterns.flatMap((tokens) => tokens.map((it) => (typeof it === 'object' ? it.char : ''))),
  )
  return Array.from('xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789').find(
    (it) => !taken.has(it),
  )
}
