/** SIGKILL ends a process wherever it is, with its children and what it has in flight, and all of that is on record. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { liveCells } from '../support/children.ts'
import { boot, entriesOf, main, sleep, until } from '../support/kernel.ts'

const somewhere: Readonly<Record<string, string>> = {
  'in a loop': 'for (;;);',
  'in a loop of microtasks': main('for (;;) await null'),
  asleep: main('await new Promise((resolve) => setTimeout(resolve, 60_000))'),
  'in receiving': main('await ipc.receive()'),
  'in waiting for a child': main('await proc.wait((await proc.spawn("for (;;);")).pid)'),
  'with a handler for everything it may handle':
    main(`for (const s of ['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2'])
    await proc.on(s, () => {}); await new Promise(() => {})`),
}

describe.each(['inline', 'cell'] as const)('%s', (isolation) => {
  test.each(Object.entries(somewhere))('a process %s is killed', async (_name, source) => {
    const kernel = boot({ isolation })
    const proc = kernel.spawn({ source })
    await sleep(isolation === 'cell' ? 150 : 20)
    expect(proc.signal('SIGKILL')).toBe('ended the process')
    const exit = await proc.exit
    expect(exit).toMatchObject({ status: 'killed', signal: 'SIGKILL', reason: 'SIGKILL by the application' })
    expect(kernel.ps()).toEqual([])
    expect(kernel.evidence.verify()).toMatchObject({ ok: true })
  })

  test('a process that was just asked for is killed before it begins', async () => {
    const kernel = boot({ isolation })
    const proc = kernel.spawn({ source: main('await fs.write("/mem/working/a", "begun")') })
    proc.signal('SIGKILL')
    expect((await proc.exit).status).toBe('killed')
    expect(entriesOf(kernel, 'intent')).toEqual([])
  })
})

test('inside a builtin that nothing can interrupt, alone in its cell, it does not keep that busy', async () => {
  const kernel = boot({ isolation: 'cell', cells: { spare: 0 } })
  let begun = false
  kernel.on('output', () => {
    begun = true
  })
  const product = main('const n = 3n ** 40_000_000n; console.log("begins"); for (;;) n * n')
  const proc = kernel.spawn({ source: product })
  await until(() => begun, 'it begins')
  await sleep(50)
  const [cell] = liveCells()
  proc.signal('SIGKILL')
  const killedAt = performance.now()
  await until(() => cell !== undefined && !liveCells().includes(cell), 'its cell is gone')
  expect(performance.now() - killedAt).toBeLessThan(limits.cellGraceMs / 2)
  expect(await proc.exit).toMatchObject({ status: 'killed', reason: 'SIGKILL by the application' })
})

test('a tool in flight is told by its AbortSignal, and its call is on record as not known to be done', async () => {
  let aborted = false
  const execute = (_args: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise(() => signal.addEventListener('abort', () => (aborted = true)))
  const kernel = boot({ tools: { slow: { description: 's', parameters: { type: 'object' }, execute } } })
  const proc = kernel.spawn({ source: main('return tools.slow({})') })
  await until(() => entriesOf(kernel, 'intent', 'tool.call').length === 1, 'the tool runs')
  await sleep(5)
  proc.signal('SIGKILL')
  await proc.exit
  await until(() => entriesOf(kernel, 'outcome').length === 1, 'its outcome is on record')
  expect(aborted).toBe(true)
  expect(entriesOf(kernel, 'outcome')).toMatchObject([{ status: 'unknown', code: 'EINTR' }])
})

test('a sleep in flight ends on record as aborted', async () => {
  const kernel = boot()
  const proc = kernel.spawn({ source: main('await new Promise((resolve) => setTimeout(resolve, 60_000))') })
  await until(() => entriesOf(kernel, 'intent', 'clock.sleep').length === 1, 'it sleeps')
  proc.signal('SIGKILL')
  await proc.exit
  await until(() => entriesOf(kernel, 'outcome').length === 1, 'its outcome is on record')
  expect(entriesOf(kernel, 'outcome')).toMatchObject([{ status: 'aborted', code: 'EINTR' }])
})

test('children and their children end with their parent, and say why', async () => {
  const kernel = boot()
  const leaf = 'await new Promise((resolve) => setTimeout(resolve, 60_000))'
  const branch = `await proc.wait((await proc.spawn(${JSON.stringify(leaf)}, { name: 'leaf' })).pid)`
  const proc = kernel.spawn({
    source: main(`await proc.wait((await proc.spawn(${JSON.stringify(branch)}, { name: 'branch' })).pid)`),
  })
  await until(() => kernel.ps().some(({ name }) => name === 'leaf'), 'the grandchild lives')
  proc.signal('SIGKILL')
  await proc.exit
  expect(kernel.ps()).toEqual([])
  const reasons = entriesOf(kernel, 'exit').map(({ pid, reason }) => [pid, reason])
  expect(reasons).toContainEqual([2, 'its parent 1 ended'])
  expect(reasons).toContainEqual([3, 'its parent 2 ended'])
})

test('a process that has ended is ESRCH', async () => {
  const kernel = boot()
  const proc = kernel.spawn({ source: main('return 1') })
  await proc.exit
  expect(() => proc.signal('SIGKILL')).toThrow(expect.objectContaining({ code: 'ESRCH' }))
  expect(() => kernel.signals.signal(proc.pid, 'SIGKILL')).toThrow(expect.objectContaining({ code: 'ESRCH' }))
})
