import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Salting } from '../../src/evidence/salted.ts'

const sha256 = (salt: string, text: string): string =>
  createHash('sha256').update(Buffer.from(salt, 'hex')).update(text).digest('hex')

test('the hash is that of the salt and the bytes behind it, whatever was hashed before', () => {
  const salting = new Salting()
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
      const { salt, hash, bytes } = salting.of(text)
      expect({ hash, bytes }).toEqual({ hash: sha256(salt, text), bytes: Buffer.byteLength(text) })
    }),
  )
})

test.each(['x', 'ü', '€', '\u{1f600}'])(
  'texts of %s of every length about the room there is',
  (character) => {
    const salting = new Salting()
    for (const length of [0, 21_839, 21_840, 21_841, 32_760, 65_519, 65_520, 65_521, 200_000]) {
      const text = character.repeat(length)
      const { salt, hash, bytes } = salting.of(text)
      expect({ hash, bytes }).toEqual({ hash: sha256(salt, text), bytes: Buffer.byteLength(text) })
    }
  },
)

test('no salt comes twice', () => {
  const salting = new Salting()
  const salts = Array.from({ length: 2_000 }, () => salting.of('').salt)
  expect(new Set(salts).size).toBe(2_000)
  expect(salts.every((salt) => /^[0-9a-f]{32}$/.test(salt))).toBe(true)
})
