import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WaitingLines } from '../../src/evidence/files/waiting.ts'
import { limits } from '../../src/limits.ts'

test('what is taken is every line that was added, as UTF-8, again and again', () => {
  const lines = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string()),
  )
  fc.assert(
    fc.property(fc.array(lines), (rounds) => {
      const waiting = new WaitingLines()
      for (const round of rounds) {
        for (const line of round) waiting.add(line)
        expect(waiting.take().toString('utf8')).toBe(
          Buffer.from(round.map((line) => `${line}\n`).join('')).toString('utf8'),
        )
        expect(waiting.take()).toHaveLength(0)
      }
    }),
  )
})

test('characters of three and four bytes have room, whatever was there before', () => {
  const waiting = new WaitingLines()
  for (const character of ['€', '\u{1f600}', '\ud800']) {
    const line = character.repeat(limits.evidenceWaitingBytes)
    waiting.add('first')
    waiting.add(line)
    waiting.add('last')
    expect(waiting.take().equals(Buffer.from(`first\n${line}\nlast\n`))).toBe(true)
  }
})
