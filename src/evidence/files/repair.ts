/** A write that a crash cut short leaves a torn tail; it is cut off, kept beside the log, and reported. */
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../../limits.ts'
import type { Repair } from '../entry.ts'
import { EvidenceError } from '../store.ts'
import { errnoOf, flags, openRegular, syncFolder } from './folder.ts'
import { decodeLine, lineStart, readAt } from './read-at.ts'

/**
 * Cuts a file after its last sound line. Only the end is looked at: damage further up is no crash, and is left for
 * whoever verifies.
 * @param isSound whether a whole line is what the file should hold
 * @returns what was cut; undefined where nothing was
 * @throws EvidenceError EIO when the file has whole lines and none is sound, since that is no torn tail
 */
export function repairTail(
  dir: string,
  file: string,
  fd: number,
  isSound: (line: string) => boolean,
): Repair | undefined {
  const size = fstatSync(fd).size
  const whole = endOfLines(fd, size, file)
  let end = whole
  while (end > 0) {
    const start = lineStart(fd, end, file)
    if (isSound(decodeLine(readAt(fd, start, end - 1 - start)))) break
    end = start
  }
  if (end === 0 && whole > 0) {
    throw new EvidenceError(
      'EIO',
      `\`${file}\` has no sound line, so it is not cut; move it away to begin anew, and keep it`,
    )
  }
  if (end === size) return undefined
  const kept = keep(dir, file, fd, end, size)
  ftruncateSync(fd, end)
  fdatasyncSync(fd)
  return { file, bytes: size - end, kept }
}

/** @returns the position after the last newline */
function endOfLines(fd: number, size: number, file: string): number {
  if (size === 0) return 0
  return readAt(fd, size - 1, 1)[0] === 10 ? size : lineStart(fd, size, file)
}

/** Copies what will be cut to a file of its own. */
function keep(dir: string, file: string, from: number, start: number, end: number): string {
  const { name, fd } = createKept(dir, `torn-${file.replace(/\.jsonl$/, '')}-${start}`)
  try {
    for (let at = start; at < end; ) {
      const part = readAt(from, at, Math.min(limits.evidenceReadBytes, end - at))
      if (part.length === 0) break
      writeWhole(fd, part)
      at += part.length
    }
    fdatasyncSync(fd)
    syncFolder(dir)
    return name
  } catch (error) {
    unlinkSync(join(dir, name))
    throw error
  } finally {
    closeSync(fd)
  }
}

/** The same place may be torn twice; neither piece is overwritten. */
function createKept(dir: string, base: string): { name: string; fd: number } {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? `${base}.bin` : `${base}-${count}.bin`
    try {
      return { name, fd: openRegular(dir, name, flags.create) }
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
}

/**
 * Writes all of it; what the system takes in parts is handed over in parts.
 * @param written is told how far it has come, so that a failure can be undone
 */
export function writeWhole(fd: number, bytes: Uint8Array, written: (done: number) => void = () => {}): void {
  for (let done = 0; done < bytes.length; ) {
    const count = writeSync(fd, bytes, done)
    if (count === 0) throw new EvidenceError('EIO', 'the device took nothing')
    done += count
    written(done)
  }
}
