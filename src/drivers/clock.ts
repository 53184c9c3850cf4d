/** Sleeping, on the process's own clock: it stands still while the process is stopped. */
import type { Clock } from '../clock.ts'
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { Process } from '../proc/process.ts'

/** One sleep that is not over. */
interface Sleep {
  /** The guest's number of the call, by which it can be canceled. */
  readonly call: number
  /** When it is over, by the process's own clock. */
  readonly until: number
  readonly wake: () => void
  readonly interrupt: () => void
  cancelTimer: () => void
  /** Its time came while the process was stopped. */
  parked: boolean
}

export class ClockDriver {
  readonly #clock: Clock
  readonly #sleeping = new Map<Process, Set<Sleep>>()
  /** When the first sleep of a process's turn arrived. */
  readonly #bases = new WeakMap<Process, { readonly turn: number; readonly time: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  time(grant: Grant, process: Process): number {
    Grant.demand(grant, 'clock.time', '')
    return process.turns.time
  }

  /**
   * @param call the guest's number of this call, by which it can be canceled
   * @returns when `ms` of the process's own time have passed
   * @throws SyscallError EINTR when canceled or ended by a signal
   */
  sleep(grant: Grant, process: Process, call: number, ms: number): Promise<null> {
    Grant.demand(grant, 'clock.sleep', '')
    return new Promise((resolve, reject) => {
      const over = (): void => {
        sleep.cancelTimer()
        this.#forget(process, sleep)
        grant.signal.removeEventListener('abort', sleep.interrupt)
      }
      const sleep: Sleep = {
        call,
        until: this.#baseOf(process) + ms,
        wake: () => {
          over()
          resolve(null)
        },
        interrupt: () => {
          over()
          reject(new SyscallError('EINTR', 'the sleep was canceled'))
        },
        cancelTimer: () => {},
        parked: false,
      }
      grant.signal.addEventListener('abort', sleep.interrupt)
      this.#remember(process, sleep)
      this.#arm(process, sleep)
    })
  }

  /** Ends a sleep of the same process early; a sleep that is over is left alone. */
  cancel(grant: Grant, process: Process, call: number): null {
    Grant.demand(grant, 'clock.cancel', '')
    const sleeps = this.#sleeping.get(process) ?? []
    for (const sleep of sleeps) if (sleep.call === call) sleep.interrupt()
    return null
  }

  /** The process goes on: sleeps whose time came while it was stopped go on too, the earliest first. */
  resume(process: Process): void {
    const parked = [...(this.#sleeping.get(process) ?? [])].filter((sleep) => sleep.parked)
    for (const sleep of parked.toSorted((a, b) => a.until - b.until)) {
      sleep.parked = false
      this.#arm(process, sleep)
    }
  }

  /** Sleeps of one turn count from one moment, however far apart their calls arrive: so the shorter ends first. */
  #baseOf(process: Process): number {
    const { count: turn, time } = process.turns
    const known = this.#bases.get(process)
    if (known?.turn === turn) return known.time
    this.#bases.set(process, { turn, time })
    return time
  }

  #arm(process: Process, sleep: Sleep): void {
    const leftMs = sleep.until - process.turns.time
    if (leftMs <= 0) return sleep.wake()
    sleep.cancelTimer = this.#clock.after(leftMs, () => {
      if (process.held) sleep.parked = true
      else this.#arm(process, sleep)
    })
  }

  #remember(process: Process, sleep: Sleep): void {
    const sleeps = this.#sleeping.get(process) ?? new Set()
    this.#sleeping.set(process, sleeps.add(sleep))
  }

  #forget(process: Process, sleep: Sleep): void {
    const sleeps = this.#sleeping.get(process)
    sleeps?.delete(sleep)
    if (sleeps?.size === 0) this.#sleeping.delete(process)
  }
}
