/** The decoder of the boundary protocol reads any bytes, however torn, as a plain reading of its format does. */
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, FrameDecoder } from '../../src/isolate/frames.ts'
import { limits } from '../../src/limits.ts'
import { Random } from '../support/random.ts'
import { fuzzStream, readInPieces, readPlainly } from './frames.ts'

test('three hundred thousand frames, some of them flawed, torn anywhere', () => {
  let frames = 0
  let flaws = 0
  for (let seed = 0; frames < 300_000; seed += 1) {
    const stream = fuzzStream(new Random(`frames ${seed}`))
    frames += stream.frames
    flaws += stream.flaws
  }
  expect(flaws).toBeGreaterThan(10_000)
})

const call: Frame = {
  kind: 'call',
  guest: 3,
  number: 2 ** 32 - 1,
  name: 'fs.réad',
  text: '{"path":"/mem/𝒳"}',
}

test('a stream torn at every two places, sound and with each byte spoilt', () => {
  const sound = Buffer.concat([encodeFrame(call), encodeFrame({ ...call, kind: 'turn', name: '' })])
  for (let spoilt = -1; spoilt < sound.length; spoilt += 1) {
    const stream = Buffer.from(sound)
    if (spoilt >= 0) stream[spoilt] = (stream[spoilt] ?? 0) ^ 0xff
    const plain = readPlainly(stream)
    for (let at = 0; at <= stream.length; at += 1) {
      const read = readInPieces([
        stream.subarray(0, at),
        stream.subarray(at, at + 1),
        stream.subarray(at + 1),
      ])
      expect(read.flawed).toBe(plain.flawed)
      expect(read.frames).toEqual(plain.frames.slice(0, read.frames.length))
    }
  }
})

test('a frame of the largest size that is claimed and never comes takes no memory', () => {
  const decoder = new FrameDecoder()
  const head = Buffer.alloc(4)
  head.writeUInt32LE(limits.frameBytesMax)
  const before = process.memoryUsage().rss
  expect(decoder.push(head)).toEqual([])
  for (let piece = 0; piece < 100; piece += 1) expect(decoder.push(Buffer.alloc(1))).toEqual([])
  expect(process.memoryUsage().rss - before).toBeLessThan(limits.frameBytesMax / 4)
})

test('a huge frame in small pieces comes out whole', () => {
  const text = 'x'.repeat(8 * 1024 * 1024)
  const bytes = encodeFrame({ ...call, text })
  const decoder = new FrameDecoder()
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += 65_536)
    frames.push(...decoder.push(bytes.subarray(at, at + 65_536)))
  expect(frames.map((frame) => frame.text === text)).toEqual([true])
})
