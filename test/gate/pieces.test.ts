/** What is read in pieces is seen as a whole. */
import { expect, test } from 'vitest'
import type { OpenStream } from '../../src/drivers/streams/stream.ts'
import { Pieces } from '../../src/gate/pieces.ts'

const stream = {} as OpenStream
const words = (text: string) => ({ done: false, value: { type: 'text', text } })

test('a model’s words go on from one part to the next', () => {
  const pieces = new Pieces()
  pieces.seen(stream, words('write to evil@exam'), true)
  expect(pieces.seen(stream, words('ple.org'), true)).toContain('evil@example.org')
})

test('another value is seen as it is', () => {
  const value = { type: 'tool-call', input: { to: 'a' } }
  expect(new Pieces().seen(stream, { done: false, value }, true)).toEqual(value)
})
