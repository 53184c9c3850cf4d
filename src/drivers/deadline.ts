/** A limit of time and the end of a call as one signal, by a clock of the kernel, so that a simulated kernel keeps it too. */
import type { Clock } from '../clock.ts'

export interface Deadline {
  /** Aborts when the time is over, or the call was ended. */
  readonly signal: AbortSignal
  /** Whether it was the time. */
  readonly isOver: boolean
  /** Lets go of the timer and of the call; to be called once it is done. */
  cancel(): void
}

/**
 * `AbortSignal.any` would do, but Node.js 22 never lets go of such a signal that aborted while somebody listened to it.
 * @param ms how long; for ever where undefined
 * @param ended aborts when the call is ended
 */
export function deadlineOf(
  clock: Pick<Clock, 'after'>,
  ms: number | undefined,
  ended: AbortSignal,
): Deadline {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  let isOver = false
  const late = (): void => {
    isOver = true
    abort()
  }
  const cancelTimer = ms === undefined ? () => {} : clock.after(ms, late)
  if (ended.aborted) abort()
  ended.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    get isOver() {
      return isOver
    },
    cancel: () => {
      cancelTimer()
      ended.removeEventListener('abort', abort)
    },
  }
}
