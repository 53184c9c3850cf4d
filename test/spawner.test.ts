/** What the kernel itself does wrong while it serves a guest ends that process, is told, and takes no cell along. */
import { expect, test } from 'vitest'
import { makeAgent } from '../src/agents.ts'
import { systemClock } from '../src/clock.ts'
import { System } from '../src/system.ts'
import { liveCells } from './support/children.ts'
import { main } from './support/kernel.ts'

test.each(['inline', 'cell'] as const)(
  'a defect of the kernel is no fault of the place where the guest runs: %s',
  async (isolation) => {
    let isBroken = false
    const monotonic = (): number => {
      if (!isBroken) return systemClock.monotonic()
      isBroken = false
      throw new Error('the clock broke')
    }
    const breaks = (): void => {
      isBroken = true
    }
    const tools = { breaks: { description: 'b', parameters: { type: 'object' as const }, execute: breaks } }
    const system = new System({ policy: 'permissive', isolation, tools }, () => false, {
      clock: { ...systemClock, monotonic },
    })
    const told: unknown[] = []
    system.observers.on('error', ({ where, error }) => told.push([where, String(error)]))
    const spawn = (source: string) =>
      system.spawner.spawn(makeAgent({ source }, { name: 'same' }, isolation), [])
    const beside = spawn(main('return (await ipc.receive()).message'))
    await expect.poll(() => beside.inFlight.size, { timeout: 10_000 }).toBe(1)
    const cells = liveCells()
    // The answer waits when the turn ends, and is delivered with the clock broken.
    const struck = spawn(
      main('tools.breaks({}); for (let n = 0; n < 3e8; n += 1); await new Promise(() => {})'),
    )
    expect(await struck.exit).toMatchObject({
      status: 'failed',
      error: { code: 'EIO', message: expect.stringContaining('while it served this process') },
    })
    expect(told).toEqual([['kernel', 'Error: the clock broke']])
    expect(beside.state).toBe('waiting')
    expect(liveCells()).toEqual(expect.arrayContaining([...cells]))
    await system.shutdown()
    expect(system.log.verify()).toMatchObject({ ok: true })
  },
)
