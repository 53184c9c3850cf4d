/** Evidence read from outside, while no kernel writes it or beside one that does; nothing in the folder is changed. */
import type { Entry } from './entry.ts'
import { errnoOf, segmentNumbers } from './files/folder.ts'
import { readStream } from './files/lines.ts'
import { pickPayloads } from './payloads.ts'
import { type EntryFilter, selectEntries } from './select.ts'
import { type Payload, type Verification, verifyEntries } from './verify.ts'

export type FoundEvidence =
  | { readonly state: 'found'; readonly evidence: EvidenceFolder }
  /** No such folder, a folder without a log, or one that may not be read. */
  | { readonly state: 'missing' | 'empty' | 'unreadable'; readonly reason: string }

/**
 * Looks for evidence in a folder.
 * @param dir the folder, as a person wrote it; messages name it
 * @returns how to read it, or why that cannot be done; never throws
 */
export function findEvidence(dir: string): FoundEvidence {
  try {
    if (segmentNumbers(dir, 'log').length > 0) return { state: 'found', evidence: new EvidenceFolder(dir) }
    return {
      state: 'empty',
      reason: `\`${dir}\` holds no evidence: it has no file like \`log-000001.jsonl\``,
    }
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT') return { state: 'missing', reason: `\`${dir}\` does not exist` }
    const why = code === 'ENOTDIR' ? 'it is not a folder' : `the system says ${code}`
    return { state: 'unreadable', reason: `\`${dir}\` cannot be read: ${why}` }
  }
}

export class EvidenceFolder {
  readonly #dir: string
  readonly #torn = new Map<string, number>()

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Every whole line of the log, oldest first. @throws EvidenceError for a file that cannot be read */
  lines(): Iterable<string> {
    return this.#read('log')
  }

  /** Every whole line of the payloads. @throws EvidenceError for a file that cannot be read */
  packs(): Iterable<string> {
    return this.#read('pack')
  }

  *#read(stream: 'log' | 'pack'): Generator<string, void, undefined> {
    yield* readStream(this.#dir, stream, (file, bytes) => this.#torn.set(file, bytes))
  }

  /** @throws EvidenceError EIO at a line that is not an entry */
  entries(filter: EntryFilter = {}): Iterable<Entry> {
    return selectEntries(this.lines(), filter)
  }

  /** @returns the entry at that place; undefined where there is none @throws EvidenceError EIO at a line that is not an entry */
  entry(seq: number): Entry | undefined {
    for (const entry of this.entries({ from: seq })) return entry.seq === seq ? entry : undefined
    return undefined
  }

  /** Everything about a run, oldest first. @throws EvidenceError EIO at a line that is not an entry */
  run(id: string): Iterable<Entry> {
    return this.entries({ run: id })
  }

  /**
   * @param hashes of payloads, as entries name them
   * @returns those that are kept still, each checked to be what was hashed; one without a text is a digest only
   * @throws EvidenceError EIO where a kept payload is not what was hashed
   */
  payloads(hashes: ReadonlySet<string>): ReadonlyMap<string, Payload> {
    return pickPayloads(this.packs(), hashes)
  }

  /** Whether the record is whole. @throws EvidenceError for a file that cannot be read */
  verify(): Verification {
    return verifyEntries(this.lines(), this.packs())
  }

  /**
   * Bytes after the last newline of each file, as far as files have been read to their end: a write that is under way,
   * or one that a crash cut short and the next start repairs.
   */
  get torn(): readonly { readonly file: string; readonly bytes: number }[] {
    return [...this.#torn].map(([file, bytes]) => ({ file, bytes }))
  }
}
