/** Raises SIGBUDGET for wall and CPU time that is used up, and allows as much again where that did not end the process. */
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { SignalAction } from '../policy/types.ts'
import type { Ledger } from './ledger.ts'

/** What is watched. */
export interface Watched {
  readonly over: boolean
  /** Whether CPU time that is used up ends the process; then its turns are cut short, and nobody has to look. */
  readonly endsAtBudget: boolean
  /** How long the turn that runs has taken, in ms; nothing of it is charged yet. */
  readonly runningMs: number
  raise(reason: string): void
}

/** A process and those above it, with which it ends. */
export interface Timed {
  readonly parent: Timed | undefined
  readonly usage: { readonly wallMs: number }
  readonly ledger: Pick<Ledger, 'budget'>
  readonly policy: { readonly signals: { readonly SIGBUDGET: SignalAction } }
}

/** @returns ms until its wall time, or that of one above it, ends it; infinity where nothing of the kind does */
export function wallLeftMs({ parent, usage, ledger, policy }: Timed): number {
  const above = parent === undefined ? Number.POSITIVE_INFINITY : wallLeftMs(parent)
  const { wallMs } = ledger.budget
  // What is only stopped or put on record is allowed as much again.
  if (wallMs === undefined || policy.signals.SIGBUDGET !== 'kill') return above
  return Math.min(above, wallMs - (usage.wallMs % Math.max(1, wallMs)))
}

export class BudgetWatch {
  readonly #watched: Watched
  readonly #ledger: Ledger
  readonly #clock: Clock
  #cancelWall: () => void = () => {}
  #cancelCpu: () => void = () => {}

  constructor(watched: Watched, ledger: Ledger, clock: Clock) {
    this.#watched = watched
    this.#ledger = ledger
    this.#clock = clock
    this.#watchWall()
    this.#watchCpu()
  }

  close(): void {
    this.#cancelWall()
    this.#cancelCpu()
  }

  /** @param runningMs CPU time that is not charged yet */
  checkCpu(runningMs = 0): void {
    if (this.#ledger.left('cpuMs') >= runningMs) return
    const reason = this.cpuUsedUp()
    this.#ledger.extend('cpuMs', runningMs)
    this.#watched.raise(reason)
  }

  cpuUsedUp(): string {
    const { cpuMs } = this.#ledger.budget
    return cpuMs === undefined ? "its parent's CPU time is used up" : `its CPU time of ${cpuMs} ms is used up`
  }

  #watchWall(): void {
    const { wallMs } = this.#ledger.budget
    if (wallMs === undefined) return
    this.#cancelWall = this.#clock.after(wallMs, () => {
      this.#watched.raise(`its wall time of ${wallMs} ms is used up`)
      if (!this.#watched.over) this.#watchWall()
    })
  }

  #watchCpu(): void {
    if (this.#ledger.left('cpuMs') === Number.POSITIVE_INFINITY) return
    this.#cancelCpu = this.#clock.after(limits.cpuWatchMs, () => {
      if (!this.#watched.endsAtBudget) this.checkCpu(this.#watched.runningMs)
      if (!this.#watched.over) this.#watchCpu()
    })
  }
}
