/** Where a recorded run is read from: a folder of evidence, or the log of a kernel that lives. */
import type { Entry, PayloadRef } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { pickPayloads } from '../evidence/payloads.ts'
import type { Payload } from '../evidence/verify.ts'

/** `EvidenceFolder` is one. */
export interface RunSource {
  /** Everything about a run, oldest first. @throws EvidenceError EIO at a line that is not an entry */
  run(id: string): Iterable<Entry>
  /**
   * @returns payloads that are kept still, by hash; one without a text is a digest only
   * @throws EvidenceError EIO where a kept payload is not what was hashed
   */
  payloads(hashes: ReadonlySet<string>): ReadonlyMap<string, Payload>
}

/** @returns the runs of a kernel that lives, as far as they are on record */
export const runsOf = (log: EvidenceLog): RunSource => ({
  run: (run) => log.entries({ run }),
  payloads: (hashes) => pickPayloads(log.pick(hashes), hashes),
})

/** @returns the text of a payload; undefined where there is none, or it was deleted */
export const textOf = (source: RunSource, ref: PayloadRef | undefined): string | undefined =>
  ref === undefined ? undefined : source.payloads(new Set([ref.hash])).get(ref.hash)?.text
