/** Entries picked from a stream of lines. */
import type { Entry, EntryKind } from './entry.ts'
import { EvidenceError } from './store.ts'
import { readEntry } from './verify.ts'

export interface EntryFilter {
  readonly run?: string
  readonly pid?: number
  readonly kind?: EntryKind
  /** The first `seq` of interest. */
  readonly from?: number
}

/**
 * @param lines a log, oldest first
 * @returns the entries that fit every part of the filter
 * @throws EvidenceError EIO at a line that is not an entry, since leaving it out would be a lie
 */
export function* selectEntries(
  lines: Iterable<string>,
  filter: EntryFilter = {},
): Generator<Entry, void, undefined> {
  let before = Object.keys(filter).length === 0 ? 'line 0' : 'a line'
  for (const line of lines) {
    const { entry } = readEntry(line)
    if (entry === undefined)
      throw new EvidenceError('EIO', `${before} of the evidence is not an entry; verify it`)
    if (fits(entry, filter)) yield entry
    before = `a line after entry ${entry.seq}`
  }
}

const fits = (entry: Entry, { run, pid, kind, from }: EntryFilter): boolean =>
  (run === undefined || entry.run === run) &&
  (pid === undefined || entry.pid === pid) &&
  (kind === undefined || entry.kind === kind) &&
  (from === undefined || entry.seq >= from)
