/** Where a log stands. */
import { EvidenceError } from './store.ts'
import { leafHash, noEntry, readEntry } from './verify/line.ts'

export interface Head {
  readonly entries: number
  /** 64 zeros for an empty log. */
  readonly hash: string
}

/** @param line the last of a log @throws EvidenceError EIO where it is no entry */
export function headOf(line: string | undefined): Head {
  if (line === undefined) return { entries: 0, hash: noEntry }
  const { entry } = readEntry(line)
  if (entry === undefined)
    throw new EvidenceError('EIO', 'the last line of the evidence is not an entry; verify it')
  return { entries: entry.seq + 1, hash: leafHash(line) }
}
