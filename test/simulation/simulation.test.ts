/** Whole kernels on seeds: with failing disks, dying cells and signals at any time, the promises of the design hold. */
import { describe, expect, test } from 'vitest'
import { processesHeld } from './leaks.ts'
import { World } from './world.ts'

const seeds = Array.from({ length: 12 }, (_, index) => index)

describe('a simulated kernel', () => {
  test.each(seeds)('seed %i to its end', async (seed) => {
    for (let each = seed * 4; each < seed * 4 + 4; each += 1) {
      const { violations, lately } = await new World(each).run(800)
      expect(
        violations,
        `node test/simulation/main.ts --seed ${each} --steps 800\n${lately.join('\n')}`,
      ).toEqual([])
    }
  })

  test('lives the same life again on the same seed, and another on another', async () => {
    const [first, again, other] = [
      await new World(3).run(800),
      await new World(3).run(800),
      await new World(4).run(800),
    ]
    expect(again.fingerprint).toBe(first.fingerprint)
    expect(again.steps).toBe(first.steps)
    expect(other.fingerprint).not.toBe(first.fingerprint)
  })

  test('has let go of its processes when it is down', async () => {
    let lived = 0
    let approved = 0
    for (let seed = 100; seed < 112; seed += 1) {
      const world = new World(seed)
      const { violations, faults, processes, approvals } = await world.run(800)
      expect(violations).toEqual([])
      lived += processes
      approved += approvals
      if (!faults.has('the store failed')) expect(await processesHeld(world)).toBe(0)
    }
    expect(lived).toBeGreaterThan(50)
    expect(approved).toBeGreaterThan(10)
  })
})
