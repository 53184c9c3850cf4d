/** A guest that floods the kernel is served in turns with the others, and bounded. */
import { describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { Intake } from '../src/intake.ts'
import type { GuestEvents } from '../src/isolate/guest.ts'
import { limits } from '../src/limits.ts'
import { ask, boot, exitValue, main } from './support/kernel.ts'

/** Takes its time for every call, and notes what it took. */
function slowTaker(taken: string[], name: string, ms: number): GuestEvents {
  const busy = (): void => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }
  return {
    call: (number) => {
      busy()
      taken.push(`${name}${number}`)
    },
    turn: () => void taken.push(`${name} turn`),
    fault: ({ code }) => void taken.push(`${name} ${code}`),
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300))

describe('the intake', () => {
  test('takes what comes at once while there is time, and then a call of each guest in turn', async () => {
    const intake = new Intake(systemClock)
    const taken: string[] = []
    const [flood, other] = ['f', 'o'].map((name) => intake.in(slowTaker(taken, name, 2)))
    for (let number = 1; number <= 20; number += 1) flood?.call(number, 'x', '')
    flood?.turn({ cpuMs: 0, heapBytes: 0 })
    const before = taken.length
    expect(before).toBeLessThan(10)
    other?.call(1, 'x', '')
    other?.turn({ cpuMs: 0, heapBytes: 0 })
    await settled()
    expect(taken.indexOf('o1')).toBeLessThanOrEqual(before + 2)
    expect(taken.indexOf('o turn')).toBeLessThanOrEqual(before + 4)
    const ofFlood = taken.filter((what) => what.startsWith('f'))
    expect(ofFlood).toEqual([...Array.from({ length: 20 }, (_, index) => `f${index + 1}`), 'f turn'])
  })

  test('lets the event loop do other work between slices', async () => {
    let now = 0
    let taken = 0
    const intake = new Intake({ ...systemClock, monotonic: () => now })
    const guest = intake.in({
      call: () => {
        taken += 1
        now += 1
      },
      turn: () => {},
      fault: () => {},
    })
    for (let number = 0; number < 100; number += 1) guest.call(number, 'x', '')
    const byPass: number[] = []
    while (taken < 100) {
      const before = taken
      await new Promise((resolve) => setImmediate(resolve))
      byPass.push(taken - before)
    }
    expect(Math.max(...byPass)).toBe(limits.intakeSliceMs)
  })

  test('ends a guest of which more waits than an honest cell passes on', async () => {
    const taken: string[] = []
    const guest = new Intake(systemClock).in(slowTaker(taken, 'f', limits.intakeSliceMs))
    for (let number = 0; number < limits.intakeMax + 10; number += 1) guest.call(number, 'x', '')
    guest.call(1, 'x', '')
    expect(taken.at(-1)).toBe('f EAGAIN')
    await settled()
    expect(taken.at(-1)).toBe('f EAGAIN')
  })
})

describe.each(['inline', 'cell'] as const)('%s', (isolation) => {
  test('thousands of calls that are not awaited: as many as may be are made, the others are EAGAIN', async () => {
    const counts = await ask(
      boot({ isolation }),
      `const replies = Array.from({ length: 10_000 }, () => proc.self().then(() => 'ok', (error) => error.code))
       const all = await Promise.all(replies)
       return [all.filter((code) => code === 'ok').length, [...new Set(all)].sort(), (await proc.self()).pid > 0]`,
    )
    expect(counts).toEqual([limits.callsInFlightMax, ['EAGAIN', 'ok'], true])
  })

  test('whatever is printed at once is printed, in its order', async () => {
    const kernel = boot({ isolation })
    let text = ''
    kernel.on('output', (event) => {
      text += event.text
    })
    const { exit } = kernel.spawn({
      source: main(`for (let n = 0; n < 20_000; n += 1) console.log(n)
        console.error('end')`),
    })
    expect(exitValue(await exit)).toBeUndefined()
    expect(text).toBe(`${Array.from({ length: 20_000 }, (_, n) => `${n}\n`).join('')}end\n`)
  })

  test('large arguments that are not awaited are bounded by their length', async () => {
    const codes = await ask(
      boot({ isolation }),
      `const large = 'x'.repeat(4 * 1024 * 1024)
       const all = await Promise.all(Array.from({ length: 20 }, (_, n) =>
         fs.write('/tmp/' + n, large).then(() => 'ok', (error) => error.code)))
       return [...new Set(all)].sort()`,
    )
    expect(codes).toEqual(['EAGAIN', 'ok'])
  })
})

test('as many receivers as there may be, each with a short time to wait, all give up', async () => {
  const codes = await ask(
    boot(),
    `const code = () => ipc.receive({ timeoutMs: 5 }).catch((error) => error.code)
     return [...new Set(await Promise.all(Array.from({ length: 1_000 }, code)))]`,
  )
  expect(codes).toEqual(['ETIMEDOUT'])
})
