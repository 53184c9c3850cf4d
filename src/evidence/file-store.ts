/** Evidence in a folder: `log-*.jsonl` for entries, `pack-*.jsonl` for payloads, `lock` for who writes. */
import { limits } from '../limits.ts'
import type { Repair } from './entry.ts'
import { makeFolder, reporting } from './files/folder.ts'
import { readNewest, readStream } from './files/lines.ts'
import { takeLock } from './files/lock.ts'
import { Segments } from './files/segments.ts'
import { WaitingLines } from './files/waiting.ts'
import type { EvidenceStore, Stream } from './store.ts'
import { readEntry, readPayload } from './verify.ts'

export class FileStore implements EvidenceStore {
  readonly repairs: readonly Repair[]
  readonly #dir: string
  readonly #unlock: () => void
  readonly #segments: Readonly<Record<Stream, Segments>>
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
    const pack = new Segments(dir, 'pack', segmentBytes, (line) => readPayload(line) !== undefined)
    try {
      const log = new Segments(dir, 'log', segmentBytes, (line) => !('problem' in readEntry(line)))
      this.#segments = { pack, log }
    } catch (error) {
      void pack.close()
      throw error
    }
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
    return newest === undefined ? readStream(this.#dir, stream) : readNewest(this.#dir, stream, newest)
  }

  last(): string | undefined {
    return this.#segments.log.last()
  }

  async close(): Promise<void> {
    try {
      await this.sync()
    } finally {
      await Promise.all([this.#segments.pack.close(), this.#segments.log.close()])
      this.#unlock()
    }
  }
}
