/** Sleeping and waiting, on the process's own clock: it stands still while the process is stopped. */
import type { Clock } from '../clock.ts'
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { Process } from '../proc/process.ts'

/** Something that is due at a time of a process. */
interface Alarm {
  /** By the process's own clock. */
  readonly until: number
  readonly ring: () => void
  cancelTimer: () => void
  /** Its time came while the process was stopped. */
  parked: boolean
}

export class ClockDriver {
  readonly #clock: Clock
  readonly #alarms = new Map<Process, Set<Alarm>>()
  /** What interrupts the sleeps of a process, by the guest's number of the call. */
  readonly #sleeping = new WeakMap<Process, Map<number, () => void>>()
  /** When sleeps of before this kernel are over, by the guest's number of the call. */
  readonly #owed = new WeakMap<Process, Map<number, number>>()
  /** When the first alarm of a process's turn was set. */
  readonly #bases = new WeakMap<Process, { readonly turn: number; readonly time: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A sleep began before this kernel: where it is made again, it ends when it would have. */
  owe(process: Process, call: number, ms: number): void {
    const owed = this.#owed.get(process) ?? new Map<number, number>()
    this.#owed.set(process, owed.set(call, this.#baseOf(process) + ms))
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
      let cancel = (): void => {}
      const sleeping = this.#sleeping.get(process) ?? new Map<number, () => void>()
      const over = (): void => {
        cancel()
        if (sleeping.get(call) === interrupt) sleeping.delete(call)
        grant.signal.removeEventListener('abort', interrupt)
      }
      const interrupt = (): void => {
        over()
        reject(new SyscallError('EINTR', 'the sleep was canceled'))
      }
      this.#sleeping.set(process, sleeping.set(call, interrupt))
      grant.signal.addEventListener('abort', interrupt)
      const until = this.#owed.get(process)?.get(call)
      this.#owed.get(process)?.delete(call)
      const leftMs = until === undefined ? ms : Math.max(0, until - this.#baseOf(process))
      cancel = this.of(process).after(leftMs, () => {
        over()
        resolve(null)
      })
    })
  }

  /** Ends a sleep of the same process early; a sleep that is over is left alone. */
  cancel(grant: Grant, process: Process, call: number): null {
    Grant.demand(grant, 'clock.cancel', '')
    this.#sleeping.get(process)?.get(call)?.()
    return null
  }

  /** The process's own clock, for whatever else waits for its sake. */
  of(process: Process): Pick<Clock, 'after'> {
    return {
      after: (ms, then) => {
        const cancel = (): void => {
          alarm.cancelTimer()
          this.#forget(process, alarm)
        }
        const alarm: Alarm = {
          until: this.#baseOf(process) + ms,
          ring: () => {
            cancel()
            then()
          },
          cancelTimer: () => {},
          parked: false,
        }
        this.#remember(process, alarm)
        this.#arm(process, alarm)
        return cancel
      },
    }
  }

  /** The process goes on: alarms whose time came while it was stopped go on too, the earliest first. */
  resume(process: Process): void {
    const parked = [...(this.#alarms.get(process) ?? [])].filter((alarm) => alarm.parked)
    for (const alarm of parked.toSorted((a, b) => a.until - b.until)) {
      alarm.parked = false
      this.#arm(process, alarm)
    }
  }

  /** Alarms of one turn count from one moment, however far apart their calls arrive: so the shorter ends first. */
  #baseOf(process: Process): number {
    const { count: turn, time } = process.turns
    const known = this.#bases.get(process)
    if (known?.turn === turn) return known.time
    this.#bases.set(process, { turn, time })
    return time
  }

  #arm(process: Process, alarm: Alarm): void {
    const leftMs = alarm.until - process.turns.time
    if (leftMs <= 0) return this.#ringUpTo(process, alarm.until)
    alarm.cancelTimer = this.#clock.after(leftMs, () => {
      if (process.held) alarm.parked = true
      else this.#arm(process, alarm)
    })
  }

  /** Timers of the host take whole milliseconds: of two alarms for one moment, the later could ring first. */
  #ringUpTo(process: Process, until: number): void {
    const due = [...(this.#alarms.get(process) ?? [])].filter((alarm) => alarm.until <= until)
    for (const alarm of due.toSorted((a, b) => a.until - b.until)) alarm.ring()
  }

  #remember(process: Process, alarm: Alarm): void {
    const alarms = this.#alarms.get(process) ?? new Set()
    this.#alarms.set(process, alarms.add(alarm))
  }

  #forget(process: Process, alarm: Alarm): void {
    const alarms = this.#alarms.get(process)
    alarms?.delete(alarm)
    if (alarms?.size === 0) this.#alarms.delete(process)
  }
}
