/** Bytes and lines of an open file, by where they stand. */
import { isUtf8 } from 'node:buffer'
import { readSync } from 'node:fs'
import { limits } from '../../limits.ts'
import { EvidenceError } from '../store.ts'

export const newline = 10

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

/** @returns the position after the first newline from a position on; the end of the file where there is none */
export function lineEnd(fd: number, from: number, size: number): number {
  let step: number = limits.evidenceBlockBytes
  for (let at = from; at < size; ) {
    const found = readAt(fd, at, step).indexOf(newline)
    if (found !== -1) return at + found + 1
    at += step
    step = Math.min(step * 2, limits.evidenceReadBytes)
  }
  return size
}

/** @returns the line that begins at a position, and where the next one does */
export function lineAt(fd: number, at: number, size: number, file: string): { line: string; next: number } {
  const next = lineEnd(fd, at, size)
  if (next - at > limits.evidenceLineBytesMax) throw tooLong(file)
  const bytes = readAt(fd, at, next - at)
  return { line: decodeLine(bytes.at(-1) === newline ? bytes.subarray(0, -1) : bytes), next }
}

/** Lines that are not UTF-8 are handed on with a mark with which no entry begins, so that whoever reads refuses them. */
export function decode(bytes: Buffer): string[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n')
  return bytes
    .toString('latin1')
    .split('\n')
    .map((line) => {
      const own = Buffer.from(line, 'latin1')
      return isUtf8(own) ? own.toString('utf8') : `${unreadable}${own.toString('utf8')}`
    })
}

/** No entry and no payload begins so: what cannot be read is handed on with it, and refused by whoever reads. */
export const unreadable = '\ufffd'

/** @returns one line as text, with the mark where it is not UTF-8 */
export const decodeLine = (bytes: Buffer): string => decode(bytes)[0] ?? ''

export const tooLong = (file: string): EvidenceError =>
  new EvidenceError(
    'EFBIG',
    `\`${file}\` has a line of more than ${limits.evidenceLineBytesMax} bytes, which no kernel writes`,
  )
