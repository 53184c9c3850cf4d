/** Evidence in memory on a device that may fail: at a commit, half way through it, or at a flush that is slow. */
import type { Clock } from '../../src/clock.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { EvidenceError, type EvidenceStore, type Stream } from '../../src/evidence/store.ts'
import type { Random } from '../support/random.ts'

interface Line {
  readonly stream: Stream
  readonly line: string
}

export interface StoreFaults {
  /** Which commit fails, from 0; none where undefined. */
  readonly failingCommit: number | undefined
  /** Whether the device works again after that one. */
  readonly heals: boolean
  /** Which flush fails, from 0; none where undefined. */
  readonly failingSync: number | undefined
  /** The longest a flush takes, in ms. */
  readonly syncMs: number
}

export class FaultyStore implements EvidenceStore {
  readonly repairs = []
  readonly #inner = new MemoryStore()
  readonly #faults: StoreFaults
  readonly #random: Random
  readonly #clock: Clock
  readonly #onEntry: (entry: Entry) => void
  #queued: Line[] = []
  #commits = 0
  #syncs = 0
  #writtenEntries = 0
  #syncedEntries = 0
  /** Faults that it had. */
  faults = 0
  /** Payloads by their hash. */
  readonly payloads = new Map<string, string>()

  /** @param onEntry is told each entry when it gets its place in the chain */
  constructor(faults: StoreFaults, random: Random, clock: Clock, onEntry: (entry: Entry) => void) {
    this.#faults = faults
    this.#random = random
    this.#clock = clock
    this.#onEntry = onEntry
  }

  /** Entries that the device took. */
  get written(): number {
    return this.#writtenEntries
  }

  /** Entries that would survive a loss of power. */
  get synced(): number {
    return this.#syncedEntries
  }

  append(stream: Stream, line: string): void {
    this.#queued.push({ stream, line })
    const read = JSON.parse(line)
    if (stream === 'log') this.#onEntry(read)
    else this.payloads.set(read.hash, read.text)
  }

  commit(): void {
    const queued = this.#queued
    this.#queued = []
    const { failingCommit, heals } = this.#faults
    const at = this.#commits++
    const fails = failingCommit !== undefined && (heals ? at === failingCommit : at >= failingCommit)
    if (!fails) return this.#write(queued)
    this.faults += 1
    const packs = queued.filter(({ stream }) => stream === 'pack')
    const entries = queued.filter(({ stream }) => stream === 'log')
    this.#write([...packs, ...entries.slice(0, this.#random.between(0, entries.length))])
    throw this.#error()
  }

  sync(): Promise<void> {
    const at = this.#syncs++
    const upTo = this.#writtenEntries
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#clock.after(this.#random.between(0, this.#faults.syncMs), () => {
      if (at === this.#faults.failingSync) {
        this.faults += 1
        return reject(this.#error())
      }
      this.#syncedEntries = Math.max(this.#syncedEntries, upTo)
      resolve()
    })
    return promise
  }

  lines(stream: Stream): Iterable<string> {
    return this.#inner.lines(stream)
  }

  find(): Iterable<string> {
    return this.#inner.find()
  }

  pick(): Iterable<string> {
    return this.#inner.pick()
  }

  last(): string | undefined {
    return this.#inner.last()
  }

  async close(): Promise<void> {
    this.#queued = []
  }

  #write(lines: readonly Line[]): void {
    for (const { stream, line } of lines) this.#inner.append(stream, line)
    this.#inner.commit()
    this.#writtenEntries += lines.filter(({ stream }) => stream === 'log').length
  }

  #error(): unknown {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    return this.#random.pick([full, new EvidenceError('EIO', 'the device is gone'), 'not even an error'])
  }
}
