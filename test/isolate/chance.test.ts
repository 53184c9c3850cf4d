/** The randomness of user space is the ChaCha20 key stream of RFC 8439, keyed by the recorded seed. */
import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { GuestSpec } from '../../src/isolate/guest.ts'
import { InlineSpace } from '../../src/isolate/inline.ts'

const space = new InlineSpace()
afterEach(() => space.close())

/** Runs a program whose only call is its exit, with a seed of our choice. */
function valueWith(seed: string, body: string): Promise<unknown> {
  const spec: GuestSpec = {
    program: `export default () => { ${body} }`,
    filename: 'chance.js',
    args: '[]',
    boot: JSON.stringify({ time: 0, seed, doors: [] }),
    heapBytes: 16 * 1024 * 1024,
    limit: { wallMs: 5_000 },
  }
  return new Promise((resolve, reject) => {
    const guest = space.start({ agent: 'a', policy: 'p', own: false, run: 'r' }, spec, {
      call: (_number, _name, text) => resolve(JSON.parse(text).value),
      turn: () => guest.end(),
      fault: ({ reason }) => reject(new Error(reason)),
    })
  })
}

/** 32-bit words of the key stream with nonce 0 from counter 0, by OpenSSL. */
function keyStream(key: Buffer, words: number): readonly number[] {
  const bytes = createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(words * 4))
  return Array.from({ length: words }, (_, index) => bytes.readUInt32LE(index * 4))
}

const random = (high = 0, low = 0): number => ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53

test('the first block is that of RFC 8439, appendix A.1, test vector 1', async () => {
  const vector =
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
    'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586'
  const block = Buffer.from(vector, 'hex')
  const value = await valueWith('00'.repeat(32), 'return [...crypto.getRandomValues(new Uint8Array(16))]')
  expect(value).toEqual(Array.from({ length: 16 }, (_, word) => block[word * 4]))
  const numbers = await valueWith('00'.repeat(32), 'return Array.from({ length: 8 }, () => Math.random())')
  const words = Array.from({ length: 16 }, (_, word) => block.readUInt32LE(word * 4))
  expect(numbers).toEqual(Array.from({ length: 8 }, (_, n) => random(words[2 * n], words[2 * n + 1])))
})

test('for any key, and over many blocks, it is the same stream as OpenSSL’s', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (bytes) => {
      const key = Buffer.from(bytes)
      const words = keyStream(key, 200)
      const value = await valueWith(
        key.toString('hex'),
        'return [[...crypto.getRandomValues(new Uint8Array(100))], Math.random(), Math.random()]',
      )
      const numbers = [random(words[100], words[101]), random(words[102], words[103])]
      expect(value).toEqual([words.slice(0, 100).map((word) => word & 255), ...numbers])
    }),
    { numRuns: 20 },
  )
})
