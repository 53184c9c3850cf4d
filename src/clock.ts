/** The kernel's only source of time and chance; everything else is handed one of these. */
import { createHash, randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Wall time in milliseconds since 1970. */
  now(): number
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number
  /** Calls back after at least `ms`; the result cancels it. With `unheld` the process may end before. */
  after(ms: number, then: () => void, unheld?: 'unheld'): () => void
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, then: () => void, unheld?: 'unheld') {
    const timer = setTimeout(then, ms)
    if (unheld) timer.unref()
    return () => clearTimeout(timer)
  },
})

/** A source of seeds for guests and of identifiers. */
export interface Chance {
  /** 32 fresh bytes, as hex. */
  seed(): string
  /** Random bytes for an agent that asks the kernel for them. */
  bytes(count: number): Buffer
  /** A short identifier that has not been given out before. */
  identifier(): string
}

/**
 * @param seed where given, every seed and identifier follows from it, so that runs repeat; otherwise they are fresh
 * @param after the place in a record where a kernel goes on: what it gave before it does not give again
 */
export function makeChance(seed?: number, after?: number): Chance {
  const start = after === undefined ? '' : ` after ${after}`
  let count = 0
  const bytes = (length: number): Buffer => {
    count += 1
    if (seed === undefined) return randomBytes(length)
    return createHash('shake256', { outputLength: length })
      .update(`gatehouse ${seed}${start} ${count}`)
      .digest()
  }
  return {
    seed: () => bytes(32).toString('hex'),
    bytes,
    identifier: () => bytes(6).toString('hex'),
  }
}
