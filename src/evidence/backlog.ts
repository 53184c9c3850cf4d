/** Lines on their way to the device: they are handed to it together, at the latest when the code that runs has come to its end. */
import { limits } from '../limits.ts'
import type { EvidenceStore, Stream } from './store.ts'

export class Backlog {
  readonly #store: EvidenceStore
  readonly #failed: (error: unknown) => void
  #lines = 0
  #length = 0
  #written = 0
  #isScheduled = false

  /** @param failed is told why they could not be written */
  constructor(store: EvidenceStore, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
  }

  /** UTF-16 units that were ever added. */
  get written(): number {
    return this.#written
  }

  /** @returns whether so much waits that it has to be written first */
  add(stream: Stream, line: string): boolean {
    this.#store.append(stream, line)
    this.#lines += 1
    this.#length += line.length
    this.#written += line.length
    if (this.#lines >= limits.evidenceBacklogMax || this.#length >= limits.evidenceBacklogBytes) return true
    this.#schedule()
    return false
  }

  /** Hands over what waits. */
  write(): void {
    if (this.#lines === 0) return
    this.#lines = 0
    this.#length = 0
    try {
      this.#store.commit()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Nothing waits any more, and nothing of it is written. */
  drop(): void {
    this.#lines = 0
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.write()
    })
  }
}
