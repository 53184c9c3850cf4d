/** Agent code that would not end, ends; that would take all memory, takes its own. */
import { expect, test } from 'vitest'
import { exitValue, main } from '../../support/kernel.ts'
import type { Place } from '../user-space.ts'

const isLate = Number(process.versions.v8.split('.')[0]) >= 14

const endless: Readonly<Record<string, string>> = {
  'a loop': main('for (;;);'),
  'a loop at the top of the module': 'for (;;);',
  'an endless chain of microtasks': main('for (;;) await null'),
  'microtasks that call themselves': main(
    'const go = () => queueMicrotask(go); go(); await new Promise(() => {})',
  ),
  'a loop within a timer': main('setTimeout(() => { for (;;); }, 1); await new Promise(() => {})'),
  'a loop within a reply': main('await fs.list("/tmp"); for (;;);'),
  'a loop within a thenable': main('return { then() { for (;;); } }'),
  'a sort that never ends': main('[3, 1, 2].sort(() => { for (;;); })'),
  'a regular expression that backtracks': main('/^(a+)+$/.test("a".repeat(64) + "b")'),
}

export function limitsContract({ run, kernel }: Place): void {
  test.each(Object.entries(endless))('%s is ended by the CPU budget', async (_name, source) => {
    const exit = await run(source, { budget: { cpu: '150ms' } })
    expect(exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
    expect(exit.reason).toContain('CPU')
    expect(exit.usage.cpuMs).toBeGreaterThanOrEqual(150)
  })

  test('a program that waits for nothing ends with EDEADLK', async () => {
    const exit = await run(main('await new Promise(() => {})'))
    expect(exit).toMatchObject({ status: 'failed', error: { code: 'EDEADLK' } })
  })

  test('a program that uses up its memory ends with ENOMEM, at once or bit by bit', async () => {
    const atOnce = main('const all = []; for (;;) all.push({ n: all.length })')
    const bitByBit = main(`const all = []
      for (;;) { all.push(new Array(65_536).fill(all.length)); await proc.self() }`)
    for (const source of [atOnce, bitByBit]) {
      const exit = await run(source, { budget: { memory: '16MiB' } })
      // V8 14 and later may say it so late that the silence of its cell is noticed first (docs/decisions/freezing.md).
      const code = expect.stringMatching(isLate ? /^(ENOMEM|ETIMEDOUT|EIO)$/ : /^ENOMEM$/)
      expect(exit).toMatchObject({ status: 'failed', error: { code } })
    }
  })

  test('deep recursion is the own error of the program', async () => {
    const exit = await run(main('const f = () => f() + 1; try { f() } catch (error) { return error.name }'))
    expect(exitValue(exit)).toBe('RangeError')
  })

  test('a wall budget ends a program that sleeps', async () => {
    const exit = await run(main('await new Promise((resolve) => setTimeout(resolve, 60_000))'), {
      budget: { wall: '50ms' },
    })
    expect(exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
    expect(exit.reason).toContain('wall')
  })

  test('past its budget of calls a program can still end in order', async () => {
    const exit = await run(
      main(`const codes = []
        for (let n = 0; n < 4; n += 1) codes.push(await proc.self().then(() => 'ok', (error) => error.code))
        return codes`),
      { budget: { syscalls: 2 } },
    )
    expect(exitValue(exit)).toEqual(['ok', 'ok', 'EDQUOT', 'EDQUOT'])
  })

  test('with as many calls in flight as fit, a program can still end in order', async () => {
    const exit = await run(
      main(`const calls = Array.from({ length: 1_030 }, () => sys('clock.sleep', { ms: 60_000 }))
        return Promise.race(calls.map((call) => call.catch((error) => error.code)))`),
    )
    expect(exitValue(exit)).toBe('EAGAIN')
  })

  test('40 processes at once each do their own work', async () => {
    const source = main(`await fs.write('/tmp/own', String(args[0]))
      await new Promise((resolve) => setTimeout(resolve, 5))
      return Number(await fs.read('/tmp/own')) + 1`)
    const runs = Array.from({ length: 40 }, (_, n) => run(source, { args: [n] }))
    const values = (await Promise.all(runs)).map(exitValue)
    expect(values).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
    expect(kernel().ps()).toEqual([])
  })
}
