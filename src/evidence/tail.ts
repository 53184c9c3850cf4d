/** The end of a log, as far back as its last checkpoint: all that has to be read to go on. */
import { limits } from '../limits.ts'
import { readCheckpoint } from './checkpoint.ts'
import type { Entry } from './entry.ts'
import { Frontier } from './merkle.ts'
import { readNote } from './note.ts'
import { EvidenceError, type EvidenceStore } from './store.ts'
import { leafHash, readEntry } from './verify/line.ts'

export interface Tail {
  /** How many entries the log has. */
  readonly entries: number
  readonly origin: string | undefined
  /** Of the last checkpoint; undefined where the log has none. */
  readonly note: string | undefined
  /** The tree that it covers. */
  readonly frontier: Frontier | undefined
  /** Of the last key that came after it, or at all where there is no checkpoint. */
  readonly verifier: string | undefined
  /** Hashes of the entries after that tree, as hex: that of the checkpoint itself, and those behind it. */
  readonly leaves: readonly string[]
}

/** What one look at the end found. */
interface Found {
  count: number
  first: number | undefined
  last: number
  checkpoint: Entry | undefined
  key: Entry | undefined
  leaves: string[]
}

/**
 * @returns what is needed to go on; how much is read depends on what lies behind the last checkpoint, not on the log
 * @throws EvidenceError EIO where the log cannot be gone on with
 */
export function readTail(store: EvidenceStore): Tail {
  let before = -1
  for (let bytes: number = limits.evidenceTailBytes; ; bytes *= 2) {
    const found = look(store, bytes)
    const isAll = found.first === 0 || (found.count === before && bytes > 2 * limits.evidenceLineBytesMax)
    if (found.checkpoint !== undefined || isAll || store.last() === undefined) return tailOf(found)
    before = found.count
  }
}

function look(store: EvidenceStore, bytes: number): Found {
  const found: Found = {
    ...{ count: 0, first: undefined, last: -1, checkpoint: undefined, key: undefined, leaves: [] },
  }
  let newest = ''
  for (const line of store.lines('log', bytes)) {
    if (found.count === 0) found.first = readEntry(line).entry?.seq
    const entry = /"kind":"(?:checkpoint|key)"/.test(line) ? readEntry(line).entry : undefined
    if (entry?.kind === 'checkpoint') Object.assign(found, { checkpoint: entry, key: undefined, leaves: [] })
    if (entry?.kind === 'key') found.key = entry
    found.leaves.push(leafHash(line))
    found.count += 1
    newest = line
  }
  found.last = readEntry(newest).entry?.seq ?? -1
  return found
}

function tailOf({ first, last, checkpoint, key, leaves }: Found): Tail {
  const verifier = key === undefined ? undefined : String(key.verifier)
  if (checkpoint === undefined) {
    if (leaves.length > 0 && first !== 0) throw unsound('its beginning is missing')
    const origin = key === undefined ? undefined : String(key.origin)
    return { entries: last + 1, origin, note: undefined, frontier: undefined, verifier, leaves }
  }
  const note = String(checkpoint.note)
  const read = readCheckpoint(readNote(note)?.text ?? '')
  const frontier = readFrontier(checkpoint)
  if (read === undefined || frontier === undefined || !frontier.root().equals(read.root))
    throw unsound('its last checkpoint is not sound')
  return { entries: last + 1, origin: read.origin, note, frontier, verifier, leaves }
}

/** @returns the tree that the entry says it covers: all entries before it */
export function readFrontier({ seq, frontier }: Entry): Frontier | undefined {
  if (!Array.isArray(frontier)) return undefined
  return Frontier.of(
    seq,
    frontier.map((root) => Buffer.from(String(root), 'hex')),
  )
}

const unsound = (why: string): EvidenceError =>
  new EvidenceError('EIO', `the evidence cannot be gone on with: ${why}; verify it`)
