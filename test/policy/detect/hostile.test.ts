/** Texts written to make a search slow: 15 MiB of each end in time, which they would not if any of it were looked at again and again. */
import { describe, expect, test } from 'vitest'
import { Scan } from '../../../src/policy/detect/find.ts'
import { type DataKind, dataKinds } from '../../../src/policy/detect/kinds.ts'

const length = 15 * 1024 * 1024
const filled = (text: string): string => text.repeat(Math.ceil(length / text.length)).slice(0, length)

/** What a detector of each kind would stumble over: beginnings without ends, and runs in which everything could begin. */
const nasty: readonly (readonly [DataKind, string])[] = [
  ['email', 'a@'],
  ['email', 'a'],
  ['email', `x@${'a.'.repeat(99)}`],
  ['card', '4'],
  ['card', '4 '],
  ['card', '4111 1111 1111 1112 '],
  ['iban', 'GB29 NWBK 6016 1331 9268 18 '],
  ['iban', 'GB29'],
  ['phone', '+1 '],
  ['phone', '0 1'],
  ['national-id', 'RSSMRA85T10A562'],
  ['national-id', '2 55 08 14 168 025 39 '],
  ['secret', 'eyJ'],
  ['secret', 'eyJaaaaaaaaa.'],
  ['secret', 'sk-proj-'],
  ['secret', 'a://b:'],
  ['secret', 'password='],
  ['secret', '-----BEGIN PRIVATE KEY-----'],
  ['secret', '%41'],
  ['secret', 'bearer '],
]

describe('15 MiB end in time', () => {
  test.each(nasty)(
    '%s in `%s…`',
    (kind, unit) => {
      const text = filled(unit)
      const spans = new Scan(text).find(kind)
      for (const { start, end } of spans.slice(0, 10)) expect(start < end && end <= text.length).toBe(true)
    },
    60_000,
  )
})

test('every kind is tried', () => {
  expect(new Set(nasty.map(([kind]) => kind))).toEqual(new Set(dataKinds))
})
