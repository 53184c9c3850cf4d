/** The bytes between kernel and cell: any cut of them gives the same frames, and what is none is refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, FrameDecoder, frameKinds } from '../../src/isolate/frames.ts'
import { limits } from '../../src/limits.ts'

const u32 = fc.nat({ max: 2 ** 32 - 1 })
const text = fc.string({ unit: 'binary' })
const frame: fc.Arbitrary<Frame> = fc.record({
  kind: fc.constantFrom(...frameKinds),
  guest: u32,
  number: u32,
  name: text,
  text,
})

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

test('a frame longer than the limit is refused as soon as its length is known', () => {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(limits.frameBytesMax + 1)
  expect(() => new FrameDecoder().push(head)).toThrow('a frame of')
})

test('a frame shorter than its head, of unknown kind, or with a name beyond its end is refused', () => {
  const sound = encodeFrame({ kind: 'call', guest: 1, number: 2, name: 'fs.read', text: '{}' })
  const short = Buffer.from([3, 0, 0, 0, 1, 2, 3])
  const unknown = Buffer.from(sound)
  unknown.writeUInt8(frameKinds.length, 4)
  const long = Buffer.from(sound)
  long.writeUInt16LE(0xffff, 13)
  expect(() => new FrameDecoder().push(short)).toThrow('shorter than its head')
  expect(() => new FrameDecoder().push(unknown)).toThrow('unknown kind')
  expect(() => new FrameDecoder().push(long)).toThrow('longer than itself')
})

test('garbage throws or waits for more; it never hangs and never becomes a frame that is not there', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const decoder = new FrameDecoder()
      try {
        for (const { kind } of decoder.push(Buffer.from(bytes))) expect(frameKinds).toContain(kind)
      } catch (error) {
        expect(String(error)).toContain('a frame')
      }
    }),
  )
})

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (frames, places) => {
        const decoder = new FrameDecoder()
        const stream = Buffer.concat(frames.map(encodeFrame))
        expect(cut(stream, places).flatMap((chunk) => decoder.push(chunk))).toEqual(frames)
      },
    ),
  )
})

test('frames cut into single bytes come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 3 }), (frames) => {
      const decoder = new FrameDecoder()
      const bytes = [...Buffer.concat(frames.map(encodeFrame))]
      expect(bytes.flatMap((byte) => decoder.push(Buffer.from([byte])))).toEqual(frames)
    }),
  )
})
