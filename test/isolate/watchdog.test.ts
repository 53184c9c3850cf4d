/** A watchdog ends processes that do what no cell may, and leaves those alone that only work. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { Fault } from '../../src/isolate/guest.ts'
import { CpuDebt, judgeVitals, memoryBound, readVitals } from '../../src/isolate/vitals.ts'
import { canReadVitals, Watchdog, type Watched } from '../../src/isolate/watchdog.ts'
import { limits } from '../../src/limits.ts'
import { sleep, until } from '../support/kernel.ts'

const unruly = fileURLToPath(new URL('../support/unruly.ts', import.meta.url))
const pace = { everyMs: 20, heartbeatMs: 200, cpuDebtMs: 500 }
const guest = { heapBytes: limits.heapBytes }
const reads = canReadVitals()

const children = new Set<ChildProcess>()
const dogs = new Set<Watchdog>()
afterEach(async () => {
  for (const dog of dogs) dog.close()
  dogs.clear()
  for (const child of children) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  children.clear()
})

async function start(way: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [unruly, way], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.add(child)
  if (child.stdout !== null) await once(child.stdout, 'data')
  return child
}

/** A process under a watchdog that kills it; what it was killed for comes into the list. */
function watch(child: ChildProcess, more: Partial<Watched> = {}, patience = pace) {
  const causes: Fault[] = []
  let pings = 0
  const dog: Watchdog = new Watchdog(
    {
      pid: () => child.pid,
      guests: () => [],
      activeMs: () => 0,
      ping: () => {
        pings += 1
        dog.pong()
      },
      kill: (cause) => {
        causes.push(cause)
        child.kill('SIGKILL')
      },
      ...more,
    },
    patience,
  )
  dogs.add(dog)
  return { dog, causes, pings: () => pings }
}

describe.runIf(reads)('where the system tells', () => {
  test('memory outside of any isolate is bounded by what the guests may have', async () => {
    const child = await start('memory')
    const { causes } = watch(child, { guests: () => [guest] })
    const [, signal] = await once(child, 'exit')
    expect(signal).toBe('SIGKILL')
    expect(causes).toEqual([
      {
        code: 'ENOMEM',
        reason: expect.stringMatching(/^its cell held \d+ MiB of memory, where its guests may have 576/),
      },
    ])
  })

  test('a process that computes while no turn is under way is killed', async () => {
    const child = await start('spin')
    const { causes } = watch(child)
    await once(child, 'exit')
    expect(causes).toEqual([
      { code: 'ETIMEDOUT', reason: expect.stringMatching(/while no turn of its guests was under way/) },
    ])
  })

  test('a process with a child is killed', async () => {
    const child = await start('child')
    const { causes } = watch(child)
    await once(child, 'exit')
    expect(causes).toEqual([{ code: 'EPERM', reason: expect.stringMatching(/started a process/) }])
  })

  test('a process that waits, and one that works while turns are under way, go on', async () => {
    const [idle, busy] = [await start('idle'), await start('spin')]
    const since = performance.now()
    const watched = [
      watch(idle),
      watch(busy, { guests: () => [guest], activeMs: () => performance.now() - since }),
    ]
    await sleep(3_000)
    expect(watched.map(({ causes }) => causes)).toEqual([[], []])
    expect([idle.exitCode, busy.exitCode, idle.signalCode, busy.signalCode]).toEqual([null, null, null, null])
  })

  test('of a process that is gone nothing is read, and nothing is thrown', async () => {
    const child = await start('idle')
    const { causes } = watch(child)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(readVitals(child.pid ?? 0)).toBeUndefined()
    await sleep(5 * pace.everyMs)
    expect(causes).toEqual([])
  })
})

describe('heartbeat', () => {
  test('a cell that hosts guests and does not answer is killed once', async () => {
    const child = await start('idle')
    const { causes } = watch(child, { guests: () => [guest], ping: () => undefined })
    await once(child, 'exit')
    await sleep(2 * pace.heartbeatMs)
    expect(causes).toEqual([
      { code: 'ETIMEDOUT', reason: expect.stringMatching(/no sign of life for 200 ms/) },
    ])
  })

  test('a cell that answers goes on, and one without guests is not asked', async () => {
    const child = await start('idle')
    const asked = watch(child, { guests: () => [guest] })
    const left = watch(child, { guests: () => [] })
    await sleep(3 * pace.heartbeatMs)
    expect([asked.causes, left.causes, left.pings()]).toEqual([[], [], 0])
    expect(asked.pings()).toBeGreaterThan(3)
  })

  test('a kernel that was blocked itself reads the answer that came meanwhile before it judges', async () => {
    const child = await start('idle')
    const answers = await start('idle')
    let answered = false
    answers.once('exit', () => {
      answered = true
      dog.pong()
    })
    const ping = () => {
      // Timers come first when the loop goes on, so the deadline is over before the answer is read.
      if (!answered)
        setImmediate(() => {
          answers.kill('SIGKILL')
          const end = performance.now() + 3 * pace.heartbeatMs
          while (performance.now() < end);
        })
      else dog.pong()
    }
    const { dog, causes } = watch(
      child,
      { guests: () => [guest], ping },
      { ...pace, heartbeatMs: pace.everyMs },
    )
    await until(() => answered, 'the answer is read')
    await sleep(pace.heartbeatMs / 2)
    expect(causes).toEqual([])
  })

  test('while the system has stopped the cell nothing is asked; afterwards it has its time again', async () => {
    const child = await start('idle')
    let pings = 0
    const { dog, causes } = watch(child, {
      guests: () => [guest],
      ping: () => {
        pings += 1
      },
    })
    await until(() => pings === 1, 'it was asked')
    dog.pause()
    child.kill('SIGSTOP')
    await sleep(2 * pace.heartbeatMs)
    expect([causes, pings]).toEqual([[], 1])
    child.kill('SIGCONT')
    dog.resume()
    await until(() => pings === 2, 'it is asked again')
    expect(causes).toEqual([])
    await once(child, 'exit')
    expect(causes).toHaveLength(1)
  })

  test('a watchdog that is closed, or resumed after that, kills nobody', async () => {
    const child = await start('idle')
    const { dog, causes } = watch(child, { guests: () => [guest], ping: () => undefined })
    dog.close()
    dog.resume()
    await sleep(2 * pace.heartbeatMs)
    expect(causes).toEqual([])
  })
})

describe('judging', () => {
  const sound = { residentBytes: 1, threads: 20, cpuMs: 0, children: 0 }

  test('a cell may hold what its guests may, and not a byte more', () => {
    const bound = memoryBound([guest, guest])
    expect(bound - memoryBound([guest])).toBe(memoryBound([guest]) - memoryBound([]))
    expect(judgeVitals({ ...sound, residentBytes: bound }, [guest, guest])).toBeUndefined()
    expect(judgeVitals({ ...sound, residentBytes: bound + 1 }, [guest, guest])?.code).toBe('ENOMEM')
  })

  test('more threads than any cell has are a cause', () => {
    expect(judgeVitals({ ...sound, threads: limits.cellThreadsMax }, [])).toBeUndefined()
    expect(judgeVitals({ ...sound, threads: limits.cellThreadsMax + 1 }, [])?.code).toBe('EPERM')
  })

  test('time pays a debt of CPU time off, turns explain it, and the start is free', () => {
    const debt = new CpuDebt()
    let cpuMs = 60_000
    const used = (ms: number, activeMs: number) => {
      cpuMs += ms
      return debt.next(cpuMs, activeMs, 1_000)
    }
    expect(used(0, 0)).toBeUndefined()
    // A little after each turn, for a long time.
    for (let second = 0; second < 1_000; second += 1)
      expect(used(1_000 * limits.cellCpuIdleShare, 0)).toBeUndefined()
    const activeMs = 100_000 / limits.cellCpuFactor
    expect(used(100_000, activeMs)).toBeUndefined()
    let seconds = 0
    while (used(1_000, activeMs) === undefined) seconds += 1
    expect(seconds).toBe(Math.floor(limits.cellCpuDebtMs / (1_000 - 1_000 * limits.cellCpuIdleShare)))
  })
})
