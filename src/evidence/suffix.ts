/**
 * The end of a log, from one of its own checkpoints on: what a kernel that goes on has to be sure of. What lies before is
 * covered by that signature and not read, so nothing of it may be used.
 */
import { limits } from '../limits.ts'
import { readCheckpoint } from './checkpoint.ts'
import type { Entry } from './entry.ts'
import type { EvidenceLog } from './log.ts'
import { isSignedBy, readNote, readVerifier, type Verifier } from './note.ts'
import { readFrontier } from './tail.ts'
import { leafHash, readEntry } from './verify/line.ts'

export interface Suffix {
  /** Entries that the newest of the log's own checkpoints covers, counted from the beginning of the log. */
  readonly covered: number
}

/**
 * @param from the first entry that is to be used
 * @param see is given each entry from the checkpoint on; what it is given counts only where the end is sound
 * @returns undefined where there is no checkpoint of the log's own key before that entry, or anything after it is not in
 *   order: then only the whole log can show what is the matter
 */
export function checkSuffix(log: EvidenceLog, from: number, see: (entry: Entry) => void): Suffix | undefined {
  const own = log.beside.verifier
  const verifier = own === undefined ? undefined : readVerifier(own)
  const first = verifier && checkpointBefore(log, from, verifier)
  if (verifier === undefined || first === undefined) return undefined
  const { origin } = first
  const { frontier } = first
  let seq = first.entry.seq
  let covered = seq
  let before: string | undefined
  for (const line of log.since(seq)) {
    const read = readEntry(line)
    if (read.entry !== undefined && read.entry.seq < seq && before === undefined) continue
    if ('problem' in read || read.entry.seq !== seq) return undefined
    const { entry } = read
    if (before !== undefined && entry.prev !== before) return undefined
    if (entry.kind === 'checkpoint') {
      const signed = signedIn(entry, verifier)
      const isNext = signed?.origin === origin && signed.size === frontier.size
      if (!isNext || !frontier.root().equals(signed.root)) return undefined
      covered = signed.size
    }
    see(entry)
    before = leafHash(line)
    frontier.push(Buffer.from(before, 'hex'))
    seq += 1
  }
  return seq === log.head().entries && before === log.head().hash ? { covered } : undefined
}

/** @returns the newest checkpoint of that key at or before an entry, with the tree that it covers */
function checkpointBefore(log: EvidenceLog, seq: number, verifier: Verifier) {
  let found:
    | { entry: Entry; origin: string; frontier: NonNullable<ReturnType<typeof readFrontier>> }
    | undefined
  // None is further away from the next, unless the kernel was too busy to sign.
  const begin = Math.max(0, seq - 2 * limits.evidenceCheckpointEntries)
  for (const entry of log.entries({ kind: 'checkpoint', from: begin })) {
    if (entry.seq > seq) break
    const signed = signedIn(entry, verifier)
    const frontier = readFrontier(entry)
    if (signed === undefined || signed.size !== entry.seq || !frontier?.root().equals(signed.root)) continue
    found = { entry, origin: signed.origin, frontier }
  }
  return found
}

/** @returns what a checkpoint says, where that key has signed it */
function signedIn({ note: text }: Entry, verifier: Verifier) {
  const note = typeof text === 'string' ? readNote(text) : undefined
  if (note === undefined || !isSignedBy(note, verifier)) return undefined
  return readCheckpoint(note.text)
}
