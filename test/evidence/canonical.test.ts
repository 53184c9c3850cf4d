import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText, isCanonicalText } from '../../src/evidence/canonical.ts'
import { limits } from '../../src/limits.ts'
import published from '../fixtures/rfc8785-vectors.json' with { type: 'json' }

const cycle: Record<string, unknown> = {}
cycle.self = cycle

test.each([
  ['undefined', undefined, '`value` is undefined'],
  ['a hole in a list', { list: [1, undefined] }, '`value.list[1]` is undefined'],
  ['NaN', { a: Number.NaN }, '`value.a` is NaN'],
  ['infinity', [Number.POSITIVE_INFINITY], '`value[0]` is Infinity'],
  ['a big integer', { a: { b: 1n } }, '`value.a.b` is a bigint'],
  ['a function', { run: () => 1 }, '`value.run` is a function'],
  ['a symbol', [Symbol('s')], '`value[0]` is a symbol'],
  ['a Date', { when: new Date(0) }, '`value.when` is not a plain object'],
  ['a Map', new Map(), '`value` is not a plain object'],
  ['a key that is a symbol', { [Symbol('s')]: 1 }, '`value` is not a plain object'],
  ['half of a surrogate pair', { text: '\ud800' }, '`value.text` is a text with a lone surrogate'],
  ['a key with half of a surrogate pair', { '\udc00': 1 }, 'a key with a lone surrogate'],
  ['a cycle', cycle, `a cycle or nested deeper than ${limits.canonicalDepthMax}`],
])('%s has no canonical text, and the refusal says where it is', (_, value, why) => {
  expect(() => canonicalText(value)).toThrow(TypeError)
  expect(() => canonicalText(value)).toThrow(why)
  expect(() => canonicalText(value)).toThrow('cannot carry')
})

test.each(published.vectors)(
  'the published vector $name comes out byte by byte',
  ({ input_text, output_utf8_hex }) => {
    expect(Buffer.from(canonicalText(JSON.parse(input_text))).toString('hex')).toBe(output_utf8_hex)
  },
)

test('an optional member that is undefined is left out', () => {
  expect(canonicalText({ b: undefined, a: 1 })).toBe('{"a":1}')
})

test('keys are ordered by UTF-16 units at every level, those that look like numbers too', () => {
  expect(canonicalText({ b: [{ z: 1, a: 2 }], a: { 10: 1, 9: 2 } })).toBe(
    '{"a":{"10":1,"9":2},"b":[{"a":2,"z":1}]}',
  )
})

test('a key called __proto__ is a key like any other', () => {
  expect(canonicalText(JSON.parse('{"b":1,"__proto__":{"x":1},"a":2}'))).toBe(
    '{"__proto__":{"x":1},"a":2,"b":1}',
  )
})

test('more keys than one sorts by hand are in order too', () => {
  const keys = Array.from({ length: 100 }, (_, index) => `k${(index * 37) % 100}`)
  const text = canonicalText(Object.fromEntries(keys.map((key) => [key, 0])))
  expect(Object.keys(JSON.parse(text))).toEqual([...keys].sort())
})

/** JSON as a parser returns it, so that -0 does not get in the way of comparing. */
const json = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 6 })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))

test('what is read back from canonical text is what was written', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(canonicalText(value))).toEqual(value)
    }),
  )
})

test('the order in which keys were set does not show', () => {
  const turned = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turned)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, turned(item)]),
    )
  }
  fc.assert(
    fc.property(json, (value) => {
      expect(canonicalText(turned(value))).toBe(canonicalText(value))
    }),
  )
})

test('it is the text of the reference library, for any value', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(canonicalText(value)).toBe(canonicalize(value))
    }),
    { numRuns: 1_000 },
  )
})

/** `__proto__` too becomes a key. */
const fromPairs = (pairs: readonly (readonly [string, unknown])[]): Record<string, unknown> =>
  Object.defineProperties(
    {},
    Object.fromEntries(
      pairs.map(([key, value]) => [`${key}`, { value, enumerable: true }]),
    ) as PropertyDescriptorMap,
  )

/** Objects of a few kinds in every order of their keys, as entries are, with members that are left out. */
const entryLike = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(null, true, false, undefined, -0, 1e21, 5e-324),
    fc.array(tie('item'), { maxLength: 3 }),
    tie('object'),
  ),
  item: fc.oneof(fc.integer(), fc.string(), tie('object')),
  object: fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom(
          'run',
          'pid',
          'seq',
          'a',
          'Z',
          '10',
          '9',
          '',
          'ü',
          '\u{1f600}',
          '\uffee',
          '__proto__',
          '"',
          '\n',
        ),
        tie('value'),
      ),
      { selector: ([key]) => key, maxLength: 14 },
    )
    .map(fromPairs),
})).object

test('it is the text of the reference library for objects of the same kinds in any order of keys', () => {
  fc.assert(
    fc.property(entryLike, (value) => {
      expect(canonicalText(value)).toBe(canonicalize(value))
    }),
    { numRuns: 1_000 },
  )
})

test('more kinds of objects than are remembered, and objects and keys that are not, have the same texts', () => {
  const kinds = Array.from({ length: limits.canonicalFormsMax + 10 }, (_, index) => ({
    z: 1,
    [`k${index}`]: 2,
  }))
  const wide = fromPairs(
    Array.from({ length: limits.canonicalFormKeysMax * 3 }, (_, index) => [`k${99 - index}`, index]),
  )
  const long = { z: undefined, ['y'.repeat(limits.canonicalFormKeyLength + 1)]: 1, x: 2 }
  for (const value of [...kinds, wide, long, ...kinds]) expect(canonicalText(value)).toBe(canonicalize(value))
})

test('what somebody has put on the prototype of all objects is no member', () => {
  const canonical = '{"a":{"d":"x"},"b":1}'
  Object.defineProperty(Object.prototype, 'c', { value: 2, enumerable: true, configurable: true })
  const texts: unknown[] = []
  try {
    texts.push(canonicalText({ b: 1, a: { d: 'x' } }), isCanonicalText(canonical, JSON.parse(canonical)))
  } finally {
    Reflect.deleteProperty(Object.prototype, 'c')
  }
  expect(texts).toEqual([canonical, true])
})

test('a text is canonical exactly where the reference library writes the same', () => {
  const texts = fc.oneof(
    json.map((value) => canonicalize(value) ?? ''),
    json.map((value) => JSON.stringify(value)),
    entryLike.map((value) => JSON.stringify(value)),
    json.map((value) => JSON.stringify(value, undefined, 1)),
    fc.tuple(entryLike, fc.nat()).map(([value, at]) => {
      const text = canonicalize(value) ?? ''
      return text.slice(0, at % text.length) + text.slice((at % text.length) + 1)
    }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const value = orNothing(() => JSON.parse(text))
      fc.pre(value !== undefined)
      const reference = orNothing(() => canonicalize(value))
      expect(isCanonicalText(text, value)).toBe(text.isWellFormed() && reference === text)
    }),
    { numRuns: 1_000 },
  )
})

/** A text that was cut may be none, or hold a number that is infinite. */
function orNothing(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}

test.each([
  ['half of a surrogate pair, as JSON.stringify writes it', '{"a":"\\ud800"}', false],
  ['the same as a key', '{"\\ud800":1}', false],
  ['a text that only looks like that', '{"a":"\\\\ud800"}', true],
  ['an escape that is not needed', '{"a":"\\u0041"}', false],
  ['a key twice', '{"a":1,"a":2}', false],
  ['a number in another form', '[1.0]', false],
  ['numbers as keys, in the order of texts', '{"10":1,"9":2}', true],
  ['numbers as keys, in the order of numbers', '{"9":2,"10":1}', false],
  ['nesting that nobody writes', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, false],
])('%s is seen for what it is', (_, text, isCanonical) => {
  expect(isCanonicalText(text, JSON.parse(text))).toBe(isCanonical)
})
