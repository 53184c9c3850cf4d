/** Processes whose cell is gone are made again: the kernel's side of them lives on, only the guest repeats its past. */
import type { RebuildBody } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { EvidenceError } from '../evidence/store.ts'
import { tryRecord } from '../gate/record.ts'
import type { Fault } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import { faulted } from '../proc/exit.ts'
import type { Process } from '../proc/process.ts'
import { readRun } from '../replay/recorded-run.ts'
import { runsOf } from '../replay/source.ts'
import { readSteps, type StepTexts, stepsOf } from '../replay/steps.ts'
import type { Spawner } from '../spawner.ts'
import { Repetition } from './repetition.ts'

export interface AfterCellParts {
  readonly log: EvidenceLog
  readonly spawner: () => Spawner
}

/** What was tried for one process. */
interface Tries {
  count: number
  /** A turn in whose middle its cell went: tried once, in a cell of its own. */
  suspect: number | undefined
}

export class AfterCell {
  readonly #parts: AfterCellParts
  readonly #tries = new WeakMap<Process, Tries>()
  /** Those whose record is still to be read: each takes a moment in which nothing else is done. */
  readonly #waiting: (() => void)[] = []

  constructor(parts: AfterCellParts) {
    this.#parts = parts
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
      this.#enqueue(() => this.#repeat(process, fault, isSuspect))
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

  #repeat(process: Process, fault: Fault, isSuspect: boolean): void {
    if (process.over) return
    try {
      this.#begin(process, this.#stepsOf(process), fault, isSuspect)
    } catch (error) {
      const known = error instanceof EvidenceError || error instanceof Incomplete
      // What the kernel did wrong is told where the guest's doings are guarded; here its process only ends.
      fail(process, because(fault, known ? error.message : 'it could not be started'))
    }
  }

  #begin(process: Process, steps: Iterator<StepTexts, unknown>, { reason }: Fault, own: boolean): void {
    const { log } = this.#parts
    const spawner = this.#parts.spawner()
    const { run } = process.identity
    const { count: turn, lastCall: taken } = process.turns
    const recorded = tryRecord(log, process, () =>
      log.append({
        ...{ kind: 'rebuild', run, pid: process.pid, cause: 'cell', reason, turn },
      } satisfies RebuildBody),
    )
    if (recorded === undefined || process.over) return
    const live = spawner.events(process)
    new Repetition({
      ...{ process, steps, live, taken },
      startGuest: (events) => spawner.startGuest(process, events, own),
      done: (calls, usage) => {
        process.turns.caughtUp()
        for (const { number, name, text } of calls) live.call(number, name, text)
        live.turn(usage)
      },
      failed: (failure) => {
        if (failure.lost) process.fault(failure)
        else fail(process, failure)
      },
    })
  }

  /** @throws Incomplete, EvidenceError */
  #stepsOf(process: Process): Iterator<StepTexts, unknown> {
    const source = runsOf(this.#parts.log)
    const recorded = readRun(source, process.identity.run).processes.find(({ pid }) => pid === process.pid)
    if (recorded?.spawn === undefined) throw new Incomplete('its beginning is not on record')
    if (recorded.gap !== undefined) throw new Incomplete(recorded.gap.why)
    const steps = stepsOf(recorded)
    if (steps.length !== process.turns.count) throw new Incomplete('not all of its turns are on record')
    return readSteps(source, steps)
  }
}

/** Why what is on record does not suffice. */
class Incomplete extends Error {}

const because = (fault: Fault, why: string): Fault => ({
  ...fault,
  reason: `${fault.reason}; it could not be made again: ${why}`,
})

function fail(process: Process, fault: Fault): void {
  if (!process.over) process.end(faulted(fault))
}
