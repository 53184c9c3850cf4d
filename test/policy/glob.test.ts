import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { compileParts, compileText } from '../../src/policy/glob.ts'
import { compileMatcher, compileName, readResource } from '../../src/policy/match.ts'

const matchesPath = (pattern: string, path: string): boolean => {
  const readings = readResource('fs.read', path)
  if (typeof readings === 'string') throw new Error(readings)
  const matcher = compileMatcher('path', pattern)
  return readings.every((reading) => matcher.mismatch(reading) === undefined)
}

/** What the wildcards mean, tried in every way: exponential, and easy to believe. */
function naiveText(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*'))
    return naiveText(pattern.slice(1), text) || (text !== '' && naiveText(pattern, text.slice(1)))
  return text.startsWith(pattern.slice(0, 1)) && naiveText(pattern.slice(1), text.slice(1))
}

function naiveParts(pattern: readonly string[], parts: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return parts.length === 0
  if (first === '**')
    return naiveParts(rest, parts) || (parts.length > 0 && naiveParts(pattern, parts.slice(1)))
  const [part, ...others] = parts
  return part !== undefined && naiveText(first, part) && naiveParts(rest, others)
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 5 })
const glob = fc
  .string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 6 })
  .map((text) => text.replaceAll(/\*+/g, '*'))

test('a text pattern equals the naive reading of it', () => {
  fc.assert(
    fc.property(glob, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 }), (pattern, text) => {
      expect(compileText(pattern)(text)).toBe(naiveText(pattern, text))
    }),
    { numRuns: 2_000 },
  )
})

test('a path pattern equals the naive reading of it', () => {
  const parts = fc.array(word, { maxLength: 7 })
  const pattern = fc.array(fc.oneof(glob, fc.constant('**'), fc.constantFrom('a', 'b')), { maxLength: 6 })
  fc.assert(
    fc.property(pattern, parts, (globs, path) => {
      expect(compileParts(globs)(path)).toBe(naiveParts(globs, path))
    }),
    { numRuns: 5_000 },
  )
})

test('a path pattern equals the naive reading where paths are made from the pattern', () => {
  const piece = fc.oneof(fc.constantFrom('a', 'ab', '*', 'a*', '*b', '**'))
  const fill = fc.array(fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 }), {
    minLength: 8,
    maxLength: 8,
  })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fill, (globs, fills) => {
      const path = globs.flatMap((each, index) =>
        each === '**' ? (fills[index] ?? []) : [each.replace('*', (fills[index] ?? []).join(''))],
      )
      expect(compileParts(globs)(path)).toBe(true)
      expect(naiveParts(globs, path)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

describe('a path pattern', () => {
  test.each([
    ['/mem/**', '/memory'],
    ['/mem/**', '/me'],
    ['/mem/**', '/'],
    ['/mem/*', '/mem'],
    ['/mem/*', '/mem/a/b'],
    ['/mem', '/mem/a'],
    ['/mem/a', '/mem/A'],
    ['/**/b', '/a/c'],
    ['/**/a/**/a', '/a'],
    ['/*', '/'],
  ])('%s does not match %s', (pattern, path) => expect(matchesPath(pattern, path)).toBe(false))

  test.each([
    ['/', '/'],
    ['/**', '/'],
    ['/**', '/a/b/c'],
    ['/mem/**', '/mem'],
    ['/mem/**', '/mem/.hidden/.x'],
    ['/mem/*', '/mem/.hidden'],
    ['/mem/*.md', '/mem/.md'],
    ['/**/*.pem', '/a/b/c.pem'],
    ['/**/*.pem', '/c.pem'],
    ['/a/**/b/**/c', '/a/b/c'],
    ['/workspace/report (1).txt', '/workspace/report (1).txt'],
  ])('%s matches %s', (pattern, path) => expect(matchesPath(pattern, path)).toBe(true))

  test('with accents: composed and decomposed are one name to what forbids, and both have to be permitted', () => {
    const readings = readResource('fs.read', '/mem/cafe\u0301')
    if (typeof readings === 'string') throw new Error(readings)
    const matches = readings.map((it) => compileMatcher('path', '/mem/caf\u00e9').mismatch(it) === undefined)
    expect(matches).toEqual([false, true])
  })

  test.each([
    ['mem', 'is not absolute'],
    ['', 'an empty pattern matches nothing'],
    ['/mem//a', 'holds `//`'],
    ['/mem/', 'ends in a slash'],
    ['/mem/./a', 'holds `.` or `..`'],
    ['/mem/..', 'holds `.` or `..`'],
    ['/mem/a**', '`**` stands for whole parts'],
    ['/mem/***', '`**` stands for whole parts'],
    ['/mem/?', '`?` in `/mem/?` is no wildcard here'],
    ['/mem/[ab]', '`[` in `/mem/[ab]` is no wildcard here'],
    ['/mem/{a,b}', '`{` in `/mem/{a,b}` is no wildcard here'],
    ['/mem/@(a)', '`@(` in `/mem/@(a)` is no wildcard here'],
    ['!/mem/a', '`!` in `!/mem/a` is no wildcard here'],
    ['/mem/a\\b', '`\\` in `/mem/a\\b` is no wildcard here'],
    ['/mem/a\0', 'the character U+0000'],
    ['/mem/a\u202eb', 'the character U+202E'],
    ['/mem/cafe\u0301', 'not in Unicode normal form C'],
    [`/${'a'.repeat(limits.patternMax)}`, 'at most 1024 fit'],
    ['/**'.repeat(17), '17 wildcards, at most 16 are taken'],
    [`/${'*a'.repeat(17)}`, '17 wildcards, at most 16 are taken'],
  ])('%j is refused', (pattern, why) => expect(() => compileMatcher('path', pattern)).toThrow(why))

  test('takes a number of steps that does not explode, whatever the pattern', () => {
    const path = `/${'a/'.repeat(500)}a`
    expect(matchesPath(`${'/**'.repeat(16)}/x`, path)).toBe(false)
    expect(matchesPath(`/${'**/a/'.repeat(16)}x`, path)).toBe(false)
    const name = 'a'.repeat(limits.urlMax)
    expect(compileName('*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b')(name)).toBe(false)
  })
})

describe('a path that is not normalised is not judged', () => {
  test.each(['mem/a', '', '/mem/', '/mem//a', '/mem/../a', '/mem/.', '/..', '/mem/a\0'])('%j', (path) => {
    expect(readResource('fs.read', path)).toMatch(/^the path /)
  })
})

describe('a name pattern', () => {
  test.each([
    ['send_email', 'Send_email'],
    ['send_*', 'send'],
    ['openai/*', 'azure/openai/gpt'],
    ['*-mini', 'gpt-mini-2'],
  ])('%s does not match %s', (pattern, name) => expect(compileName(pattern)(name)).toBe(false))

  test.each([
    ['*', 'anything/at.all'],
    ['send_*', 'send_'],
    ['openai/*', 'openai/ft/gpt-5'],
    ['*/gpt-*-mini', 'openai/gpt-5-mini'],
  ])('%s matches %s', (pattern, name) => expect(compileName(pattern)(name)).toBe(true))

  test('has one wildcard only', () => {
    expect(() => compileName('model:**')).toThrow('there `*` alone is any run of characters')
  })
})
