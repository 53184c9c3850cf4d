/** A kernel outlives cells that lie: each kind of lie alone, and many at once. */
import { afterEach, beforeEach, describe, test, vi } from 'vitest'
import { Random } from '../support/random.ts'
import { BoundaryFuzz } from './boundary.ts'
import { lieNames } from './lies.ts'

// The deadlines of cells are of the host's own clock, which has to pass at once here.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())
const timers = { tick: (ms: number) => void vi.advanceTimersByTime(ms) }

describe('a cell that lies', () => {
  test.each(lieNames)('%s', async (name) => {
    const fuzz = new BoundaryFuzz(new Random(`alone ${name}`), timers)
    for (let times = 0; times < 4; times += 1) await fuzz.lie(name)
    await fuzz.close()
  })

  test.each([1, 2, 3, 4])('in every way, seed %i', async (seed) => {
    const fuzz = new BoundaryFuzz(new Random(`lies ${seed}`), timers)
    for (let times = 0; times < 40; times += 1) await fuzz.lie()
    await fuzz.close()
  })
})
