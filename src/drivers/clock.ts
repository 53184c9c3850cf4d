/** Sleeping, on the process's own clock: it stands still while the process is stopped. */
import type { Clock } from '../clock.ts'
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { Process } from '../proc/process.ts'

/** How often a sleep that is over looks whether its process goes on, in ms. */
const stoppedPollMs = 20

export class ClockDriver {
  readonly #clock: Clock
  readonly #sleeping = new Map<Process, Map<number, () => void>>()

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
    const until = process.turns.time + ms
    return new Promise((resolve, reject) => {
      let cancelTimer = (): void => {}
      const over = (): void => {
        cancelTimer()
        this.#forget(process, call)
        grant.signal.removeEventListener('abort', interrupt)
      }
      const interrupt = (): void => {
        over()
        reject(new SyscallError('EINTR', 'the sleep was canceled'))
      }
      const look = (): void => {
        const left = until - process.turns.time
        if (left > 0)
          cancelTimer = this.#clock.after(process.stopped ? Math.max(left, stoppedPollMs) : left, look)
        else {
          over()
          resolve(null)
        }
      }
      grant.signal.addEventListener('abort', interrupt)
      this.#remember(process, call, interrupt)
      look()
    })
  }

  /** Ends a sleep of the same process early; a sleep that is over is left alone. */
  cancel(grant: Grant, process: Process, call: number): null {
    Grant.demand(grant, 'clock.cancel', '')
    this.#sleeping.get(process)?.get(call)?.()
    return null
  }

  #remember(process: Process, call: number, interrupt: () => void): void {
    const calls = this.#sleeping.get(process) ?? new Map<number, () => void>()
    calls.set(call, interrupt)
    this.#sleeping.set(process, calls)
  }

  #forget(process: Process, call: number): void {
    const calls = this.#sleeping.get(process)
    calls?.delete(call)
    if (calls?.size === 0) this.#sleeping.delete(process)
  }
}
