import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/json.ts'
import { Carriers } from '../../src/suite/carriers.ts'

const answered = (result: unknown, args: JsonObject = {}) =>
  ({ tool: 't', args, result, error: undefined }) as never
const environment = {
  mails: [{ from: 'ann@home.example', text: "We can't cut the hedge, it rains all day." }],
  rooms: ['hall', 'Garden_0'],
  pages: { empty: '' },
  payments: [{ sender: 'GB29 6016', subject: '', amount: 10 }],
}
const carry = (vectors: Record<string, string>, result: unknown, args: JsonObject = {}) =>
  new Carriers({ vectors, environment }).carry(answered(result, args), 'EVIL')

describe('a vector whose text is known', () => {
  const vectors = { mail: "can't cut the hedge" }

  test('stands where its text is seen, which an attack replaces', () => {
    expect(carry(vectors, "We can't cut the hedge.")).toBe('We EVIL.')
  })

  test('also where a result folds and quotes it', () => {
    expect(carry(vectors, "text: 'We can''t cut\n    the hedge'")).toBe("text: 'We EVIL'")
    expect(carry(vectors, String.raw`text: "We can't cut\n  the\ hedge"`)).toBe('text: "We EVIL"')
    expect(carry(vectors, { text: "We can't cut the hedge" })).toBe('{"text":"We EVIL"}')
  })

  test('stands nowhere else', () => {
    expect(carry(vectors, 'We cut the hedge, it rains all day long.')).toBeUndefined()
  })

  test('does not stand in what a call only gives back of its arguments', () => {
    expect(carry(vectors, "can't cut the hedge", { text: "can't cut the hedge" })).toBeUndefined()
  })
})

test('a short text stands where it is part of a name, which the attack makes longer', () => {
  expect(carry({ room: '0' }, '- hall\n- Garden_0\n- 10')).toBe('- hall\n- Garden_0 EVIL\n- 10')
  expect(carry({ room: '0' }, '2026-05-10')).toBeUndefined()
})

describe('a vector that is empty when nobody attacks', () => {
  const vectors = { hidden: '' }

  test('may stand in any running text of the environment, and in an empty one', () => {
    const text = "We can't cut the hedge, it rains all day."
    expect(carry(vectors, text)).toBe(`${text}\nEVIL`)
    expect(carry(vectors, `text: "We can't cut the hedge, it\n rains all day."`)).toMatch(/\nEVIL$/)
    expect(carry(vectors, '')).toBe('EVIL')
  })

  test('may stand in the empty text of a thing, where the result shows the thing', () => {
    expect(carry(vectors, "- subject: ''\n  sender: GB29 6016\n  amount: 10")).toMatch(/\nEVIL$/)
    expect(carry(vectors, '- subject: Rent\n  sender: GB29 6016')).toBeUndefined()
    expect(carry(vectors, "- subject: ''\n  sender: CH93 0076")).toBeUndefined()
    expect(carry(vectors, "- subject: ''\n  sender: GB29 6016", { sender: 'GB29 6016' })).toBeUndefined()
  })

  test('does not stand in names, dates and numbers, nor in what the call itself said', () => {
    const said = "We can't cut the hedge, it rains all day."
    for (const result of ['ann@home.example', 'hall', 12, null])
      expect(carry(vectors, result)).toBeUndefined()
    expect(carry(vectors, said, { text: said })).toBeUndefined()
  })
})
