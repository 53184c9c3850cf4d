/** Where a long run stands: one line drawn again on a terminal, a line now and then in a pipe. */
import type { Clock } from '../clock.ts'
import type { Output } from './output.ts'

/** A run that ends sooner shows nothing, in ms. */
const quietMs = 1_000
/** How often the line is drawn on a terminal, in ms. */
const drawMs = 250
/** How often a pipe gets a line, in ms. */
const lineMs = 10_000

/**
 * @param describe what to say after so many ms
 * @returns ends it, and takes the line away
 */
export function showProgress(out: Output, clock: Clock, describe: (elapsedMs: number) => string): () => void {
  const startedAt = clock.monotonic()
  const tick = (): void => {
    const line = describe(clock.monotonic() - startedAt)
    if (out.isLive) out.live(line)
    else out.note(line)
    cancel = clock.after(out.isLive ? drawMs : lineMs, tick)
  }
  let cancel = clock.after(out.isLive ? quietMs : lineMs, tick)
  return () => {
    cancel()
    out.live('')
  }
}

/** @returns such as `0.4 s`, `12 s`, `3 min 20 s` */
export function elapsed(ms: number): string {
  const seconds = ms / 1_000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}
