/** Where the fold begins: at a snapshot that fits the log, at the first entry of the kernel that is gone on from, or at the log's own. */
import type { Entry } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { checkSuffix } from '../evidence/suffix.ts'
import { type Opening, openingOf, type Segment, segmentsTo } from './lineage.ts'
import { readSnapshot, type Snapshot } from './snapshot.ts'

export interface Start {
  /** The first entry that is read. */
  readonly from: number
  readonly segments: readonly Segment[]
  /** What was there already; undefined where nothing was. */
  readonly snapshot: Snapshot | undefined
}

/**
 * What is used of the log is verified here: from the newest of its own checkpoints before it to the end.
 * @param until the last entry that counts
 * @param edited outcomes that are to count as something else: no snapshot shows what they came to
 * @returns undefined where only the whole log can be gone on from
 */
export function startOf(log: EvidenceLog, until: number, edited: readonly number[] = []): Start | undefined {
  const { snapshots } = log.beside
  if (snapshots === undefined) return undefined
  // Found by an index, which nobody vouches for: what is verified has to say the same.
  const segments = segmentsTo(openingsIn(log.entries({ kind: 'open' }), until), until)
  for (const seq of snapshots.list()) {
    const lies = segments.find(({ from, to }) => from <= seq && seq <= to)
    const file = lies && snapshots.read(seq)
    const snapshot = file && readSnapshot(file.text)
    if (lies === undefined || snapshot?.head.seq !== seq) continue
    const entry = entryOf(log, seq, file?.hash)
    if (entry === undefined || entry.seq > lies.to || edited.some((each) => each <= entry.seq)) continue
    const start = { from: snapshot.head.from, segments, snapshot }
    if (isSound(log, until, start, entry)) return start
  }
  const [first] = segments
  if (first === undefined || first.from === 0) return undefined
  const start = { from: first.from, segments, snapshot: undefined }
  return isSound(log, until, start) ? start : undefined
}

/** @returns the entry that says that the snapshot taken after that entry has that hash */
function entryOf(log: EvidenceLog, after: number, sha256: string | undefined): Entry | undefined {
  for (const entry of log.entries({ kind: 'snapshot', from: after }))
    if (entry.after === after && entry.sha256 === sha256) return entry
  return undefined
}

/** @param named the entry about its snapshot, as it was found; it counts where it is verified, and signed */
function isSound(
  log: EvidenceLog,
  until: number,
  { from, segments, snapshot }: Start,
  named?: Entry,
): boolean {
  const verified: Entry[] = []
  const suffix = checkSuffix(log, from, (entry) => {
    if (entry.kind === 'open' || entry.seq === named?.seq) verified.push(entry)
  })
  if (suffix === undefined) return false
  const before = snapshot && segmentsOf(snapshot)
  const openings = openingsIn(verified, until)
  const known = before === undefined ? segmentsTo(openings, until) : segmentsTo(openings, until, before)
  if (textOf(known) !== textOf(segments)) return false
  if (named === undefined) return true
  return (
    named.seq < suffix.covered &&
    verified.some(
      ({ seq, sha256, from: first }) => seq === named.seq && sha256 === named.sha256 && first === from,
    )
  )
}

const segmentsOf = ({ head }: Snapshot): readonly Segment[] =>
  head.segments.map(({ names, ...segment }) => ({ ...segment, names: new Map(names) }))

const textOf = (segments: readonly Segment[]): string =>
  JSON.stringify(segments.map(({ names, ...segment }) => [segment, [...names]]))

export function openingsIn(entries: Iterable<Entry>, until: number): readonly Opening[] {
  const openings: Opening[] = []
  for (const entry of entries) {
    if (entry.seq > until) break
    const opening = openingOf(entry)
    if (opening !== undefined) openings.push(opening)
  }
  return openings
}
