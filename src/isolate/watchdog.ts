/** Watches one cell from outside and ends it: heartbeat everywhere; memory, CPU, threads and children on Linux. */
import { limits } from '../limits.ts'
import type { Fault } from './guest.ts'
import { CpuDebt, judgeVitals, readVitals, type Vitals } from './vitals.ts'

export interface Watched {
  /** The cell's own process; undefined while that is not known. */
  pid(): number | undefined
  /** Who lives there now. */
  guests(): readonly { readonly heapBytes: number }[]
  /** Time in which turns were under way, over all guests that ever lived there, in ms; it never goes back. */
  activeMs(): number
  /** Asks for a sign of life, which comes as `pong`. */
  ping(): void
  /** Called once. */
  kill(cause: Fault): void
}

/** How often it looks, for how long it waits, and how much CPU time no turn may explain, in ms. */
export interface Patience {
  readonly everyMs: number
  readonly heartbeatMs: number
  readonly cpuDebtMs: number
}

const usual: Patience = {
  everyMs: limits.watchMs,
  heartbeatMs: limits.heartbeatMs,
  cpuDebtMs: limits.cellCpuDebtMs,
}

/** Whether this system tells what a watchdog asks; elsewhere it has the heartbeat alone. */
export const canReadVitals = (): boolean => readVitals(process.pid) !== undefined

export class Watchdog {
  readonly #watched: Watched
  readonly #patience: Patience
  readonly #cpu: CpuDebt
  #timer: NodeJS.Timeout | undefined
  /** How long the ping that is out has had no answer, in ms; undefined where none is out. */
  #silentMs: number | undefined
  #over = false

  /** Begins to watch at once. Nothing here throws, and no timer keeps the application alive. */
  constructor(watched: Watched, patience: Patience = usual) {
    this.#watched = watched
    this.#patience = patience
    this.#cpu = new CpuDebt(patience.cpuDebtMs)
    this.resume()
  }

  /** The cell has answered. */
  pong(): void {
    this.#silentMs = undefined
  }

  /** The system has stopped the cell: it cannot answer, and need not. */
  pause(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#silentMs = undefined
  }

  /** It runs again. */
  resume(): void {
    if (this.#over || this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#look(), this.#patience.everyMs)
    this.#timer.unref()
  }

  close(): void {
    this.pause()
    this.#over = true
  }

  #look(): void {
    const pid = this.#watched.pid()
    const vitals = pid === undefined ? undefined : readVitals(pid)
    const cause = vitals === undefined ? undefined : this.#judge(vitals)
    if (cause === undefined) this.#listen()
    else this.#kill(cause)
  }

  #judge(vitals: Vitals): Fault | undefined {
    const debt = this.#cpu.next(vitals.cpuMs, this.#watched.activeMs(), this.#patience.everyMs)
    return judgeVitals(vitals, this.#watched.guests()) ?? debt
  }

  /** Time is counted in looks: while the kernel's own loop is blocked there are none. */
  #listen(): void {
    if (this.#watched.guests().length === 0) {
      this.#silentMs = undefined
    } else if (this.#silentMs === undefined) {
      this.#silentMs = 0
      this.#watched.ping()
    } else {
      this.#silentMs += this.#patience.everyMs
      // An answer may have arrived that nobody has read yet: one more pass of the loop, and its end.
      if (this.#silentMs >= this.#patience.heartbeatMs)
        setImmediate(() => setImmediate(() => this.#assertPulse()))
    }
  }

  #assertPulse(): void {
    if (this.#silentMs === undefined || this.#silentMs < this.#patience.heartbeatMs) return
    const reason = `its cell gave no sign of life for ${this.#patience.heartbeatMs} ms, and was killed`
    this.#kill({ code: 'ETIMEDOUT', reason })
  }

  #kill(cause: Fault): void {
    if (this.#over) return
    this.close()
    this.#watched.kill(cause)
  }
}
