/** Files of lines, read in parts: forwards as a stream, backwards from the end. */
import { isUtf8 } from 'node:buffer'
import { closeSync, fstatSync, readSync } from 'node:fs'
import { limits } from '../../limits.ts'
import { EvidenceError, type Stream } from '../store.ts'
import { flags, openRegular, reporting, segmentName, segmentNumbers } from './folder.ts'

const newline = 10

/**
 * @param torn is told how many bytes follow the last newline of the newest file: a write under way, or cut short
 * @returns every whole line of a stream, oldest first, as the files are now
 * @throws EvidenceError when a file cannot be read, or holds a line beyond `limits.evidenceLineBytesMax`
 */
export function* readStream(
  dir: string,
  stream: Stream,
  torn: (file: string, bytes: number) => void = () => {},
): Generator<string, void, undefined> {
  const numbers = reporting('the evidence cannot be read', () => segmentNumbers(dir, stream))
  for (const number of numbers) {
    const file = segmentName(stream, number)
    const fd = reporting(`\`${file}\` cannot be read`, () => openRegular(dir, file, flags.read))
    try {
      const rest = yield* readSegment(fd, file)
      if (rest.length === 0) continue
      if (number === numbers.at(-1)) torn(file, rest.length)
      // A file that is not written any more ends with a newline; what stands there is for the verifier to judge.
      else yield decodeLine(rest)
    } finally {
      closeSync(fd)
    }
  }
}

/**
 * @param bytes how much of the end is read
 * @returns the whole lines in it, oldest first
 * @throws EvidenceError as `readStream` does
 */
export function* readNewest(dir: string, stream: Stream, bytes: number): Generator<string, void, undefined> {
  const numbers = reporting('the evidence cannot be read', () => segmentNumbers(dir, stream))
  const sizes = new Map(numbers.map((number) => [number, sizeOf(dir, segmentName(stream, number))]))
  let skipped = Math.max(0, [...sizes.values()].reduce((sum, size) => sum + size, 0) - bytes)
  for (const [number, size] of sizes) {
    const from = Math.min(skipped, size)
    skipped -= from
    if (from === size) continue
    const file = segmentName(stream, number)
    const fd = reporting(`\`${file}\` cannot be read`, () => openRegular(dir, file, flags.read))
    try {
      yield* readSegment(fd, file, from === 0 ? 0 : lineEnd(fd, from - 1, size))
    } finally {
      closeSync(fd)
    }
  }
}

function sizeOf(dir: string, file: string): number {
  const fd = reporting(`\`${file}\` cannot be read`, () => openRegular(dir, file, flags.read))
  try {
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}

/** @returns the position after the first newline from a position on; the end of the file where there is none */
function lineEnd(fd: number, from: number, size: number): number {
  for (let at = from; at < size; at += limits.evidenceReadBytes) {
    const found = readAt(fd, at, limits.evidenceReadBytes).indexOf(newline)
    if (found !== -1) return at + found + 1
  }
  return size
}

/** @returns what follows the last newline */
export function* readSegment(fd: number, file: string, from = 0): Generator<string, Buffer, undefined> {
  const size = fstatSync(fd).size
  let carried: Buffer[] = []
  for (let at = from; at < size; ) {
    const part = readAt(fd, at, Math.min(limits.evidenceReadBytes, size - at))
    if (part.length === 0) break
    at += part.length
    const end = part.lastIndexOf(newline)
    if (end === -1) {
      carried.push(part)
      assertFits(carried, file)
      continue
    }
    yield* decode(Buffer.concat([...carried, part.subarray(0, end)]))
    carried = [part.subarray(end + 1)]
  }
  return Buffer.concat(carried)
}

/** Lines that are not UTF-8 are handed on with a mark with which no entry begins, so that whoever reads refuses them. */
function decode(bytes: Buffer): string[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n')
  return bytes
    .toString('latin1')
    .split('\n')
    .map((line) => {
      const own = Buffer.from(line, 'latin1')
      return isUtf8(own) ? own.toString('utf8') : `\ufffd${own.toString('utf8')}`
    })
}

/** @returns one line as text, with the mark where it is not UTF-8 */
export const decodeLine = (bytes: Buffer): string => decode(bytes)[0] ?? ''

/**
 * @param end the position after a newline, or the end of what counts
 * @returns where the line that ends there begins
 */
export function lineStart(fd: number, end: number, file: string): number {
  let from = Math.max(0, end - 1)
  while (from > 0) {
    const length = Math.min(limits.evidenceReadBytes, from)
    const found = readAt(fd, from - length, length).lastIndexOf(newline)
    if (found !== -1) return from - length + found + 1
    from -= length
    if (end - from > limits.evidenceLineBytesMax) throw tooLong(file)
  }
  return 0
}

/** @returns up to `length` bytes from a position on, fewer only at the end of the file */
export function readAt(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, at + done)
    if (read === 0) break
    done += read
  }
  return bytes.subarray(0, done)
}

function assertFits(parts: readonly Buffer[], file: string): void {
  if (parts.reduce((sum, part) => sum + part.length, 0) > limits.evidenceLineBytesMax) throw tooLong(file)
}

const tooLong = (file: string): EvidenceError =>
  new EvidenceError(
    'EFBIG',
    `\`${file}\` has a line of more than ${limits.evidenceLineBytesMax} bytes, which no kernel writes`,
  )
