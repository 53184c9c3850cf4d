/** Evidence that lives as long as its kernel; for tests, and for those who want none on disk. */
import { limits } from '../limits.ts'
import { EvidenceError, type EvidenceStore, type Stream } from './store.ts'

export class MemoryStore implements EvidenceStore {
  readonly repairs = []
  readonly #committed: Record<Stream, string[]> = { log: [], pack: [] }
  #queued: { readonly stream: Stream; readonly line: string }[] = []
  readonly #bytesMax: number
  #bytes = 0

  /** @param bytesMax what it may hold, in UTF-16 units; past it a commit throws ENOSPC */
  constructor(bytesMax: number = limits.evidenceMemoryBytes) {
    this.#bytesMax = bytesMax
  }

  append(stream: Stream, line: string): void {
    this.#queued.push({ stream, line })
  }

  commit(): void {
    const queued = this.#queued
    this.#queued = []
    for (const { stream, line } of queued) {
      if (this.#bytes + line.length > this.#bytesMax) {
        throw new EvidenceError('ENOSPC', `evidence in memory is full at ${this.#bytesMax} characters`)
      }
      this.#bytes += line.length
      this.#committed[stream].push(line)
    }
  }

  async sync(): Promise<void> {}

  *lines(stream: Stream, newest = Number.POSITIVE_INFINITY): Iterable<string> {
    const lines = this.#committed[stream]
    let first = lines.length
    for (let left = newest; first > 0 && left > 0; first -= 1) {
      left -= Buffer.byteLength(lines[first - 1] ?? '') + 1
      if (left < 0) break
    }
    yield* lines.slice(first)
  }

  find(): Iterable<string> {
    return this.lines('log')
  }

  pick(): Iterable<string> {
    return this.lines('pack')
  }

  last(): string | undefined {
    return this.#committed.log.at(-1)
  }

  async close(): Promise<void> {
    this.#queued = []
  }
}
