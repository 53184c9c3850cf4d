/** The files of a record one by one: what each holds, and the hash of its bytes, for whoever has to name them. */
import { createHash } from 'node:crypto'
import { limits } from '../../limits.ts'
import { EvidenceError } from '../store.ts'
import { fileOf, type Segment } from './folder.ts'
import { listed, reading, readSegment } from './lines.ts'
import { readAt } from './read-at.ts'

export interface RecordFile {
  readonly name: string
  readonly segment: Segment
  /** Whether it is the newest of its stream, which goes on growing while a kernel writes. */
  readonly isOpen: boolean
}

/** One whole line of a file, and the position after its newline, which in a compressed one says nothing. */
export interface Placed {
  readonly line: string
  readonly end: number
}

/** @returns the files of the log and of the payloads, oldest first @throws EvidenceError for a folder that cannot be read */
export const recordFiles = (dir: string): readonly RecordFile[] =>
  (['log', 'pack'] as const).flatMap((stream) =>
    listed(dir, stream).map((segment, index, all) => ({
      ...{ name: fileOf(segment), segment, isOpen: index === all.length - 1 && !segment.packed },
    })),
  )

/** Whether a name is one that a file of a record may have; what else a manifest names is not looked for. */
export const isRecordFile = (name: string): boolean =>
  /^(log-\d{6,12}\.jsonl|pack-\d{6,12}\.jsonl(\.zst)?)$/.test(name)

/** @returns the whole lines of a file with their places @throws EvidenceError for one that cannot be read */
export function* placedLines(dir: string, { segment }: RecordFile): Generator<Placed, void, undefined> {
  let end = 0
  for (const line of readSegment(dir, segment)) {
    end += Buffer.byteLength(line) + 1
    yield { line, end }
  }
}

/** @returns how long a file is, in bytes @throws EvidenceError for one that cannot be read */
export const sizeOf = (dir: string, { segment }: RecordFile): number =>
  reading(dir, segment, (_, size) => size) ?? 0

/**
 * @param bytes as many from the beginning; the file may have become longer since
 * @returns their SHA-256, as hex
 * @throws EvidenceError for a file that cannot be read, or is shorter
 */
export function hashOf(dir: string, { name, segment }: RecordFile, bytes: number): string {
  const found = reading(dir, segment, (fd) => {
    const hash = createHash('sha256')
    for (let at = 0; at < bytes; ) {
      const part = readAt(fd, at, Math.min(limits.evidenceReadBytes, bytes - at))
      if (part.length === 0) throw new EvidenceError('EIO', `\`${name}\` has become shorter`)
      hash.update(part)
      at += part.length
    }
    return hash.digest('hex')
  })
  if (found === undefined) throw new EvidenceError('EIO', `\`${name}\` has gone`)
  return found
}
