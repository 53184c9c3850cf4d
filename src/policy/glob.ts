/**
 * Globs with two wildcards, matched without a regular expression and without trying twice:
 * `*` is any run of characters within a part, `**` any run of whole parts.
 */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'

/** Of shells and of other glob languages; taken literally they would make a forbid match less than was meant. */
const foreign = /[?[\]{}|\\]|[@!+*]\(|^!/

/**
 * Refuses what this language does not have.
 * @param pattern what a rule says
 * @throws KernelError EINVAL, with what is wrong and what to write
 */
export function assertPattern(pattern: string): void {
  if (pattern === '') throw invalid('an empty pattern matches nothing; leave the key out for any')
  if (pattern.length > limits.patternMax)
    throw invalid(`a pattern of ${pattern.length} characters, at most ${limits.patternMax} fit`)
  const odd = /[\p{Control}\p{Format}\p{Surrogate}]/u.exec(pattern)?.[0]
  if (odd !== undefined)
    throw invalid(
      `a pattern holds the character U+${(odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}, which nobody sees`,
    )
  if (pattern.normalize('NFC') !== pattern)
    throw invalid(`\`${pattern}\` is not in Unicode normal form C; write its accents as single characters`)
  const mark = foreign.exec(pattern)?.[0]
  if (mark !== undefined)
    throw invalid(
      `\`${mark}\` in \`${pattern}\` is no wildcard here; there are \`*\` and \`**\`, and a list of patterns`,
    )
  const wildcards = pattern.split(/\*+/).length - 1
  if (wildcards > limits.patternWildcardsMax)
    throw invalid(
      `\`${pattern}\` has ${wildcards} wildcards, at most ${limits.patternWildcardsMax} are taken`,
    )
}

export type TextMatcher = (text: string) => boolean

/**
 * Matches a text with `*` for any run of characters, also none.
 * Each piece between wildcards is looked for once, leftmost first, which is enough: a later place can only leave less room.
 */
export function compileText(pattern: string): TextMatcher {
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.pop()
  if (tail === undefined) return (text) => text === pattern
  const pieces = rest.filter((piece) => piece !== '')
  return (text) => {
    if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail))
      return false
    const end = text.length - tail.length
    let from = head.length
    for (const piece of pieces) {
      const at = text.indexOf(piece, from)
      if (at < 0 || at + piece.length > end) return false
      from = at + piece.length
    }
    return true
  }
}

export type PartsMatcher = (parts: readonly string[]) => boolean

/**
 * Matches the parts of a path with `**` for any run of whole parts, also none; `/mem/**` is `/mem` and all below.
 * Runs between two `**` are placed leftmost first, as above.
 * @param pattern the parts of a pattern; `**` only as a whole part
 */
export function compileParts(pattern: readonly string[]): PartsMatcher {
  const runs = splitAtGlobstars(pattern).map((run) => run.map(compilePart))
  const [head = [], ...rest] = runs
  const tail = rest.pop()
  if (tail === undefined) return (parts) => parts.length === head.length && matchesAt(head, parts, 0)
  return (parts) => {
    const end = parts.length - tail.length
    if (end < head.length || !matchesAt(head, parts, 0) || !matchesAt(tail, parts, end)) return false
    let from = head.length
    for (const run of rest) {
      while (from + run.length <= end && !matchesAt(run, parts, from)) from += 1
      if (from + run.length > end) return false
      from += run.length
    }
    return true
  }
}

function splitAtGlobstars(pattern: readonly string[]): readonly (readonly string[])[] {
  const runs: string[][] = [[]]
  for (const part of pattern) {
    if (part === '**') runs.push([])
    else runs.at(-1)?.push(part)
  }
  return runs
}

/** A part without a wildcard is compared as it is, which touches the least memory. */
const compilePart = (part: string): string | TextMatcher => (part.includes('*') ? compileText(part) : part)

function matchesAt(run: readonly (string | TextMatcher)[], parts: readonly string[], from: number): boolean {
  for (let index = 0; index < run.length; index += 1) {
    const part = parts[from + index]
    const expected = run[index]
    if (part === undefined || expected === undefined) return false
    if (typeof expected === 'string' ? expected !== part : !expected(part)) return false
  }
  return true
}

/** @throws KernelError EINVAL where `**` is glued to other characters */
export function assertGlobstars(parts: readonly string[], pattern: string): void {
  const glued = parts.find((part) => part.includes('**') && part !== '**')
  if (glued !== undefined)
    throw invalid(
      `\`${glued}\` in \`${pattern}\`: \`**\` stands for whole parts, between slashes; write \`*\` within one`,
    )
}

export const invalid = (why: string): KernelError => new KernelError('EINVAL', why)
