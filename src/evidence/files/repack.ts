/** Writes a pack anew that is not written any more: compressed, and without the payloads that are to go. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { limits } from '../../limits.ts'
import { fileOf, flags, openRegular, type Segment, segmentsIn, syncFolder } from './folder.ts'
import { makeFrame, readFrames } from './frames.ts'
import { IndexBuilder, indexName, payloadKey, writeIndex } from './index-file.ts'
import { wholeLines } from './lines.ts'
import { hashOf } from './lookup.ts'
import { decode, decodeLine, newline, readAt } from './read-at.ts'
import { writeWhole } from './repair.ts'

/** What stops the work between two steps; nothing has changed then. */
export class Stopped extends Error {}

/**
 * Puts a pack in its compressed form in place of what is there, whole or not at all: a new file, flushed, then renamed.
 * What cannot be read in it is kept as it is, for whoever verifies. One in which nothing is left is removed.
 * @param drops payloads that go
 * @param isStopped asked between two steps
 * @returns how many have gone
 * @throws Stopped; whatever the system says. The pack is as it was then, or as it should be
 */
export async function repack(
  dir: string,
  segment: Segment,
  drops: ReadonlySet<string>,
  isStopped: () => boolean,
): Promise<number> {
  const packed = { ...segment, packed: true }
  const draft = `${fileOf(packed)}.new`
  rmSync(join(dir, draft), { force: true })
  const index = new IndexBuilder()
  const { size, dropped } = await writeDraft(dir, segment, draft, drops, index, isStopped)
  rmSync(join(dir, indexName(segment)), { force: true })
  if (size > 0) renameSync(join(dir, draft), join(dir, fileOf(packed)))
  else removeFile(dir, draft, fileOf(packed))
  syncFolder(dir)
  removePlain(dir, segment)
  if (size > 0) writeIndex(dir, packed, index.bytes(size))
  return dropped
}

/**
 * Removes what a crash left of such work: drafts, and the first form of what is compressed.
 * @throws whatever the system says
 */
export function tidy(dir: string): void {
  for (const file of readdirSync(dir)) if (/^(log|pack)-\d+\.[\w.]+\.new$/.test(file)) removeFile(dir, file)
  for (const segment of segmentsIn(dir, 'pack')) if (segment.packed) removePlain(dir, segment)
}

function removeFile(dir: string, ...files: readonly string[]): void {
  for (const file of files) rmSync(join(dir, file), { force: true })
}

/** Removes the form that was written first, where the compressed one is there. */
function removePlain(dir: string, segment: Segment): void {
  const plain = join(dir, fileOf({ ...segment, packed: false }))
  if (!existsSync(plain)) return
  unlinkSync(plain)
  syncFolder(dir)
}

/** @returns the size of the new file, and how many payloads it does not have any more */
async function writeDraft(
  dir: string,
  segment: Segment,
  draft: string,
  drops: ReadonlySet<string>,
  index: IndexBuilder,
  isStopped: () => boolean,
): Promise<{ size: number; dropped: number }> {
  const from = openRegular(dir, fileOf(segment), flags.read)
  let to: number | undefined
  try {
    to = openRegular(dir, draft, flags.create)
    let size = 0
    let dropped = 0
    for (const { bytes, isWhole } of pieces(from, segment)) {
      if (isStopped()) throw new Stopped()
      const { kept, dropped: gone } = isWhole ? without(bytes, drops) : { kept: bytes, dropped: 0 }
      dropped += gone
      if (kept.length === 0) continue
      if (isWhole) for (const line of decode(kept.subarray(0, -1))) addPayload(index, line, size)
      const written = isWhole ? await makeFrame(kept) : kept
      writeWhole(to, written)
      size += written.length
      await pause()
    }
    fdatasyncSync(to)
    return { size, dropped }
  } catch (error) {
    removeFile(dir, draft)
    throw error
  } finally {
    closeSync(from)
    if (to !== undefined) closeSync(to)
  }
}

function addPayload(index: IndexBuilder, line: string, at: number): void {
  const hash = hashOf(line)
  if (hash !== undefined) index.add(payloadKey(hash), at)
}

/** @returns the lines that stay, byte for byte; the same bytes where all do */
function without(bytes: Buffer, drops: ReadonlySet<string>): { kept: Buffer; dropped: number } {
  if (drops.size === 0) return { kept: bytes, dropped: 0 }
  const kept: Buffer[] = []
  let dropped = 0
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(newline, from) + 1
    if (drops.has(hashOf(decodeLine(bytes.subarray(from, end - 1))) ?? '')) dropped += 1
    else kept.push(bytes.subarray(from, end))
    from = end
  }
  return dropped === 0 ? { kept: bytes, dropped } : { kept: Buffer.concat(kept), dropped }
}

interface Piece {
  readonly bytes: Buffer
  /** Whether these are whole lines; otherwise it is copied as it is. */
  readonly isWhole: boolean
}

/** @returns all of a pack, in parts of one frame each */
function* pieces(fd: number, segment: Segment): Generator<Piece, void, undefined> {
  const size = fstatSync(fd).size
  if (segment.packed) {
    for (const { at, end, lines } of readFrames(fd, size))
      yield lines === undefined
        ? { bytes: readAt(fd, at, end - at), isWhole: false }
        : { bytes: lines, isWhole: true }
    return
  }
  const rest = { bytes: Buffer.alloc(0) }
  for (const bytes of wholeLines(fd, fileOf(segment), size, 0, rest))
    for (const part of parted(bytes)) yield { bytes: part, isWhole: true }
  // A line of a pack that is not written any more has its newline, unless it was torn; it gets one, to stay a line.
  if (rest.bytes.length > 0) yield { bytes: Buffer.concat([rest.bytes, Buffer.of(newline)]), isWhole: true }
}

/** @returns the same lines in parts of at most `limits.evidenceFrameBytes`, or of one line */
function* parted(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let from = 0; from < bytes.length; ) {
    const far = Math.min(bytes.length, from + limits.evidenceFrameBytes)
    const before = bytes.lastIndexOf(newline, far - 1) + 1
    const end = before > from ? before : bytes.indexOf(newline, from) + 1
    yield bytes.subarray(from, end)
    from = end
  }
}
