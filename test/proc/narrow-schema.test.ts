/** What fits a narrow schema, and how many bits it may tell. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/json.ts'
import { narrowPattern } from '../../src/proc/narrow-pattern.ts'
import { readNarrowSchema } from '../../src/proc/narrow-schema.ts'

const text = (pattern: string, maxLength = 20): Json => ({ type: 'string', pattern, maxLength })

test.each<[Json, number, readonly Json[], readonly Json[]]>([
  [{ enum: ['yes', 'no'] }, 2, ['yes', 'no'], ['maybe', '', true, null, ['yes']]],
  [{ enum: ['only'] }, 1, ['only'], ['other']],
  [{ enum: ['a', 'b', 'c'] }, 2, ['c'], ['d']],
  [{ enum: ['a', 'b', 'c', 'd'] }, 3, ['d'], ['e']],
  [{ type: 'boolean' }, 2, [true, false], ['true', 0, null]],
  [{ type: 'integer', minimum: 0, maximum: 255 }, 9, [0, 255, -0], [256, -1, 1.5, '1', null, 1e300]],
  [{ type: 'integer', minimum: -3, maximum: 3 }, 3, [-3, 3], [-4]],
  [
    { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    54,
    [7],
    [2 ** 53],
  ],
  [
    { type: 'string', format: 'date' },
    17,
    ['2026-12-03', '1900-01-01'],
    ['2026-02-30', '2200-01-01', '2026-1-1', 'today', '2026-12-03T00:00:00Z'],
  ],
  [
    { type: 'string', format: 'date', minimum: '2026-01-01', maximum: '2026-01-03' },
    2,
    ['2026-01-03'],
    ['2026-01-04'],
  ],
  [text('[ab]{3}'), 4, ['aba'], ['ab', 'abab', 'abc', 'aba\n']],
  [text('\\d{4}-\\d{2}'), 20, ['2026-12'], ['2026-1', '20261-2', '٢٠٢٦-12']],
  [
    text('^[a-z0-9._-]+@example\\.org$', 32),
    170,
    ['ann.b@example.org'],
    ['ann@exampleXorg', 'Ann@example.org', `${'a'.repeat(40)}@example.org`],
  ],
  [text('a?b*c+', 4), 6, ['c', 'abcc', 'bbbc'], ['ab', 'abbcc', 'ca']],
  [text('x'), 2, ['x'], ['', 'xx', 'X']],
])('%j may tell %d bits', (schema, bits, fitting, others) => {
  const narrow = readNarrowSchema(schema)
  for (const value of fitting) expect(narrow.fits(value), JSON.stringify(value)).toBe(true)
  for (const value of others) expect(narrow.fits(value), JSON.stringify(value)).toBe(false)
  expect(narrow.bits).toBe(bits)
})

describe('a schema is refused', () => {
  test.each<[string, Json]>([
    ['without bounds', { type: 'integer' }],
    ['with bounds that are none', { type: 'integer', minimum: 5, maximum: 4 }],
    ['with fractions', { type: 'integer', minimum: 0.5, maximum: 4 }],
    ['with an empty enum', { enum: [] }],
    ['with a value twice', { enum: ['a', 'a'] }],
    ['with numbers in an enum', { enum: [1] }],
    ['with a long enum', { enum: Array.from({ length: 257 }, (_, n) => `${n}`) }],
    ['with a date that is none', { type: 'string', format: 'date', minimum: '2026-02-30' }],
    ['with another format', { type: 'string', format: 'email', maxLength: 10 }],
    ['with a key beside', { type: 'boolean', description: 'x' }],
    ['without a length', { type: 'string', pattern: 'a' }],
    ...[
      'a|b',
      '(a)',
      '(?=a)',
      '[^a]',
      '.',
      'a{1001}',
      '\\w',
      '\\1',
      'a**',
      '[',
      'é',
      '[z-a]',
      '\\',
      'a{3,2}',
      'a'.repeat(17),
      '[]',
    ].map((pattern): [string, Json] => [`with the pattern ${pattern}`, text(pattern)]),
  ])('%s', (_what, schema) => {
    expect(() => readNarrowSchema(schema)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  })
})

test('the count of a pattern is never less than what matches, by trying all short texts', () => {
  const alphabet = ['a', 'b', '1']
  const texts = (length: number): readonly string[] =>
    length === 0 ? [''] : texts(length - 1).flatMap((start) => alphabet.map((next) => `${start}${next}`))
  const all = Array.from({ length: 6 }, (_, length) => texts(length)).flat()
  for (const source of [
    'a*b*',
    '[ab]*[ab]*',
    'a?a?a?',
    '[ab1]{0,5}',
    'a+b?1*',
    '[a-b]{2}1{0,3}',
    '\\d*a\\d*',
  ]) {
    const pattern = narrowPattern(source, 5)
    const regular = new RegExp(`^(?:${source})$`)
    const matching = all.filter((each) => pattern.matches(each))
    expect(matching).toEqual(all.filter((each) => regular.test(each)))
    expect(pattern.log2Count + 1e-9, source).toBeGreaterThanOrEqual(Math.log2(matching.length))
  }
})

test('a pattern that would keep a backtracking matcher busy for years is matched at once', () => {
  const { matches } = narrowPattern('a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b', 128)
  const started = performance.now()
  expect(matches(`${'a'.repeat(127)}c`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(2_000)
})
