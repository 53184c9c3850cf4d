/** Taking data out of any value: none stays, the rest stays as it was. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/json.ts'
import { dataKinds, samples } from '../../src/policy/detect/kinds.ts'
import { redact, redactText } from '../../src/policy/redact.ts'

const words = fc.constantFrom('otters', 'are', '12', 'of', 'é', '😀', 'x-y', '')
const held = fc.constantFrom(...dataKinds.filter((kind) => kind !== 'secret').map((kind) => samples[kind]))
const plain = fc.array(words, { maxLength: 5 }).map((parts) => parts.join(' | '))
const mixed = fc.array(fc.oneof(words, held), { maxLength: 6 }).map((parts) => parts.join(' | '))
const values = (text: fc.Arbitrary<string>): fc.Arbitrary<Json> =>
  fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.constantFrom<Json>(null, true, 0, 1.5, 42, -7),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  })).value

test('a value without data is the very same value', () => {
  fc.assert(
    fc.property(values(plain), (value) => {
      expect(redact(value, dataKinds)).toBe(value)
    }),
  )
})

test('of a value with data, none stays', () => {
  fc.assert(
    fc.property(values(mixed), (value) => {
      const text = JSON.stringify(redact(value, dataKinds))
      for (const kind of dataKinds) expect(text).not.toContain(samples[kind])
    }),
  )
})

test('as many values, keys and items stay as there were', () => {
  const shape = (value: Json): unknown => {
    if (Array.isArray(value)) return value.map(shape)
    if (typeof value !== 'object' || value === null) return typeof value
    return Object.values(value).map(shape)
  }
  fc.assert(
    fc.property(values(mixed), (value) => {
      expect(shape(redact(value, dataKinds))).toEqual(shape(value))
    }),
  )
})

describe('one text', () => {
  test.each([
    ['a@x.org', '[redacted email]'],
    ['a@x.org b@x.org', '[redacted email] [redacted email]'],
    ['to: <a@x.org>, 4111111111111111!', 'to: <[redacted email]>, [redacted card]!'],
    ['u=a%40x.org&v=1', 'u=[redacted email]&v=1'],
  ])('%s', (text, shown) => expect(redactText(text, dataKinds)).toBe(shown))

  test('only the kinds that are named are taken out', () => {
    expect(redactText('ftp://app:s3cr3tPass@db.example.org/x', ['secret'])).toBe(
      'ftp://app:[redacted secret]@db.example.org/x',
    )
    expect(redactText('a@x.org 4111111111111111', ['card'])).toBe('a@x.org [redacted card]')
  })

  test('what was taken out once is not taken out again', () => {
    for (const kind of dataKinds) {
      const once = redactText(`<${samples[kind]}>`, dataKinds)
      expect(once).toContain('[redacted ')
      expect(redactText(once, dataKinds)).toBe(once)
    }
  })
})

test.each([
  [{ phone: '2125550123' }, { phone: '[redacted phone]' }],
  [{ bsn: 111_222_333 }, { bsn: '[redacted national-id]' }],
  [{ client_secret: '9f86d081884c7d65' }, { client_secret: '[redacted secret]' }],
])('a name in a key says what its value is, and stays: %j', (value, shown) => {
  expect(redact(value, dataKinds)).toEqual(shown)
})

test('a match that goes over several texts is taken out of each', () => {
  const key = ['-----BEGIN PRIVATE KEY-----', 'Ab1+/'.repeat(12), '-----END PRIVATE KEY-----', 'after']
  expect(redact(key, ['secret'])).toEqual([
    '[redacted secret]',
    '[redacted secret]',
    '[redacted secret]',
    'after',
  ])
})
