/**
 * Evidence in a folder: `log-*.jsonl` for entries, `pack-*.jsonl` for payloads, compressed once they are full, `*.index`
 * for what stands where in those, `snapshot-*.jsonl` for what the kernel's state was, `lock` for who writes.
 */
import { limits } from '../limits.ts'
import type { Repair } from './entry.ts'
import { makeFolder, reporting } from './files/folder.ts'
import { readNewest, readStream } from './files/lines.ts'
import { takeLock } from './files/lock.ts'
import { findLines, findPayloads } from './files/lookup.ts'
import { endRemoval, type Removal, readRemoval, writeRemoval } from './files/removal.ts'
import { tidy } from './files/repack.ts'
import { Segments } from './files/segments.ts'
import { SnapshotFiles } from './files/snapshot-files.ts'
import { Upkeep } from './files/upkeep.ts'
import { WaitingLines } from './files/waiting.ts'
import { EvidenceFolder } from './read.ts'
import type { EntryFilter } from './select.ts'
import type { EvidenceStore, Stream } from './store.ts'
import { readEntry, readPayload } from './verify.ts'

export class FileStore implements EvidenceStore {
  readonly repairs: readonly Repair[]
  readonly snapshots: SnapshotFiles
  readonly #dir: string
  readonly #unlock: () => void
  readonly #segments: Readonly<Record<Stream, Segments>>
  readonly #upkeep: Upkeep
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined
  readonly #queued: Readonly<Record<Stream, WaitingLines>> = {
    log: new WaitingLines(),
    pack: new WaitingLines(),
  }
  #running: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined

  /**
   * Opens a folder for writing, and makes it where there is none. Torn tails are cut and reported in `repairs`.
   * @param dir where the evidence lies; other than the owner nobody may read what is made here
   * @param segmentBytes when a file is this large, the next begins
   * @throws EvidenceError EBUSY while another kernel writes there, EACCES, ENOSPC, ENOTDIR, EIO as the system says
   */
  static open(dir: string, segmentBytes: number = limits.evidenceSegmentBytes): FileStore {
    return reporting(`evidence cannot be kept in \`${dir}\``, () => {
      makeFolder(dir)
      const unlock = takeLock(dir)
      try {
        return new FileStore(dir, segmentBytes, unlock)
      } catch (error) {
        unlock()
        throw error
      }
    })
  }

  private constructor(dir: string, segmentBytes: number, unlock: () => void) {
    this.#dir = dir
    this.#unlock = unlock
    tidy(dir)
    this.snapshots = new SnapshotFiles(dir)
    const upkeep = new Upkeep(dir)
    const sealed = (): void => upkeep.wake()
    const isPayload = (line: string): boolean => readPayload(line) !== undefined
    const pack = new Segments(dir, 'pack', segmentBytes, isPayload, sealed)
    try {
      const log = new Segments(dir, 'log', segmentBytes, (line) => !('problem' in readEntry(line)), sealed)
      this.#segments = { pack, log }
    } catch (error) {
      pack.close().catch(() => {})
      throw error
    }
    this.#upkeep = upkeep
    upkeep.wake()
    this.repairs = [...this.#segments.pack.repairs, ...this.#segments.log.repairs]
  }

  append(stream: Stream, line: string): void {
    this.#queued[stream].add(line)
  }

  commit(): void {
    const { pack, log } = { pack: this.#queued.pack.take(), log: this.#queued.log.take() }
    if (pack.length > 0) this.#segments.pack.write(pack)
    if (log.length > 0) this.#segments.log.write(log)
  }

  /** Whoever asks while one flush is under way shares the next, which begins after what they have committed. */
  sync(): Promise<void> {
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined
      this.#running = this.#flush()
      return this.#running
    })
    return this.#waiting
  }

  async #flush(): Promise<void> {
    await Promise.all([this.#segments.pack.flush(), this.#segments.log.flush()])
  }

  lines(stream: Stream, newest?: number): Iterable<string> {
    return newest === undefined ? readStream(this.#dir, stream) : readNewest(this.#dir, newest)
  }

  find(filter: EntryFilter): Iterable<string> {
    return findLines(this.#dir, filter)
  }

  pick(hashes: ReadonlySet<string>): Iterable<string> {
    return findPayloads(this.#dir, hashes)
  }

  /** What was to be removed when an earlier kernel was stopped; undefined where nothing was. */
  get removal(): Removal | undefined {
    return readRemoval(this.#dir)
  }

  /**
   * Writes down which payloads are to go; from here on the next start knows, until `remove` or `spare` has ended it.
   * @throws whatever the system says
   */
  intend(removal: Removal): void {
    writeRemoval(this.#dir, removal)
  }

  /** Takes back what was intended, and not on record. @throws whatever the system says */
  spare(): void {
    endRemoval(this.#dir)
  }

  /**
   * Removes payloads, with their salts, from every pack. What is committed stays readable meanwhile.
   * @returns how many have gone; they are off the device then
   * @throws Stopped where the store was closed meanwhile; whatever the system says. The next start goes on with it
   */
  async remove({ hashes }: Removal): Promise<number> {
    this.#segments.pack.seal()
    return this.#upkeep.remove(hashes, () => endRemoval(this.#dir))
  }

  /** The folder as whoever reads it sees it: what is committed. */
  read(): EvidenceFolder {
    return new EvidenceFolder(this.#dir)
  }

  last(): string | undefined {
    return this.#segments.log.last()
  }

  /** Aborted once it is to close: what is done beside the writing stops then. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Closed once: a second time its descriptors are those of other files. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    try {
      await this.sync()
    } finally {
      await this.#upkeep.close()
      await Promise.all([this.#segments.pack.close(), this.#segments.log.close()])
      this.#unlock()
    }
  }
}
