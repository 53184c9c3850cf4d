/** A cell that dies takes its guests with it, and not their processes: each guest is made again from the record. */
import { expect, test } from 'vitest'
import { AgentSignal, type KernelOptions, type KernelSpace } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { liveCells } from '../support/children.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { serve } from '../support/servers.ts'

/** V8 cannot contain it: the whole cell ends. */
const crash = main('new Array(1e9).fill(0)')

/** It holds values in its own memory across turns, and waits in between until it is told to go on. */
const keeper = main(`
  const seen = [Math.random(), crypto.randomUUID(), Date.now()]
  for (let n = 0; n < 3; n += 1) seen.push(await fs.stat('/mem/x' + n).catch((error) => error.code))
  await fs.write('/tmp/own', 'kept')
  await fs.append('/mem/log', 'once;')
  const { message } = await ipc.receive({ from: 'friend' })
  return [seen, message, await fs.read('/tmp/own'), await fs.read('/mem/log')]`)

const cellKernel = (options: KernelOptions = {}): KernelSpace =>
  boot({ isolation: 'cell', cells: { spare: 0 }, ...options })

const tell = (kernel: KernelSpace, to: string) =>
  ask(kernel, `await ipc.send('${to}', 'go on')`, { name: 'friend' })

const waitsIn = (kernel: KernelSpace, pid: number, syscall: string) =>
  until(() => {
    const { process: row, live } = kernel.inspect(pid)
    return row.state === 'waiting' && (live?.inFlight.some((call) => call.syscall === syscall) ?? false)
  }, `it waits in ${syscall}`)

function killCells(): void {
  for (const pid of liveCells()) process.kill(pid, 'SIGKILL')
}

const rebuilt = (kernel: KernelSpace, times: number) =>
  until(() => entriesOf(kernel, 'rebuild').length === times, `it was made again ${times} times`)

test('what waits in a cell that its neighbour breaks goes on as if nothing had happened', async () => {
  const kernel = cellKernel({ evidence: { dir: tempFolder() } })
  const proc = kernel.spawn({ source: keeper }, { name: 'pair' })
  await waitsIn(kernel, proc.pid, 'ipc.receive')
  const bad = kernel.spawn({ source: crash }, { name: 'pair' })
  expect((await bad.exit).error?.code).toBe('ENOMEM')
  await rebuilt(kernel, 1)
  await tell(kernel, 'pair')
  const [seen, message, own, log] = exitValue(await proc.exit) as never[][]
  expect({ message, own, log }).toEqual({ message: 'go on', own: 'kept', log: 'once;' })
  expect(seen?.slice(3)).toEqual(['ENOENT', 'ENOENT', 'ENOENT'])
  expect(entriesOf(kernel, 'rebuild')).toMatchObject([{ pid: proc.pid, cause: 'cell' }])
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})

test('a call that is in flight when the cell goes is done once, and answered', async () => {
  const { promise: answer, resolve } = Promise.withResolvers<string>()
  let calls = 0
  const execute = () => {
    calls += 1
    return answer
  }
  const slow = { description: 'takes its time', parameters: { type: 'object' }, execute }
  const kernel = cellKernel({ tools: { slow } })
  const proc = kernel.spawn({
    source: main('const before = Math.random(); return [before, await tools.slow(), before]'),
  })
  await waitsIn(kernel, proc.pid, 'tool.call')
  killCells()
  await rebuilt(kernel, 1)
  resolve('done')
  const [before, answered, after] = exitValue(await proc.exit) as never[]
  expect(answered).toBe('done')
  expect(after).toBe(before)
  expect(calls).toBe(1)
})

test('a reply that comes while the guest is made again is not lost', async () => {
  const kernel = cellKernel()
  const proc = kernel.spawn({ source: main('return (await ipc.receive()).message') }, { name: 'waiter' })
  await waitsIn(kernel, proc.pid, 'ipc.receive')
  killCells()
  await until(() => entriesOf(kernel, 'rebuild').length === 1, 'it begins to be made again')
  await ask(kernel, `await ipc.send('waiter', 7)`, { name: 'friend' })
  expect(exitValue(await proc.exit)).toBe(7)
})

test('who ran when the cell went, and had done something, ends with it', async () => {
  const kernel = cellKernel()
  const proc = kernel.spawn({ source: main(`console.log('here'); for (;;);`) })
  await until(() => entriesOf(kernel, 'outcome', undefined).length > 0, 'it has printed')
  killCells()
  expect(await proc.exit).toMatchObject({ status: 'failed', error: { code: 'EIO' } })
  expect(entriesOf(kernel, 'rebuild')).toEqual([])
})

test('who ran and had done nothing is begun again once, and not for ever', async () => {
  const kernel = cellKernel()
  const proc = kernel.spawn({ source: main('for (;;);') })
  await until(() => proc.state === 'running' && liveCells().length === 1, 'it runs')
  killCells()
  await rebuilt(kernel, 1)
  await until(() => liveCells().length === 1, 'it runs again')
  killCells()
  expect(await proc.exit).toMatchObject({ status: 'failed', error: { code: 'EIO' } })
  expect(entriesOf(kernel, 'rebuild')).toHaveLength(1)
})

test('nobody is made again more often than the limit says, and the reason tells', async () => {
  const kernel = cellKernel()
  const proc = kernel.spawn({ source: keeper }, { name: 'pair' })
  await waitsIn(kernel, proc.pid, 'ipc.receive')
  for (let times = 1; times <= limits.rebuildsMax; times += 1) {
    killCells()
    await rebuilt(kernel, times)
    await until(() => liveCells().length === 1, 'it is there')
  }
  killCells()
  const exit = await proc.exit
  expect(exit).toMatchObject({ status: 'failed', error: { code: 'EIO' } })
  expect(exit.reason).toContain(`made again ${limits.rebuildsMax} times`)
})

test('one whose past is not kept ends, and is told why', async () => {
  const rules = [{ id: 'all', effect: 'permit', action: '*', log: 'digest' }] as const
  const kernel = cellKernel({ policy: policyOf(rules) })
  const proc = kernel.spawn({ source: keeper }, { name: 'pair' })
  await waitsIn(kernel, proc.pid, 'ipc.receive')
  killCells()
  expect((await proc.exit).reason).toMatch(/could not be made again: entry .*a rule keeps/)
  expect(entriesOf(kernel, 'exit')).toHaveLength(1)
})

test('one that is stopped is made again when it goes on', async () => {
  const kernel = cellKernel()
  const proc = kernel.spawn({ source: keeper }, { name: 'pair' })
  await waitsIn(kernel, proc.pid, 'ipc.receive')
  proc.signal(AgentSignal.SIGSTOP)
  expect(proc.state).toBe('stopped')
  killCells()
  await until(() => liveCells().length === 0, 'its cell is gone')
  await tell(kernel, 'pair')
  expect(entriesOf(kernel, 'rebuild')).toEqual([])
  proc.signal(AgentSignal.SIGCONT)
  expect(exitValue(await proc.exit)).toMatchObject([expect.anything(), 'go on', 'kept', 'once;'])
})

test('streams live in the kernel: what a process had open in its cell it reads on when it is made again', async () => {
  const { promise: rest, resolve } = Promise.withResolvers<void>()
  const url = await serve(async (_request, response) => {
    response.write('before ')
    await rest
    response.end('after')
  })
  const policy = policyOf([
    { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
    { id: 'all', effect: 'permit', action: ['ipc.*', 'fs.*', 'proc.*'] },
  ])
  const kernel = cellKernel({ policy })
  const proc = kernel.spawn({
    source: main(`const { body } = await sys('net.fetch', { url: ${JSON.stringify(url)}, stream: true })
      const read = async () => (await sys('stream.read', { stream: body })).text
      const first = await read()
      const pending = read()
      return [first, await pending]`),
  })
  await waitsIn(kernel, proc.pid, 'stream.read')
  await until(() => entriesOf(kernel, 'intent', 'stream.read').length === 2, 'it reads once more')
  killCells()
  await rebuilt(kernel, 1)
  resolve()
  expect(exitValue(await proc.exit)).toEqual(['before ', 'after'])
})
