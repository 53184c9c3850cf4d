/** How long payloads are kept: applied when a kernel starts, and every hour while it runs. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from './clock.ts'
import type { FileStore } from './evidence/file-store.ts'
import type { EvidenceLog } from './evidence/log.ts'
import { finishRemoval, olderThan, removePayloads } from './evidence/redact.ts'
import { limits } from './limits.ts'
import { parseAge } from './policy/units.ts'

interface Kept {
  readonly log: EvidenceLog
  readonly store: FileStore
  readonly clock: Clock
  /** As the option says, such as `30d`; undefined where payloads stay. */
  readonly age: string | undefined
}

/** What the kernel knows that the record does not. */
export interface Around {
  /** Which runs go on. */
  readonly table: { liveRuns(): ReadonlySet<string> }
  /** Texts that were kept once are kept anew from here on, since what is there of them may go. */
  readonly shared: { forget(): void }
  readonly observers: { defect(error: unknown): void }
}

/** It was stopped; no defect. */
class Stopped extends Error {}

export class Retention {
  readonly #record: Kept
  readonly #around: Around
  #cancel: () => void = () => {}

  /** Begins at once, beside the kernel, and ends when the store closes. What fails is told as a defect. */
  static start(record: Kept, around: Around): void {
    const retention = new Retention(record, around)
    record.store.closing.addEventListener('abort', () => retention.#cancel(), { once: true })
    void retention.#work(async () => {
      // Before anything else: what an earlier kernel was stopped in.
      await finishRemoval(record.store)
      await retention.#apply()
    })
  }

  private constructor(record: Kept, around: Around) {
    this.#record = record
    this.#around = around
  }

  async #work(work: () => Promise<void>): Promise<void> {
    const { clock, age, store } = this.#record
    try {
      await work()
    } catch (error) {
      // The store stops its own part when it is closed.
      if (!store.closing.aborted) this.#around.observers.defect(error)
    }
    if (age === undefined || store.closing.aborted) return
    this.#cancel = clock.after(limits.retentionEveryMs, () => void this.#work(() => this.#apply()))
  }

  async #apply(): Promise<void> {
    const { log, store, clock, age } = this.#record
    if (age === undefined) return
    const ageMs = parseAge(age)
    const pause = async (): Promise<void> => {
      await nextTurn()
      if (store.closing.aborted) throw new Stopped()
    }
    const author = { by: 'the kernel', reason: `older than the retention of ${age}` }
    for (;;) {
      await pause()
      this.#around.shared.forget()
      log.commit()
      const live = this.#around.table.liveRuns()
      const cut = await olderThan({ store, pause }, clock.now() - ageMs, (run) => live.has(run), author)
      const { more } = await removePayloads({ log, store, pause }, cut)
      if (!more) return
    }
  }
}
