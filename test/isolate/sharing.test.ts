/** Processes of one agent share cells, unless the application or a policy says that each has its own. */
import { expect, test } from 'vitest'
import type { KernelSpace, ProcessHandle } from '../../src/index.ts'
import { liveCells } from '../support/children.ts'
import { boot, entriesOf, main, until } from '../support/kernel.ts'

const waits = main('await proc.self(); await new Promise((resolve) => setTimeout(resolve, 60_000))')

async function started(kernel: KernelSpace, count: number, options = {}): Promise<readonly ProcessHandle[]> {
  const procs = Array.from({ length: count }, () => kernel.spawn({ source: waits }, options))
  await until(() => procs.every(({ state }) => state === 'waiting'), 'all wait')
  return procs
}

const own = {
  version: 1,
  name: 'own',
  isolation: 'cell',
  cell: 'own',
  rules: [{ id: 'all', effect: 'permit', action: '*' }],
} as const

test('up to so many processes of one agent share a cell', async () => {
  const kernel = boot({ isolation: 'cell', cells: { processes: 3, spare: 0 } })
  await started(kernel, 7)
  expect(liveCells()).toHaveLength(3)
  expect(entriesOf(kernel, 'spawn').map(({ cell }) => cell)).toEqual(
    Array.from({ length: 7 }, () => 'shared'),
  )
})

test('with `own` each has its own, which ends with it', async () => {
  const kernel = boot({ isolation: 'cell', cells: { sharing: 'own', spare: 0 } })
  const [first, ...rest] = await started(kernel, 3)
  expect(liveCells()).toHaveLength(3)
  first?.signal('KILL')
  await until(() => liveCells().length === 2, 'its cell is gone')
  expect(rest.map(({ state }) => state)).toEqual(['waiting', 'waiting'])
})

test('a policy can demand it, of an agent and of the kernel', async () => {
  const kernel = boot({ isolation: 'cell', cells: { spare: 0 } })
  await started(kernel, 2, { policy: own })
  expect(liveCells()).toHaveLength(2)
  expect(entriesOf(kernel, 'spawn').map(({ cell }) => cell)).toEqual(['own', 'own'])
  const strict = boot({ isolation: 'cell', policy: own, cells: { spare: 0 } })
  await started(strict, 2)
  expect(liveCells()).toHaveLength(4)
})

test('what breaks V8 in its own cell ends no process beside it', async () => {
  const kernel = boot({ isolation: 'cell', cells: { sharing: 'own' } })
  const [beside] = await started(kernel, 1)
  const { exit } = kernel.spawn({ source: main('new Array(1e9).fill(0)') })
  expect(await exit).toMatchObject({ status: 'failed' })
  expect(beside?.state).toBe('waiting')
})

test('no run takes more than half of the cells: another agent still starts', async () => {
  const kernel = boot({ isolation: 'cell', cells: { max: 6, spare: 0 } })
  const taker = kernel.spawn({
    source: main(`const text = 'export default () => new Promise((resolve) => setTimeout(resolve, 60_000))'
      const codes = await Promise.all(Array.from({ length: 12 }, (_, n) =>
        proc.spawn(text, { name: 'child' + n }).then(() => 'ok', (error) => error.code)))
      console.log(JSON.stringify(codes))
      await new Promise((resolve) => setTimeout(resolve, 60_000))`),
  })
  let printed = ''
  kernel.on('output', ({ text }) => {
    printed += text
  })
  await until(() => printed !== '', 'it has tried')
  expect(taker.state).toMatch(/running|waiting/)
  expect(await kernel.execute({ source: main('return 1') })).toBe(1)
  expect(liveCells().length).toBeLessThanOrEqual(4)
})
