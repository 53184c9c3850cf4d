import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameAtoms, pathAtoms, urlPathAtoms } from '../../src/policy/atoms.ts'
import { compileName } from '../../src/policy/match.ts'
import { compilePath, pathParts, readPath } from '../../src/policy/paths.ts'
import { compileUrl, readUrl } from '../../src/policy/urls.ts'

const word = fc.constantFrom('a', 'ab', 'b', 'ba', '.a', 'x')
const wild = fc.oneof(word, fc.constantFrom('*', '**', 'a*', '*b', 'a*b', '*.*'))
const joined = (parts: readonly string[]): string => `/${parts.join('/')}`
const patterns = fc.uniqueArray(fc.array(wild, { maxLength: 4 }).map(joined), { maxLength: 6 })

/** Which of the patterns match, as a text. */
const vector = (matchers: readonly ((text: string) => boolean)[], text: string): string =>
  matchers.map((matches) => (matches(text) ? '1' : '0')).join('')

describe('no text is matched in a way that no witness is, and no two witnesses in the same way', () => {
  test('paths', () => {
    const path = fc.array(fc.oneof(word, fc.constant('zzz')), { maxLength: 6 }).map(joined)
    fc.assert(
      fc.property(patterns, fc.array(path, { minLength: 30, maxLength: 30 }), (given, texts) => {
        const { witnesses, complete } = pathAtoms(given)
        const matchers = given.map((pattern) => {
          const matches = compilePath(pattern)
          return (text: string): boolean => matches(pathParts(text))
        })
        const known = witnesses.map((text) => vector(matchers, text))
        expect(complete).toBe(true)
        expect(new Set(known).size).toBe(known.length)
        expect(witnesses.filter((text) => typeof readPath(text) === 'string')).toEqual([])
        for (const text of texts) expect(known).toContain(vector(matchers, text))
      }),
      { numRuns: 300 },
    )
  })

  test('names', () => {
    const pattern = fc.oneof(word, fc.constantFrom('*', 'a*', '*b', 'a*b', 'a*b*a', '*.*'))
    const name = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        fc.uniqueArray(pattern, { maxLength: 6 }),
        fc.array(name, { minLength: 30, maxLength: 30 }),
        (given, texts) => {
          const { witnesses } = nameAtoms(given)
          const matchers = given.map(compileName)
          const known = witnesses.map((text) => vector(matchers, text))
          expect(new Set(known).size).toBe(known.length)
          for (const text of texts) expect(known).toContain(vector(matchers, text))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('paths of URLs, which may end in a slash', () => {
    const path = fc
      .tuple(fc.array(fc.oneof(word, fc.constant('zzz')), { maxLength: 5 }), fc.constantFrom('', '/'))
      .map(([parts, end]) => (parts.length === 0 ? '/' : joined(parts) + end))
    fc.assert(
      fc.property(patterns, fc.array(path, { minLength: 30, maxLength: 30 }), (given, texts) => {
        const { witnesses } = urlPathAtoms(given)
        const matchers = given.map((pattern) => {
          const { mismatch } = compileUrl(`https://h.org${pattern}`)
          return (text: string): boolean => {
            const readings = readUrl(`https://h.org${text}`)
            return typeof readings !== 'string' && readings.every((it) => mismatch(it) === undefined)
          }
        })
        const known = witnesses.map((text) => vector(matchers, text))
        for (const text of texts) expect(known).toContain(vector(matchers, text))
      }),
      { numRuns: 300 },
    )
  })
})

test('what would take too long is cut, and said to be', () => {
  const many = Array.from({ length: 14 }, (_, index) => `*${String.fromCharCode(97 + index)}*`)
  expect(nameAtoms(many).complete).toBe(false)
})
