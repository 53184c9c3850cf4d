/** Lines found by what they say, without reading the whole record: an entry by its place or run, a payload by its hash. */

import { limits } from '../../limits.ts'
import type { EntryFilter } from '../select.ts'
import { EvidenceError } from '../store.ts'
import { readEntry, readPayload } from '../verify.ts'
import { fileOf, type Segment } from './folder.ts'
import { readFrame } from './frames.ts'
import { keyOf, type LogKey, lookUp, payloadKey } from './index-file.ts'
import { listed, type Place, reading, readSegment, readStream, searchSegment } from './lines.ts'
import { decode, lineAt, lineEnd } from './read-at.ts'

/**
 * @returns lines of the log, oldest first: at least those of all entries that fit. In a log whose numbers are not in
 *   order, which is no sound one, some may be left out
 * @throws EvidenceError for a file that cannot be read, EIO at a line that is not an entry
 */
export function* findLines(dir: string, filter: EntryFilter): Generator<string, void, undefined> {
  const from = filter.from === undefined || filter.from <= 0 ? undefined : placeOf(dir, filter.from)
  const wanted = keyOf(filter)
  if (wanted === undefined) return yield* readStream(dir, 'log', { from })
  const segments = listed(dir, 'log')
  for (const segment of segments) {
    if (segment.number < (from?.number ?? 0)) continue
    const isLast = segment === segments.at(-1)
    yield* segmentLines(dir, segment, segment.number === from?.number ? from.at : 0, wanted, isLast)
  }
}

/** @returns lines of one segment of the log: at least all with what is wanted */
function* segmentLines(dir: string, segment: Segment, from: number, { key, text }: LogKey, isLast: boolean) {
  const blocks = isLast ? undefined : reading(dir, segment, (_, size) => lookUp(dir, segment, size, [key]))
  if (blocks === undefined) {
    for (const line of searchSegment(dir, segment, from, [text])) if (line.includes(text)) yield line
    return
  }
  for (const block of blocks) {
    const lines = reading(dir, segment, (fd, size) => linesFrom(fd, size, fileOf(segment), block)) ?? []
    for (const line of lines) if (line.includes(text)) yield line
  }
}

/** @returns the lines that begin in a block */
function linesFrom(fd: number, size: number, file: string, block: number): readonly string[] {
  const lines: string[] = []
  const end = Math.min(size, block + limits.evidenceBlockBytes)
  for (let at = block === 0 ? 0 : lineEnd(fd, block - 1, size); at < end; ) {
    const { line, next } = lineAt(fd, at, size, file)
    lines.push(line)
    at = next
  }
  return lines
}

/**
 * @returns where to begin reading to find the entry with that number: a little before it, or at it
 * @throws EvidenceError EIO at a line that is not an entry
 */
function placeOf(dir: string, seq: number): Place | undefined {
  const segments = listed(dir, 'log')
  let [low, high] = [0, segments.length]
  // The last segment that begins at or before it.
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    const first = segments[middle] && reading(dir, segments[middle], (fd, size) => seqAt(fd, size, 0))
    if (first === undefined || first > seq) high = middle
    else low = middle
  }
  const segment = segments[low]
  if (segment === undefined) return undefined
  return reading(dir, segment, (fd, size) => ({
    number: segment.number,
    at: placeIn(fd, size, seq),
  }))
}

function placeIn(fd: number, size: number, seq: number): number {
  let [low, high] = [0, size]
  while (high - low > limits.evidenceSearchBytes) {
    const middle = Math.floor((low + high) / 2)
    const start = lineEnd(fd, middle, size)
    const found = start < high ? seqAt(fd, size, start) : undefined
    if (found === undefined || found > seq) high = middle
    else low = start
  }
  return low
}

/** @returns the number of the entry that begins there; undefined where nothing does, or a line that is not finished */
function seqAt(fd: number, size: number, at: number): number | undefined {
  if (at >= size) return undefined
  const { line, next } = lineAt(fd, at, size, 'log')
  const { entry } = readEntry(line)
  if (entry === undefined && next < size)
    throw new EvidenceError('EIO', 'a line of the evidence is not an entry; verify it')
  return entry?.seq
}

/**
 * @param hashes of payloads
 * @returns lines of packs: at least those with these payloads, as far as they are kept. Once all are found it ends
 * @throws EvidenceError for a file that cannot be read
 */
export function* findPayloads(dir: string, hashes: ReadonlySet<string>): Generator<string, void, undefined> {
  const missing = new Set(hashes)
  for (const segment of listed(dir, 'pack')) {
    if (missing.size === 0) return
    for (const line of payloadLines(dir, segment, missing)) {
      const hash = hashOf(line)
      if (hash === undefined || !missing.delete(hash)) continue
      yield line
    }
  }
}

/** The hash that a line of a pack names; lines of a kernel all begin with it. */
export const hashOf = (line: string): string | undefined =>
  line.startsWith('{"hash":"') && line[73] === '"' ? line.slice(9, 73) : readPayload(line)?.hash

/** @returns lines of one pack: at least those with these payloads */
export function* payloadLines(dir: string, segment: Segment, hashes: ReadonlySet<string>) {
  const frames = reading(dir, segment, (_, size, found) =>
    found.packed ? lookUp(dir, segment, size, [...hashes].map(payloadKey)) : undefined,
  )
  if (frames === undefined && hashes.size <= limits.evidenceLookupsMax)
    return yield* searchSegment(dir, segment, 0, [...hashes])
  if (frames === undefined) return yield* readSegment(dir, segment)
  for (const at of frames) {
    const lines = reading(dir, segment, (fd, size, found) =>
      found.packed ? readFrame(fd, at, size).lines : undefined,
    )
    if (lines !== undefined) yield* decode(lines.subarray(0, -1))
  }
  return undefined
}
