/** A limit of time as a signal, by a clock of the kernel, so that a simulated kernel keeps it too. */
import type { Clock } from '../clock.ts'

export interface Deadline {
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
  /** Lets go of the timer. */
  cancel(): void
}

/** @param ms how long; for ever where undefined */
export function deadlineOf(clock: Pick<Clock, 'after'>, ms: number | undefined): Deadline {
  const controller = new AbortController()
  const cancel = ms === undefined ? () => {} : clock.after(ms, () => controller.abort())
  return { signal: controller.signal, cancel }
}
