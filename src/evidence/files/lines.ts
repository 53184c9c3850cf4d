/** A stream of lines over its files, read in parts: forwards, from a place on, or only the end. */
import { closeSync, fstatSync } from 'node:fs'
import { limits } from '../../limits.ts'
import type { Stream } from '../store.ts'
import { errnoOf, fileOf, flags, openRegular, reporting, type Segment, segmentsIn } from './folder.ts'
import { readFrames } from './frames.ts'
import { decode, decodeLine, lineEnd, newline, readAt, tooLong, unreadable } from './read-at.ts'

/** Where a line begins. */
export interface Place {
  /** The number of a segment. */
  readonly number: number
  readonly at: number
}

interface ReadOptions {
  /** Where to begin; at the first line by default. */
  readonly from?: Place | undefined
  /** Is told how many bytes follow the last newline of the newest file: a write under way, or cut short. */
  readonly torn?: (file: string, bytes: number) => void
}

/**
 * @returns every whole line of a stream, oldest first, as the files are now; in place of what cannot be unpacked stands
 *   a line that is no payload
 * @throws EvidenceError when a file cannot be read, or holds a line beyond `limits.evidenceLineBytesMax`
 */
export function* readStream(
  dir: string,
  stream: Stream,
  { from = { number: 0, at: 0 }, torn = () => {} }: ReadOptions = {},
): Generator<string, void, undefined> {
  const segments = listed(dir, stream)
  for (const segment of segments) {
    if (segment.number < from.number) continue
    const rest = yield* readSegment(dir, segment, segment.number === from.number ? from.at : 0)
    if (rest.length === 0) continue
    if (segment === segments.at(-1)) torn(fileOf(segment), rest.length)
    // A file that is not written any more ends with a newline; what stands there is for the verifier to judge.
    else yield decodeLine(rest)
  }
}

/**
 * @param bytes how much of the end of the log is read
 * @returns the whole lines in it, oldest first
 * @throws EvidenceError as `readStream` does
 */
export function* readNewest(dir: string, bytes: number): Generator<string, void, undefined> {
  const segments = listed(dir, 'log')
  const sizes = segments.map((segment) => reading(dir, segment, (_, size) => size) ?? 0)
  let skipped = Math.max(0, sizes.reduce((sum, size) => sum + size, 0) - bytes)
  for (const [index, segment] of segments.entries()) {
    const size = sizes[index] ?? 0
    const from = Math.min(skipped, size)
    skipped -= from
    if (from === size) continue
    const start = from === 0 ? 0 : (reading(dir, segment, (fd) => lineEnd(fd, from - 1, size)) ?? size)
    yield* readSegment(dir, segment, start)
  }
}

/** @returns the segments of a stream @throws EvidenceError where the folder cannot be read */
export const listed = (dir: string, stream: Stream): readonly Segment[] =>
  reporting('the evidence cannot be read', () => segmentsIn(dir, stream))

/**
 * Opens a segment while `work` runs.
 * @returns undefined for a pack that was removed since the folder was listed
 * @throws EvidenceError when it cannot be read
 */
export function reading<T>(
  dir: string,
  segment: Segment,
  work: (fd: number, size: number, segment: Segment) => T,
): T | undefined {
  const opened = open(dir, segment)
  if (opened === undefined) return undefined
  try {
    return work(opened.fd, fstatSync(opened.fd).size, opened.segment)
  } finally {
    closeSync(opened.fd)
  }
}

/** A pack may be compressed, or have lost all it held, while somebody reads the folder. */
function open(dir: string, segment: Segment): { fd: number; segment: Segment } | undefined {
  for (const packed of segment.stream === 'pack' ? [segment.packed, !segment.packed] : [false]) {
    const found = { ...segment, packed }
    try {
      const fd = reporting(`\`${fileOf(found)}\` cannot be read`, () =>
        openRegular(dir, fileOf(found), flags.read),
      )
      return { fd, segment: found }
    } catch (error) {
      if (segment.stream === 'log' || errnoOf(error) !== 'ENOENT') throw error
    }
  }
  return undefined
}

/** @returns what follows the last newline */
export function* readSegment(dir: string, segment: Segment, from = 0): Generator<string, Buffer, undefined> {
  const opened = open(dir, segment)
  if (opened === undefined) return Buffer.alloc(0)
  try {
    const size = fstatSync(opened.fd).size
    if (opened.segment.packed) return yield* readPacked(opened.fd, size, from)
    return yield* readPlain(opened.fd, fileOf(segment), size, from)
  } finally {
    closeSync(opened.fd)
  }
}

/**
 * Looks through a segment that is not compressed, as bytes: only a part in which one of the texts stands is made lines.
 * @returns lines, at least all whole ones in which one of the texts stands
 */
export function* searchSegment(
  dir: string,
  segment: Segment,
  from: number,
  texts: readonly string[],
): Generator<string, void, undefined> {
  const opened = open(dir, segment)
  if (opened === undefined) return
  try {
    if (opened.segment.packed) return void (yield* readPacked(opened.fd, fstatSync(opened.fd).size, 0))
    const rest = { bytes: Buffer.alloc(0) }
    const size = fstatSync(opened.fd).size
    for (const part of wholeLines(opened.fd, fileOf(segment), size, from, rest))
      if (texts.some((text) => part.includes(text))) yield* decode(part.subarray(0, -1))
  } finally {
    closeSync(opened.fd)
  }
}

function* readPacked(fd: number, size: number, from: number): Generator<string, Buffer, undefined> {
  for (const { at, lines } of readFrames(fd, size, from)) {
    if (lines === undefined) yield `${unreadable} frame at ${at}`
    else yield* decode(lines.subarray(0, -1))
  }
  return Buffer.alloc(0)
}

function* readPlain(
  fd: number,
  file: string,
  size: number,
  from: number,
): Generator<string, Buffer, undefined> {
  const rest: { bytes: Buffer } = { bytes: Buffer.alloc(0) }
  for (const bytes of wholeLines(fd, file, size, from, rest)) yield* decode(bytes.subarray(0, -1))
  return rest.bytes
}

/**
 * @param rest is given what follows the last newline, at the end
 * @returns whole lines in parts of about `limits.evidenceReadBytes`, each with the newline of its last line
 */
export function* wholeLines(
  fd: number,
  file: string,
  size: number,
  from: number,
  rest: { bytes: Buffer },
): Generator<Buffer, void, undefined> {
  let carried: Buffer[] = []
  let length = 0
  for (let at = from; at < size; ) {
    const part = readAt(fd, at, Math.min(limits.evidenceReadBytes, size - at))
    if (part.length === 0) break
    at += part.length
    const end = part.lastIndexOf(newline) + 1
    if (end > 0) yield Buffer.concat([...carried, part.subarray(0, end)])
    carried = end > 0 ? [part.subarray(end)] : [...carried, part]
    length = end > 0 ? part.length - end : length + part.length
    if (length > limits.evidenceLineBytesMax) throw tooLong(file)
  }
  rest.bytes = Buffer.concat(carried)
}
