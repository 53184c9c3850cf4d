import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText } from '../../src/evidence/canonical.ts'
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
