/** Where lines of evidence go. Every kind passes the contract in test/evidence/store.test.ts. */
import type { Errno } from '../errors.ts'
import type { Repair } from './entry.ts'
import type { SnapshotFiles } from './files/snapshot-files.ts'
import type { EntryFilter } from './select.ts'

/** Entries, and the payloads they refer to. */
export type Stream = 'log' | 'pack'

export interface EvidenceStore {
  /** Where snapshots lie; absent where none are kept. */
  readonly snapshots?: SnapshotFiles
  /** What was cut off when it was opened. */
  readonly repairs: readonly Repair[]
  /** Queues one line, without its newline. */
  append(stream: Stream, line: string): void
  /**
   * Hands every queued line to the device: packs first, so that no entry ever refers to a payload that is missing.
   * @throws whatever the device says; what was written then ends with a whole line
   */
  commit(): void
  /** Resolves once everything committed before the call would survive a loss of power. */
  sync(): Promise<void>
  /** Every committed line, oldest first; with `newest`, of the log only as many whole lines of the end as have so many bytes. */
  lines(stream: Stream, newest?: number): Iterable<string>
  /** Committed lines of the log, oldest first: at least those of all entries that fit, without reading everything. */
  find(filter: EntryFilter): Iterable<string>
  /** Committed lines of payloads: at least those with these hashes, as far as they are kept. */
  pick(hashes: ReadonlySet<string>): Iterable<string>
  /** The last committed line of the log. */
  last(): string | undefined
  /** Ends it, and lets another kernel in; queued lines are dropped. */
  close(): Promise<void>
}

/** Evidence that cannot be written, opened or read. No effect may follow it. */
export class EvidenceError extends Error {
  readonly code: Errno
  constructor(code: Errno, message: string) {
    super(message)
    this.name = 'EvidenceError'
    this.code = code
  }
}
