/** The files of a record one by one: what each holds, and the hash of its bytes, for whoever has to name them. */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync } from 'node:fs'
import { limits } from '../../limits.ts'
import { EvidenceError, type Stream } from '../store.ts'
import { flags, openRegular, reporting, segmentName, segmentNumbers } from './folder.ts'
import { readAt, readSegment } from './lines.ts'

export interface RecordFile {
  readonly name: string
  readonly stream: Stream
  /** Whether it is the newest of its stream, which goes on growing while a kernel writes. */
  readonly isOpen: boolean
}

/** One whole line of a file, and the position after its newline. */
export interface Placed {
  readonly line: string
  readonly end: number
}

/** @returns the files of the log and of the payloads, oldest first @throws EvidenceError for a folder that cannot be read */
export function recordFiles(dir: string): readonly RecordFile[] {
  return (['log', 'pack'] as const).flatMap((stream) => {
    const numbers = reporting('the evidence cannot be read', () => segmentNumbers(dir, stream))
    return numbers.map((number) => ({
      name: segmentName(stream, number),
      stream,
      isOpen: number === numbers.at(-1),
    }))
  })
}

/** Whether a name is one that a file of a record may have; what else a manifest names is not looked for. */
export const isRecordFile = (name: string): boolean =>
  /^(log-\d{6,12}\.jsonl|pack-\d{6,12}\.jsonl(\.zst)?)$/.test(name)

/** @returns the whole lines of a file with their places @throws EvidenceError for one that cannot be read */
export function* placedLines(dir: string, name: string): Generator<Placed, void, undefined> {
  const fd = open(dir, name)
  try {
    let end = 0
    for (const line of readSegment(fd, name)) {
      end += Buffer.byteLength(line) + 1
      yield { line, end }
    }
  } finally {
    closeSync(fd)
  }
}

/** @returns how long a file is, in bytes @throws EvidenceError for one that cannot be read */
export function sizeOf(dir: string, name: string): number {
  const fd = open(dir, name)
  try {
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}

/**
 * @param bytes as many from the beginning; the file may have become longer since
 * @returns their SHA-256, as hex
 * @throws EvidenceError for a file that cannot be read, or is shorter
 */
export function hashOf(dir: string, name: string, bytes: number): string {
  const fd = open(dir, name)
  try {
    const hash = createHash('sha256')
    for (let at = 0; at < bytes; ) {
      const part = readAt(fd, at, Math.min(limits.evidenceReadBytes, bytes - at))
      if (part.length === 0) throw new EvidenceError('EIO', `\`${name}\` has become shorter`)
      hash.update(part)
      at += part.length
    }
    return hash.digest('hex')
  } finally {
    closeSync(fd)
  }
}

const open = (dir: string, name: string): number =>
  reporting(`\`${name}\` cannot be read`, () => openRegular(dir, name, flags.read))
