import { expect, test } from 'vitest'
import { Redactor } from '../../../../src/drivers/net/secrets/redactor.ts'
import { withoutSecrets } from '../../../../src/drivers/net/secrets/texts.ts'

const value = 'sk-live-4f9a"x1'
const redactor = new Redactor([
  { name: 'TOKEN', value },
  { name: 'PIN', value: '1234567890' },
])
const of = (given: never) => withoutSecrets(given, redactor)

test('texts, keys and numbers are searched at any depth, in every form', async () => {
  const base64 = Buffer.from(`me:${value}`).toString('base64')
  const given = {
    a: [`x ${value} y`, { [value]: 1, b: encodeURIComponent(value) }],
    c: 1234567890,
    d: base64,
  }
  expect(await of(given as never)).toEqual({
    a: ['x [secret:TOKEN] y', { '[secret:TOKEN]': 1, b: '[secret:TOKEN]' }],
    c: '[secret:PIN]',
    d: expect.stringContaining('[secret:TOKEN]'),
  })
})

test('what holds none is the same value, and keys that became the same are numbered', async () => {
  const given = { a: ['plain', 1, null, true], __proto__: null }
  expect(await of(given as never)).toBe(given)
  expect(await of({ [value]: 1, [value.toUpperCase()]: 2 } as never)).toEqual({
    '[secret:TOKEN]': 1,
    '[secret:TOKEN] 2': 2,
  })
})

test('a long text and very many short ones let the kernel go on meanwhile', async () => {
  for (const given of [
    `${'x'.repeat(2_000_000)}${value}`,
    Array.from({ length: 50_000 }, () => 'a text of some length'),
  ]) {
    let turns = 0
    const timer = setInterval(() => (turns += 1), 0)
    const cleaned = await of(given as never)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    expect(JSON.stringify(cleaned)).not.toContain('sk-live')
  }
})
