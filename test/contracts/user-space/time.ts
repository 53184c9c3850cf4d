/** Clock, chance, timers and output of user space are the kernel's. */
import { expect, test } from 'vitest'
import { boot, exitValue, main } from '../../support/kernel.ts'
import type { Place } from '../user-space.ts'

const chance = main(`const bytes = new Uint8Array(32)
  crypto.getRandomValues(bytes)
  return [Math.random(), Math.random(), [...bytes], crypto.randomUUID(), crypto.randomUUID()]`)

export function timeContract({ run, kernel, isolation }: Place): void {
  const withSeed = async (seed: number) => {
    const other = boot({ isolation, seed })
    return exitValue(await other.spawn({ source: chance }).exit)
  }

  test('chance follows from the seed: the same twice, another for another seed', async () => {
    const [first, second, other] = await Promise.all([withSeed(7), withSeed(7), withSeed(8)])
    expect(second).toEqual(first)
    expect(other).not.toEqual(first)
  })

  test('without a seed chance is fresh for every process', async () => {
    expect(exitValue(await run(chance))).not.toEqual(exitValue(await run(chance)))
  })

  test('random values have the shape that the web standards give', async () => {
    const exit = await run(
      main(`const numbers = Array.from({ length: 1000 }, () => Math.random())
        const words = crypto.getRandomValues(new Uint32Array(4))
        return [numbers.every((n) => n >= 0 && n < 1), new Set(numbers).size, crypto.randomUUID(), words.length]`),
    )
    const [inRange, distinct, uuid, words] = exitValue(exit) as unknown[]
    expect([inRange, distinct, words]).toEqual([true, 1000, 4])
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('time stands still within a turn, by every way to ask for it', async () => {
    const exit = await run(
      main(`const intl = new Intl.DateTimeFormat('en', { second: '2-digit', fractionalSecondDigits: 3 })
        const look = () => [Date.now(), new Date().getTime(), Date.parse(Date()), performance.now(),
          intl.format(), intl.formatToParts().at(-1).value, intl.format(undefined)]
        const before = look()
        for (let sum = 0; sum < 3e6; sum += 1);
        await null
        return [before, look(), performance.timeOrigin + performance.now() - Date.now()]`),
    )
    const [before, after, drift] = exitValue(exit) as [number[], number[], number]
    expect(after).toEqual(before)
    expect(drift).toBe(0)
    expect(Math.abs((before[0] ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  test('time goes on from turn to turn, at least as long as was slept', async () => {
    const exit = await run(
      main(`const at = Date.now(), p = performance.now()
        await new Promise((resolve) => setTimeout(resolve, 30))
        return [Date.now() - at, performance.now() - p]`),
    )
    const [wall, monotonic] = exitValue(exit) as number[]
    expect(wall).toBeGreaterThanOrEqual(29)
    expect(monotonic).toBe(wall)
  })

  test('dates are what the language says, but for now', async () => {
    const exit = await run(
      main(`class Day extends Date {}
        return [new Date(2020, 0, 31).toISOString(), new Date('2021-02-03T04:05:06Z').getTime(), Date.UTC(2000, 1),
          typeof Date(), new Date() instanceof Date, new Day(5) instanceof Day, new Day(5).getTime(), Date.length,
          new Date(7).constructor === Date, Date.name, isNaN(new Date('x'))]`),
    )
    const when = Date.parse('2021-02-03T04:05:06Z')
    const utc = Date.UTC(2000, 1)
    expect(exitValue(exit)).toEqual([
      ...['2020-01-31T00:00:00.000Z', when, utc, 'string', true, true, 5, 7, true, 'Date', true],
    ])
  })

  test('the time zone is UTC and the locale en-US, whatever the host has', async () => {
    const before = process.env.TZ
    process.env.TZ = 'America/New_York'
    try {
      const exit = await run(
        main(`const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions()
          return [timeZone, locale, new Date().getTimezoneOffset(), (1234.5).toLocaleString()]`),
      )
      expect(exitValue(exit)).toEqual(['UTC', 'en-US', 0, '1,234.5'])
    } finally {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    }
  })

  test('timers fire by their delay, then in the order in which they were set, with their arguments', async () => {
    const exit = await run(
      main(`const fired = []
        setTimeout((...args) => fired.push(...args), 90, 'late', 'r')
        setTimeout(() => fired.push('first'), 40)
        setTimeout(() => fired.push('second'), 40)
        setTimeout(() => fired.push('now'), 0)
        queueMicrotask(() => fired.push('micro'))
        fired.push('sync')
        await new Promise((resolve) => setTimeout(resolve, 130))
        return fired`),
    )
    expect(exitValue(exit)).toEqual(['sync', 'micro', 'now', 'first', 'second', 'late', 'r'])
  })

  test('a cleared timer never fires, and a second clearing is harmless', async () => {
    const exit = await run(
      main(`const fired = []
        const id = setTimeout(() => fired.push('cleared'), 5)
        clearTimeout(id); clearTimeout(id); clearTimeout(9_999); clearTimeout(undefined)
        await new Promise((resolve) => setTimeout(resolve, 25))
        return fired`),
    )
    expect(exitValue(exit)).toEqual([])
  })

  test('an interval fires until it is cleared, from within itself too', async () => {
    const exit = await run(
      main(`let count = 0
        await new Promise((resolve) => {
          const id = setInterval(() => { count += 1; if (count === 3) { clearInterval(id); resolve() } }, 2)
        })
        await new Promise((resolve) => setTimeout(resolve, 20))
        return count`),
    )
    expect(exitValue(exit)).toBe(3)
  })

  test('a timer without a function is a TypeError, and one that throws ends the process', async () => {
    const exit = await run(main(`try { setTimeout('code', 1) } catch (error) { return error.name }`))
    expect(exitValue(exit)).toBe('TypeError')
    const thrown = await run(
      main(`setTimeout(() => { throw new Error('in a timer') }, 1); await new Promise(() => {})`),
    )
    expect(thrown).toMatchObject({ status: 'failed', error: { message: 'Error: in a timer' } })
  })

  test('what agent code prints reaches the observers by stream and in order, and is on record', async () => {
    const printed: string[] = []
    const off = kernel().on('output', ({ stream, text, name }) => printed.push(`${name} ${stream} ${text}`))
    const exit = await run(
      main(`console.log('a', 1, { b: [true, null] }, undefined, 2n, Symbol('s'))
        console.error('e', new Map([[1, 2]]), new Set([3]))
        console.warn('\\ud800')
        console.info()
        await new Promise((resolve) => setTimeout(resolve, 5))`),
      { name: 'printer' },
    )
    off()
    expect(exit.status).toBe('exited')
    expect(printed).toEqual([
      'printer stdout a 1 { b: [true, null] } undefined 2n Symbol(s)\n',
      'printer stderr e Map [[1, 2]] Set [3]\n',
      'printer stderr �\n',
      'printer stdout \n',
    ])
  })
}
