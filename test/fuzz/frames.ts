/** Fuzzes the decoder of the boundary protocol against a plain one that has the whole stream before it. */
import assert from 'node:assert/strict'
import { encodeFrame, type Frame, FrameDecoder, frameKinds } from '../../src/isolate/frames.ts'
import { limits } from '../../src/limits.ts'
import type { Random } from '../support/random.ts'

/** What a stream says: its frames up to the first flaw, and whether there is one. */
export interface Reading {
  readonly frames: readonly Frame[]
  readonly flawed: boolean
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The protocol as frames.ts documents it, read in the plainest way. */
export function readPlainly(stream: Buffer): Reading {
  const frames: Frame[] = []
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  let at = 0
  while (stream.length - at >= 4) {
    const length = view.getUint32(at, true)
    if (length > limits.frameBytesMax) return { frames, flawed: true }
    if (stream.length - at - 4 < length) break
    if (length < 11) return { frames, flawed: true }
    const kind = frameKinds[view.getUint8(at + 4)]
    const nameEnd = at + 15 + view.getUint16(at + 13, true)
    const end = at + 4 + length
    if (kind === undefined || nameEnd > end) return { frames, flawed: true }
    const [guest, number] = [view.getUint32(at + 5, true), view.getUint32(at + 9, true)]
    const name = utf8.decode(stream.subarray(at + 15, nameEnd))
    frames.push({ kind, guest, number, name, text: utf8.decode(stream.subarray(nameEnd, end)) })
    at = end
  }
  return { frames, flawed: false }
}

const names = ['', 'fs.read', 'net.fetch', 'ü', '𝒳'.repeat(20), 'x'.repeat(300), '\uFEFFbom', '__proto__']
const texts = [
  '',
  '{}',
  '{"path":"/mem/a"}',
  '[[1,{"ok":null}]]',
  '\u0000',
  '\uD800',
  'é'.repeat(50),
  '\uFEFF',
]
const edges = [0, 1, 2, 10, 11, 12, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

function soundFrame(random: Random): Buffer {
  const number = random.chance(0.3) ? random.pick(edges) : random.between(0, 5_000)
  return encodeFrame({
    kind: random.pick(frameKinds),
    guest: random.chance(0.1) ? random.pick(edges) : random.between(0, 20),
    number,
    name: random.pick(names),
    text: random.pick(texts),
  })
}

/** Each breaks, or only bends, one frame. */
const flaws: Readonly<Record<string, (frame: Buffer, random: Random) => Buffer>> = {
  'length at the edge': (frame, random) => put32(frame, random.pick(edges)),
  'length near the truth': (frame, random) => put32(frame, frame.length - 4 + random.between(-3, 3)),
  'length at the limit': (frame, random) => put32(frame, limits.frameBytesMax + random.between(-1, 2)),
  'unknown kind': (frame, random) => put8(frame, random.between(frameKinds.length, 255)),
  'long name': (frame, random) => {
    frame.writeUInt16LE(random.pick([0xffff, frame.length - 15, frame.length - 14]), 13)
    return frame
  },
  'no UTF-8': (frame, random) => {
    if (frame.length > 15) frame[random.between(15, frame.length - 1)] = random.between(0x80, 0xff)
    return frame
  },
  'cut short': (frame, random) => frame.subarray(0, random.between(0, frame.length)),
  'any bit': (frame, random) => {
    const at = random.between(0, frame.length - 1)
    frame[at] = (frame[at] ?? 0) ^ (1 << random.between(0, 7))
    return frame
  },
  'any bytes': (_frame, random) => random.bytes(random.between(0, 40)),
}
const flawNames = Object.keys(flaws)

function put32(frame: Buffer, value: number): Buffer {
  frame.writeUInt32LE(value >>> 0, 0)
  return frame
}

function put8(frame: Buffer, value: number): Buffer {
  frame.writeUInt8(value, 4)
  return frame
}

/** How a stream is torn: whole, into single bytes, into small pieces, or anywhere. */
function* torn(stream: Buffer, random: Random): Generator<Buffer> {
  const most = random.pick([stream.length, 1, 3, 16, 200])
  for (let at = 0; at < stream.length; ) {
    const size = random.between(1, Math.max(1, most))
    yield stream.subarray(at, at + size)
    at += size
  }
}

/** What the kernel's decoder makes of a stream that comes in pieces; after a flaw it is of no use. */
export function readInPieces(pieces: Iterable<Buffer>): Reading {
  const decoder = new FrameDecoder()
  const frames: Frame[] = []
  try {
    for (const piece of pieces) frames.push(...decoder.push(piece))
  } catch (error) {
    assert.match(String(error), /a frame/, 'the decoder fails only by its own words')
    return { frames, flawed: true }
  }
  return { frames, flawed: false }
}

/**
 * One stream of frames, some of them flawed, torn and read in both ways.
 * @returns how many frames went in, and the flaws among them
 * @throws AssertionError where the two readings differ
 */
export function fuzzStream(random: Random): { readonly frames: number; readonly flaws: number } {
  const count = random.between(1, 12)
  let flawed = 0
  const parts = Array.from({ length: count }, () => {
    const frame = soundFrame(random)
    if (!random.chance(0.08)) return frame
    flawed += 1
    return (flaws[random.pick(flawNames)] as (frame: Buffer, random: Random) => Buffer)(frame, random)
  })
  const stream = Buffer.concat(parts)
  const plain = readPlainly(stream)
  const pieced = readInPieces(torn(stream, random))
  assert.equal(pieced.flawed, plain.flawed, 'a flaw is seen by both')
  // Frames that came in one piece with a flaw behind them are dropped with it: the cell ends.
  const same = plain.flawed ? plain.frames.slice(0, pieced.frames.length) : plain.frames
  assert.equal(pieced.frames.length, same.length, 'no frame is lost or made up')
  for (const [index, frame] of pieced.frames.entries()) assertSame(frame, same[index] as Frame)
  return { frames: count, flaws: flawed }
}

/** Much faster than deepEqual, of which there would be millions. */
function assertSame(left: Frame, right: Frame): void {
  const same =
    left.kind === right.kind &&
    left.guest === right.guest &&
    left.number === right.number &&
    left.name === right.name &&
    left.text === right.text
  if (!same) assert.deepEqual(left, right)
}
