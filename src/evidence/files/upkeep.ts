/** What is done beside the writing, one job after another: sealed packs are compressed, indexes made, payloads removed. */
import { closeSync, fstatSync } from 'node:fs'
import { setImmediate as pause } from 'node:timers/promises'
import { limits } from '../../limits.ts'
import type { Stream } from '../store.ts'
import { fileOf, flags, openRegular, type Segment, segmentsIn } from './folder.ts'
import { hasIndex, IndexBuilder, readIndex, writeIndex } from './index-file.ts'
import { reading, wholeLines } from './lines.ts'
import { hashOf, payloadLines } from './lookup.ts'
import { decodeLine, newline } from './read-at.ts'
import { repack, Stopped } from './repack.ts'

export class Upkeep {
  readonly #dir: string
  #jobs: Promise<void> = Promise.resolve()
  #waiting = false
  #stopped = false

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Compresses and indexes what is sealed and is not yet. What fails there loses nothing, and is tried again at the next start. */
  wake(): void {
    if (this.#waiting || this.#stopped) return
    this.#waiting = true
    this.#jobs = this.#jobs
      .then(() => {
        this.#waiting = false
        return this.#keep()
      })
      .catch(() => {})
  }

  /**
   * Removes payloads from every sealed pack.
   * @param done runs at the end, before any other job
   * @returns how many have gone; once it resolves they are off the device
   * @throws Stopped where it was closed meanwhile; whatever the system says
   */
  remove(hashes: ReadonlySet<string>, done: () => void): Promise<number> {
    const removed = this.#jobs.then(async () => {
      const gone = await this.#remove(hashes)
      done()
      return gone
    })
    this.#jobs = removed.then(
      () => {},
      () => {},
    )
    return removed
  }

  /** Ends what is under way between two steps. */
  async close(): Promise<void> {
    this.#stopped = true
    await this.#jobs
  }

  async #keep(): Promise<void> {
    for (const segment of sealed(this.#dir, 'pack')) {
      if (!segment.packed) await repack(this.#dir, segment, new Set(), () => this.#stopped)
      this.#assertGoesOn()
    }
    for (const segment of sealed(this.#dir, 'log')) await this.#index(segment)
  }

  async #index(segment: Segment): Promise<void> {
    if (reading(this.#dir, segment, (_, size) => hasIndex(this.#dir, segment, size)) === true) return
    for (const built of indexing(this.#dir, segment)) {
      this.#assertGoesOn()
      await pause()
      if (built !== undefined) writeIndex(this.#dir, segment, built)
    }
  }

  async #remove(hashes: ReadonlySet<string>): Promise<number> {
    let gone = 0
    for (const segment of sealed(this.#dir, 'pack')) {
      this.#assertGoesOn()
      if (!holdsAny(this.#dir, segment, hashes)) continue
      gone += await repack(this.#dir, segment, hashes, () => this.#stopped)
    }
    return gone
  }

  #assertGoesOn(): void {
    if (this.#stopped) throw new Stopped()
  }
}

/** All but the newest of a stream, which is written still. */
const sealed = (dir: string, stream: Stream): readonly Segment[] => segmentsIn(dir, stream).slice(0, -1)

function holdsAny(dir: string, segment: Segment, hashes: ReadonlySet<string>): boolean {
  for (const line of payloadLines(dir, segment, hashes)) if (hashes.has(hashOf(line) ?? '')) return true
  return false
}

/** Whether a segment of the log has an index that fits it by size, and is not what its lines give. */
export function isMisleading(dir: string, segment: Segment): boolean {
  const there = reading(dir, segment, (_, size) => readIndex(dir, segment, size))
  if (there === undefined) return false
  let made: Buffer | undefined
  for (const built of indexing(dir, segment)) made = built
  return made === undefined || !there.equals(made)
}

/**
 * @returns the index of a segment of the log at the end; before that undefined, after each part of the work
 * @throws EvidenceError for a file that cannot be read
 */
function* indexing(dir: string, segment: Segment): Generator<Buffer | undefined, void, undefined> {
  const index = new IndexBuilder()
  const fd = openRegular(dir, fileOf(segment), flags.read)
  try {
    const size = fstatSync(fd).size
    const rest = { bytes: Buffer.alloc(0) }
    let before = 0
    for (const part of wholeLines(fd, fileOf(segment), size, 0, rest)) {
      addEntries(index, part, before)
      before += part.length
      yield undefined
    }
    addEntries(index, rest.bytes, before)
    yield index.bytes(size)
  } finally {
    closeSync(fd)
  }
}

/** @param before where the part begins in its file */
function addEntries(index: IndexBuilder, part: Buffer, before: number): void {
  for (let from = 0; from < part.length; ) {
    const end = part.indexOf(newline, from)
    const at = before + from
    const line = decodeLine(part.subarray(from, end === -1 ? part.length : end))
    index.addEntry(line, at - (at % limits.evidenceBlockBytes))
    from = end === -1 ? part.length : end + 1
  }
}
