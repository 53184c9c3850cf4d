/** What breaks V8 in a cell ends the cell: never the kernel, and never a process of another agent. */
import { expect, test } from 'vitest'
import type { Exit, KernelSpace, ProcessHandle } from '../../src/index.ts'
import { liveCells } from '../support/children.ts'
import { boot, exitValue, main, until } from '../support/kernel.ts'

const budget = { cpu: '300ms', memory: '32MiB' }

/** An agent that goes on making calls until it is told to stop, and says how many it has made. */
const bystander = main(`let going = true, calls = 0
  await proc.on('SIGUSR1', () => { going = false })
  while (going) {
    await fs.write('/mem/working/count', String(calls += 1))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return calls`)

/** Runs a program beside a bystander and holds the kernel to everything it promises. */
async function survive(source: string): Promise<Exit> {
  const kernel = boot({ isolation: 'cell' })
  const other = kernel.spawn({ source: bystander }, { name: 'bystander' })
  await until(() => callsOf(kernel, other) > 3, 'the bystander makes calls')
  const exit = await kernel.spawn({ source }, { name: 'hostile', budget }).exit
  const calls = callsOf(kernel, other)
  await until(() => callsOf(kernel, other) > calls + 10, 'the bystander goes on making calls')
  other.signal('SIGUSR1')
  expect(exitValue(await other.exit)).toBeGreaterThan(3)
  expect(kernel.evidence.verify()).toMatchObject({ ok: true, problems: [] })
  expect(await kernel.execute({ source: main('return "alive"') })).toBe('alive')
  await kernel.shutdown()
  expect(liveCells()).toEqual([])
  return exit
}

const callsOf = (kernel: KernelSpace, { pid }: ProcessHandle): number =>
  kernel.ps().find((row) => row.pid === pid)?.syscalls ?? 0

const fatal: Readonly<Record<string, string>> = {
  'an array of a billion elements': 'new Array(1e9).fill(0)',
  'a map that never stops growing': 'const map = new Map(); for (let n = 0; ; n += 1) map.set(n, n)',
  'a big integer squared without end': 'let n = 3n; for (;;) n *= n',
  'a text that doubles without end': 'let text = "x"; for (;;) text = (text + text).replaceAll("x", "xy")',
  'JSON of a huge text': 'const text = "é".repeat(2 ** 28); JSON.stringify([text, text, text])',
  'typed arrays without end': 'const all = []; for (;;) all.push(new Uint8Array(2 ** 24).fill(1))',
  'promises without end': 'const all = []; for (;;) all.push(new Promise(() => {}))',
  'a regular expression that backtracks': '/^(a+)+$/.test("a".repeat(99) + "b")',
  'calls without end that are never awaited': 'for (;;) sys("proc.self")',
  'output without end': 'for (;;) console.log("x".repeat(1e5))',
  'a proxy in front of a proxy without end': 'let p = {}; for (;;) p = new Proxy(p, {})',
}

test.each(Object.entries(fatal))('%s ends its own process and nothing else', async (_name, body) => {
  const exit = await survive(main(body))
  expect(exit.status).not.toBe('exited')
  expect(exit.reason ?? exit.error?.message).toMatch(
    /memory|CPU|could not be stopped|RangeError|calls|evidence/,
  )
})

test('deep recursion in user space, and in what is handed over, is the guest’s own affair', async () => {
  const exit = await survive(
    main(`const f = (n) => f(n + 1) + 1
      try { f(0) } catch {}
      let deep = []
      for (let n = 0; n < 1e5; n += 1) deep = [deep]
      return sys('ipc.send', { to: 'bystander', message: deep }).then(() => 'sent', (error) => error.code)`)
      .replace('return sys(', 'try { return await sys(')
      .replace(/\)\n\}$/, ') } catch (error) { return error.code }\n}'),
  )
  expect(exit).toMatchObject({ status: 'exited', value: 'EINVAL' })
})

test('memory beyond the heap cannot be had: there is no WebAssembly and no shared memory', async () => {
  const names = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry']
  const exit = await survive(main(`return ${JSON.stringify(names)}.map((name) => typeof globalThis[name])`))
  expect(exit.value).toEqual(names.map(() => 'undefined'))
})
