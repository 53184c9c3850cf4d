/** A kernel that was killed: the next one on its evidence goes on with what it had. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { KernelOptions, KernelSpace } from '../../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { busy, cut, doubling, endOf, flying, left, linesOf, replayOf, resumed } from './support.ts'

test('files, what was read, and the guest come back; a message sent later is received', async () => {
  const dir = tempFolder()
  const first = boot({ evidence: { dir } })
  await first.vfs('worker').write('/mem/task.txt', 'from the host')
  first.tool('later', { description: 'comes late', parameters: { type: 'object' }, execute: () => 1 })
  const proc = first.spawn(
    {
      source: main(`
        const rand = Math.random()
        await fs.write('/tmp/own', 'a')
        await fs.append('/mem/log', 'once;')
        await fs.mkdir('/mem/working/dir')
        await fs.write('/mem/working/dir/x', await fs.read('/mem/task.txt'))
        const { pid } = await proc.spawn('export default async () => { await fs.append("/mem/log", "child;"); return 5 }')
        const child = await proc.wait(pid)
        const { message } = await ipc.receive()
        await fs.append('/mem/log', 'twice;')
        return { args, pid, child: child.value, message, same: rand === args[1] || typeof rand, tmp: await fs.read('/tmp/own'), log: await fs.read('/mem/log'), x: await fs.read('/mem/working/dir/x'), self: (await proc.self()).pid }`),
    },
    { name: 'worker', args: ['hello'] },
  )
  await flying(first, 'ipc.receive')
  const copy = left(dir)
  const kernel = resumed(copy)
  const [back] = kernel.restored
  expect(back).toMatchObject({ pid: proc.pid, name: 'worker' })

  await flying(kernel, 'ipc.receive')
  await ask(kernel, `await ipc.send('worker', 'go')`, { name: 'friend' })
  expect(exitValue((await back?.exit) as never)).toMatchObject({
    ...{ args: ['hello'], pid: proc.pid + 1, child: 5, message: 'go', tmp: 'a', self: proc.pid },
    ...{ log: 'once;child;twice;', x: 'from the host' },
  })
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
  expect(entriesOf(kernel, 'rebuild')).toMatchObject([{ pid: proc.pid, cause: 'resume' }])
})

test('wherever a run is cut off, it comes to the same end', { timeout: 90_000 }, async () => {
  const dir = tempFolder()
  const whole = boot({ evidence: { dir }, tools: doubling([]) })
  const expected = exitValue(await whole.spawn({ source: busy }, { name: 'parent' }).exit)
  const entries = linesOf(dir).length
  const first = linesOf(dir).findIndex((line) => line.includes('"kind":"spawn"'))
  for (let count = first + 1; count < entries; count += 7) {
    const effects: number[] = []
    const copy = cut(dir, count)
    const isOver = linesOf(copy).some((line) => line.includes('"kind":"exit"') && line.includes('"pid":1'))
    const kernel = resumed(copy, { tools: doubling(effects) }, 'retry')
    if (isOver) {
      expect(kernel.restored).toEqual([])
      continue
    }
    const exit = await endOf(kernel)
    expect(exit, `cut after ${count} of ${entries}`).toMatchObject({ status: 'exited', value: expected })
    expect(kernel.evidence.verify(), `cut after ${count}`).toMatchObject({ ok: true })
    const { run = '' } = entriesOf(kernel, 'rebuild')[0] ?? {}
    await kernel.shutdown()
    expect(await replayOf(copy, run), `replay, cut after ${count}`).toMatchObject({ verdict: 'equal' })
  }
})

/** A run whose tool was called and had not answered when its kernel was killed. */
async function inFlight(options: KernelOptions = {}): Promise<string> {
  const dir = tempFolder()
  const tools = { ...doubling([]), slow: slow(() => new Promise(() => {})) }
  const first = boot({ evidence: { dir }, ...options, tools })
  first.spawn(
    { source: main(`return await tools.slow({}).catch((error) => error.message)`) },
    { name: 'asker' },
  )
  await flying(first, 'tool.call')
  return left(dir)
}

const slow = (execute: () => unknown, idempotent = true) =>
  ({ description: 'slow', parameters: { type: 'object' }, idempotent, execute }) as never

test('what was on its way fails, is made again, or waits for a person, as the choice says', async () => {
  const dir = await inFlight()
  let calls = 0
  const count = () => {
    calls += 1
    return 'done'
  }
  const failing = resumed(left(dir), { tools: { slow: slow(count) } })
  expect(exitValue(await endOf(failing))).toContain('whether it was done is not known')
  expect(calls).toBe(0)
  expect(entriesOf(failing, 'outcome').filter(({ status }) => status === 'unknown')).toHaveLength(1)
  const retrying = resumed(left(dir), { tools: { slow: slow(count) } }, 'retry')
  expect(exitValue(await endOf(retrying))).toBe('done')
  expect(calls).toBe(1)
  const careful = resumed(left(dir), { tools: { slow: slow(count, false) } }, 'retry')
  expect(exitValue(await endOf(careful))).toContain('not known')
  const asking = resumed(left(dir), { tools: { slow: slow(count, false) } }, 'ask')
  await until(() => asking.approvals.list().length === 1, 'a person is asked')
  expect(calls).toBe(1)
  expect(asking.approvals.list()[0]?.reason).toContain('on its way when the kernel ended')
  asking.approvals.approve(asking.approvals.list()[0]?.id ?? '')
  expect(exitValue(await endOf(asking))).toBe('done')
  expect(calls).toBe(2)
  for (const kernel of [failing, retrying, careful, asking])
    expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})

test('a request for approval comes back under its id with the time that is left', async () => {
  const dir = tempFolder()
  const policy = policyOf([
    { id: 'tools', effect: 'ask', action: 'tool.call' },
    { id: 'rest', effect: 'permit', action: ['ipc.*', 'fs.*'] },
  ])
  const effects: number[] = []
  const first = boot({ policy, evidence: { dir }, tools: doubling(effects), approvals: { timeout: '10m' } })
  first.spawn({ source: main('return await tools.double({ n: 4 })') }, { name: 'asker' })
  await until(() => first.approvals.list().length === 1, 'it asks')
  const [before] = first.approvals.list()
  const kernel = resumed(left(dir), { policy, tools: doubling(effects), approvals: { timeout: '10m' } })
  await until(() => kernel.approvals.list().length === 1, 'it is asked again')
  const [request] = kernel.approvals.list()
  expect(request).toMatchObject({ id: before?.id, syscall: 'tool.call', resource: 'double' })
  expect((request?.expiresAt ?? 0) - (request?.askedAt ?? 0)).toBeLessThanOrEqual(600_000)
  kernel.approvals.approve(request?.id ?? '')
  expect(exitValue(await endOf(kernel))).toBe(8)
  expect(effects).toEqual([4])
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})

test('budget, labels, limits of rules and what was stopped come back', async () => {
  const dir = tempFolder()
  const policy = policyOf(
    [
      { id: 'once', effect: 'permit', action: 'tool.call', once: true, label: ['secret'] },
      { id: 'rest', effect: 'permit', action: ['ipc.*', 'fs.*'] },
    ],
    { budget: { syscalls: 8 } },
  )
  const effects: number[] = []
  const options = { policy, tools: doubling(effects) }
  const first = boot({ ...options, evidence: { dir } })
  const proc = first.spawn(
    {
      source: main(`
        await tools.double({ n: 1 })
        await ipc.receive()
        const again = await tools.double({ n: 2 }).catch((error) => error.message)
        const self = await proc.self()
        return { again, labels: self.labels, left: self.budget.syscalls }`),
    },
    { name: 'limited' },
  )
  await until(() => proc.state === 'waiting', 'it waits')
  await flying(first, 'ipc.receive')
  proc.signal('SIGSTOP')
  // What waits is written.
  expect(first.evidence.verify()).toMatchObject({ ok: true })
  const kernel = resumed(left(dir), options)
  const [back] = kernel.restored
  await until(() => back?.state === 'stopped', 'it is stopped again')
  await ask(kernel, `await ipc.send('limited', 1)`, { name: 'friend' })
  back?.signal('SIGCONT')
  expect(exitValue(await endOf(kernel))).toEqual({
    ...{ again: expect.stringContaining('it has been done'), labels: ['secret'], left: 4 },
  })
  expect(effects).toEqual([1])
})

test('a resumed process is under the new policy too, and keeps what was its own', async () => {
  const dir = tempFolder()
  const own = policyOf(
    [
      { id: 'mem', effect: 'permit', action: 'fs.*', resource: '/mem/**' },
      { id: 'ipc', effect: 'permit', action: 'ipc.*' },
    ],
    { name: 'own' },
  )
  const first = boot({ evidence: { dir } })
  first.spawn(
    {
      source: main(`
        await ipc.receive()
        const tries = [() => fs.write('/mem/x', '1'), () => fs.write('/tmp/x', '1'), () => fs.write('/mem/no', '1')]
        return Promise.all(tries.map((act) => act().then(() => 'ok', (error) => error.code)))`),
    },
    { name: 'narrow', policy: own },
  )
  await flying(first, 'ipc.receive')
  const policy = policyOf([
    { id: 'all', effect: 'permit', action: '*' },
    { id: 'no', effect: 'forbid', action: 'fs.write', resource: '/mem/no' },
  ])
  const kernel = resumed(left(dir), { policy })
  await ask(kernel, `await ipc.send('narrow', 1)`, { name: 'friend' })
  expect(exitValue(await endOf(kernel))).toEqual(['ok', 'EPERM', 'EPERM'])
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})

test('evidence that was changed is no past to go on from, and nothing of the folder is held', async () => {
  const dir = await inFlight()
  const path = join(dir, 'log-000001.jsonl')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"agent":"asker"', '"agent":"other"'))
  expect(() => resumed(dir)).toThrow(/not whole/)
  const packs = await inFlight()
  const pack = join(packs, 'pack-000001.jsonl')
  writeFileSync(pack, readFileSync(pack, 'utf8').replace('tools.slow', 'tools.fast'))
  expect(() => resumed(packs)).toThrow(/not whole/)
  const begun: KernelSpace[] = []
  const begins = (): boolean => {
    try {
      begun.push(boot({ evidence: { dir: packs } }))
    } catch (error) {
      // The kernel that refused lets go of the folder a moment later.
      expect(error).toMatchObject({ code: 'EBUSY' })
    }
    return begun.length > 0
  }
  await until(begins, 'the folder is free')
  expect(begun[0]?.restored).toEqual([])
})

test('code of the application does not go on, and that is on record; after an orderly end nothing does', async () => {
  const dir = tempFolder()
  const first = boot({ evidence: { dir } })
  first.spawn(() => new Promise(() => {}), { name: 'ours', isolation: 'host' })
  first.spawn({ source: main('await ipc.receive()') }, { name: 'theirs' })
  await flying(first, 'ipc.receive')
  const kernel = resumed(left(dir))
  expect(kernel.restored.map(({ name }) => name)).toEqual(['theirs'])
  expect(entriesOf(kernel, 'exit')).toMatchObject([
    { pid: 1, reason: expect.stringContaining('code of the application') },
  ])
  await first.shutdown()
  expect(resumed(left(dir)).restored).toEqual([])
})

test('a stream ends with its kernel, and reading it in the next one says so', async () => {
  const dir = tempFolder()
  const reads = main(`const pipe = await ipc.pipe({ timeoutMs: 60000 })
    const first = (await pipe.next()).value
    await fs.write('/tmp/got', first)
    return [first, await pipe.next().catch((error) => error.message)]`)
  const first = boot({ evidence: { dir } })
  first.spawn({ source: reads }, { name: 'reader' })
  first.spawn({
    source: main(
      `const pipe = await ipc.pipe({ to: 'reader' }); await pipe.write('one'); await ipc.receive()`,
    ),
  })
  await flying(first, 'stream.read')
  await until(() => first.evidence.entries().some(({ resource }) => resource === '/tmp/got'), 'it has read')
  await flying(first, 'stream.read')
  const kernel = resumed(left(dir))
  const reader = kernel.restored.find(({ name }) => name === 'reader')
  expect(exitValue((await reader?.exit) ?? expect.fail('it goes on'))).toEqual([
    'one',
    'EBADF: stream.read: stream 1 is not open: it ended with the kernel in which it was opened, or before; open it anew',
  ])
})
