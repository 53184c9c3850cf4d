/** Processes whose cell is gone are made again: the kernel's side of them lives on, only the guest repeats its past. */
import { SyscallError } from '../errors.ts'
import type { RebuildBody } from '../evidence/beginnings.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { EvidenceError } from '../evidence/store.ts'
import { tryRecord } from '../gate/record.ts'
import type { Fault } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import { faulted } from '../proc/exit.ts'
import type { Process } from '../proc/process.ts'
import { readRun } from '../replay/recorded-run.ts'
import { runsOf } from '../replay/source.ts'
import type { Spawner } from '../spawner.ts'
import { withLineage } from './lineage.ts'
import { type Risen, raise } from './revival.ts'

/** What a kernel has of these. */
export interface AfterCellParts {
  readonly log: EvidenceLog
  readonly spawner: Spawner
  /** Is told what the kernel itself did wrong. */
  readonly observers: { defect(error: unknown): void }
}

/** What was tried for one process. */
interface Tries {
  count: number
  /** A turn in whose middle its cell went: tried once, in a cell of its own. */
  suspect: number | undefined
}

export class AfterCell {
  readonly #kernel: AfterCellParts
  readonly #tries = new WeakMap<Process, Tries>()
  /** Those whose record is still to be read: each takes a moment in which nothing else is done. */
  readonly #waiting: (() => void)[] = []

  constructor(kernel: AfterCellParts) {
    this.#kernel = kernel
  }

  /**
   * @param fault of a guest that is gone with its cell
   * @returns what the process ends with; undefined where it is made again
   */
  lost(process: Process, fault: Fault): Fault | undefined {
    const tries = this.#tries.get(process) ?? { count: 0, suspect: undefined }
    this.#tries.set(process, tries)
    const { turns } = process
    const isSuspect = turns.active
    // Who ran when the cell went may have done it: it is begun again only where nobody has seen anything of that turn.
    if (isSuspect && (!turns.silent || process.held || tries.suspect === turns.count)) return fault
    if (isSuspect) tries.suspect = turns.count
    if (tries.count >= limits.rebuildsMax)
      return because(fault, `it was made again ${limits.rebuildsMax} times already`)
    if (process.recordedBytes > limits.rebuildBytesMax)
      return because(fault, `its record has more than ${limits.rebuildBytesMax} bytes`)
    tries.count += 1
    let isDue = true
    const begin = (): void => {
      if (!isDue || process.over || process.held) return
      isDue = false
      this.#enqueue(() => void this.#repeat(process, fault, isSuspect))
    }
    turns.lost(begin)
    begin()
    return undefined
  }

  #enqueue(work: () => void): void {
    if (this.#waiting.push(work) === 1) setImmediate(() => this.#work())
  }

  #work(): void {
    const [work] = this.#waiting
    work?.()
    this.#waiting.shift()
    if (this.#waiting.length > 0) setImmediate(() => this.#work())
  }

  async #repeat(process: Process, fault: Fault, isSuspect: boolean): Promise<void> {
    if (process.over) return
    try {
      const risen = await this.#raise(process, fault, isSuspect)
      if (risen === undefined) return
      if ('goOn' in risen) risen.goOn()
      else process.fault(risen)
    } catch (error) {
      if (!(error instanceof EvidenceError || error instanceof SyscallError))
        this.#kernel.observers.defect(error)
      fail(process, because(fault, error instanceof Error ? error.message : 'unknown'))
    }
  }

  async #raise(process: Process, { reason }: Fault, own: boolean): Promise<Risen | Fault | undefined> {
    const { log, spawner } = this.#kernel
    const source = withLineage(runsOf(log))
    const { run } = process.identity
    const { count: turn, lastCall: taken } = process.turns
    const recorded = readRun(source, run).processes.find(({ pid }) => pid === process.pid)
    if (recorded?.turns.length !== turn - 1)
      throw new EvidenceError('EIO', recorded?.gap?.why ?? 'not all of its turns are on record')
    const isOnRecord = tryRecord(log, process, () =>
      log.append({
        ...{ kind: 'rebuild', run, pid: process.pid, cause: 'cell', reason, turn },
      } satisfies RebuildBody),
    )
    if (isOnRecord === undefined || process.over) return undefined
    return raise({
      ...{ process, recorded, source, taken, live: spawner.guests.events(process) },
      start: (_spec, events) => spawner.guests.start(process, events, own),
    })
  }
}

const because = (fault: Fault, why: string): Fault => ({
  ...fault,
  reason: `${fault.reason}; it could not be made again: ${why}`,
})

function fail(process: Process, fault: Fault): void {
  if (!process.over) process.end(faulted(fault))
}
