/** Snapshots beside a log, `snapshot-000000004711.jsonl`: derived, may be deleted at any time, and believed only where the log says what is in them. */
import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../../limits.ts'
import { EvidenceError } from '../store.ts'
import { flags, openRegular } from './folder.ts'
import { readAt } from './read-at.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
const draftName = 'snapshot.new'
const name = /^snapshot-(\d{12})\.jsonl$/
const nameOf = (seq: number): string => `snapshot-${String(seq).padStart(12, '0')}.jsonl`

/** What is known of a file without a look at what it says. */
export interface SnapshotFile {
  /** The entry after which it was taken. */
  readonly seq: number
  readonly text: string
  /** SHA-256 of its bytes, as hex. */
  readonly hash: string
}

/** A snapshot that is being written; it counts once it has its name. */
export interface SnapshotDraft {
  /** @throws whatever the system says; EvidenceError EFBIG beyond `limits.snapshotBytesMax` */
  add(line: string): Promise<void>
  /** Removes the oldest of those that are there, and gives it its name. @throws whatever the system says */
  finish(): Promise<{ readonly hash: string; readonly bytes: number }>
  /** Nothing of it stays. Never rejects. */
  drop(): Promise<void>
}

export class SnapshotFiles {
  readonly #dir: string

  /** @param dir where the log lies; what a crash left half written there is removed */
  constructor(dir: string) {
    this.#dir = dir
    this.#remove(draftName)
  }

  /** Numbers of the entries after which those that are there were taken, the newest first. */
  list(): readonly number[] {
    return readdirSync(this.#dir)
      .flatMap((file) => name.exec(file)?.[1] ?? [])
      .map(Number)
      .sort((one, other) => other - one)
  }

  /** @returns undefined for one that cannot be read, whatever the reason */
  read(seq: number): SnapshotFile | undefined {
    try {
      const fd = openRegular(this.#dir, nameOf(seq), flags.read)
      try {
        const { size } = fstatSync(fd)
        if (size > limits.snapshotBytesMax) return undefined
        const bytes = readAt(fd, 0, size)
        return { seq, text: bytes.toString('utf8'), hash: hash('sha256', bytes, 'hex') }
      } finally {
        closeSync(fd)
      }
    } catch {
      return undefined
    }
  }

  /** @param seq the entry after which it is taken @throws whatever the system says */
  async begin(seq: number): Promise<SnapshotDraft> {
    const path = join(this.#dir, draftName)
    rmSync(path, { force: true })
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    return new Draft(file, {
      keep: async () => {
        for (const old of this.list().slice(limits.snapshotsKept - 1)) this.#remove(nameOf(old))
        await rename(path, join(this.#dir, nameOf(seq)))
      },
      drop: () => this.#remove(draftName),
    })
  }

  /** What cannot be removed is no snapshot, and in nobody's way but that of the next one. */
  #remove(file: string): void {
    try {
      rmSync(join(this.#dir, file), { force: true })
    } catch {}
  }
}

class Draft implements SnapshotDraft {
  readonly #file: FileHandle
  readonly #then: { keep(): Promise<void>; drop(): void }
  readonly #hash = createHash('sha256')
  #bytes = 0

  constructor(file: FileHandle, then: { keep(): Promise<void>; drop(): void }) {
    this.#file = file
    this.#then = then
  }

  async add(line: string): Promise<void> {
    const bytes = Buffer.from(line)
    this.#bytes += bytes.length
    if (this.#bytes > limits.snapshotBytesMax)
      throw new EvidenceError('EFBIG', `a snapshot would have more than ${limits.snapshotBytesMax} bytes`)
    this.#hash.update(bytes)
    await this.#file.writeFile(bytes)
  }

  async finish(): Promise<{ readonly hash: string; readonly bytes: number }> {
    await this.#file.datasync()
    await this.#file.close()
    await this.#then.keep()
    return { hash: this.#hash.digest('hex'), bytes: this.#bytes }
  }

  async drop(): Promise<void> {
    await this.#file.close().catch(() => {})
    this.#then.drop()
  }
}
