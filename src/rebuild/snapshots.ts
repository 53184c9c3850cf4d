/** While a kernel runs, snapshots of its state are written beside the log: a piece at a time, and never at the cost of the log. */
import type { Clock } from '../clock.ts'
import type { IpcDriver } from '../drivers/ipc.ts'
import type { Home, Homes } from '../drivers/vfs/homes.ts'
import type { SnapshotBody } from '../evidence/beginnings.ts'
import type { SnapshotDraft, SnapshotFiles } from '../evidence/files/snapshot-files.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { limits } from '../limits.ts'
import type { ProcessTable } from '../proc/table.ts'
import type { Segment } from './lineage.ts'
import { type HomeImage, lineOf, type SnapshotHead } from './snapshot.ts'

/** What a kernel has of what is in a snapshot. */
interface Kernel {
  readonly log: EvidenceLog
  readonly table: ProcessTable
  /** Is told what the kernel itself did wrong. */
  readonly observers: { defect(error: unknown): void }
}

interface Around {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly homes: Homes
  readonly ipc: IpcDriver
  /** Hash of the kernel's policies, as they are on record. */
  readonly policies: () => string
  /** What came before this kernel, where it goes on from there. */
  readonly before: readonly Segment[] | undefined
  /** The kernel's own first entry. */
  readonly opened: number
  readonly evidence: 'memory' | { readonly snapshotEvery?: number }
}

/** Something has no name on record by which a snapshot could keep it. */
class Unnamed extends Error {}

export class Snapshots {
  readonly #kernel: Kernel
  readonly #around: Around
  readonly #files: SnapshotFiles | undefined
  readonly #every: number
  /** Entries that the log had when the last one was taken. */
  #last: number
  /** No other one before this time of the clock. */
  #restUntil = 0
  #writing: Promise<void> | undefined
  #closed = false

  constructor(kernel: Kernel, around: Around) {
    this.#kernel = kernel
    this.#around = around
    const { snapshotEvery = limits.snapshotEntries } = around.evidence === 'memory' ? {} : around.evidence
    this.#every = snapshotEvery
    this.#files = snapshotEvery === 0 ? undefined : kernel.log.beside.snapshots
    this.#last = around.opened
  }

  /** Something was put on record: where that was enough since the last snapshot, another is taken, beside what runs. */
  look(): void {
    if (this.#files === undefined || this.#writing !== undefined || this.#closed) return
    const { entries } = this.#kernel.log.head()
    if (entries - this.#last < this.#every) return
    if (this.#around.clock.monotonic() < this.#restUntil) return
    this.#last = entries
    this.#writing = this.#take(this.#files).finally(() => {
      this.#writing = undefined
    })
  }

  /** None is taken any more; one that is being written is given up. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
  }

  async #take(files: SnapshotFiles): Promise<void> {
    let draft: SnapshotDraft | undefined
    try {
      const head = await this.#apart(() => this.#head())
      const agents = this.#around.homes.agents
      draft = await files.begin(head.seq)
      await draft.add(lineOf(head))
      for (const agent of agents) await draft.add(await this.#apart(() => lineOf(this.#home(agent))))
      const { hash: sha256, bytes: size } = await draft.finish()
      const { seq: after, from } = head
      if (!this.#closed)
        this.#kernel.log.append({ kind: 'snapshot', after, from, sha256, size } satisfies SnapshotBody)
    } catch (error) {
      await draft?.drop()
      // A device that does not write costs the snapshot alone; the log finds out for itself.
      if (!(error instanceof Unnamed) && !(error instanceof Error && 'code' in error))
        this.#kernel.observers.defect(error)
    }
  }

  /**
   * Looks at the state in a moment of its own: whatever was done before is on record then, since nothing that stays in the
   * kernel lies between its effect and its outcome once the code that runs has come to its end.
   */
  #apart<T>(look: () => T): Promise<T> {
    const { clock } = this.#around
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        const began = clock.monotonic()
        try {
          if (this.#closed) throw new Unnamed('the kernel ends')
          resolve(look())
        } catch (error) {
          reject(error)
        }
        const now = clock.monotonic()
        this.#restUntil = Math.max(this.#restUntil, now) + (now - began) * limits.snapshotRest
      })
    })
  }

  #head(): SnapshotHead {
    const { ipc, before = [], opened, policies } = this.#around
    const { table } = this.#kernel
    const seq = this.#seq
    const mailboxes = ipc.kept()
    if (mailboxes === undefined) throw new Unnamed('a message')
    const oldest = table
      .live()
      .flatMap((process) => table.beginnings.get(process) ?? [])
      .toSorted((one, other) => one.seq - other.seq)[0]
    const { lastPid, labels, ended } = table.endings
    const segments = [...before, { from: opened, to: seq, names: new Map(), isForked: false }]
    return {
      ...{ v: 1, seq, from: oldest?.seq ?? seq + 1, policies: oldest?.policies ?? policies() },
      ...{ lastPid, labels: [...labels], ended: [...ended] },
      segments: segments.map(({ names, ...segment }) => ({ ...segment, names: [...names] })),
      mailboxes: mailboxes.map(([agent, messages]) => [
        agent,
        messages.map(({ labels: carried, ...rest }) => ({ ...rest, labels: [...carried] })),
      ]),
    }
  }

  #home(agent: string): HomeImage {
    const { memory, episodic, state } = imagesOf(this.#around.homes.of(agent))
    if (memory === undefined || episodic === undefined || state === undefined) throw new Unnamed('a file')
    return { agent, seq: this.#seq, memory, episodic, state }
  }

  /** The last entry. */
  get #seq(): number {
    return this.#kernel.log.head().entries - 1
  }
}

const imagesOf = ({ memory, episodic, state }: Home) => ({
  memory: memory.image(),
  episodic: episodic.image(),
  state: state.image(),
})
