/** A session: code of the application as a process, and what the kernel can do to it. */
import { expect, test } from 'vitest'
import { currentProcess } from '../../src/index.ts'
import { boot, entriesOf, kernelErrorOf, policyOf, until } from '../support/kernel.ts'

const double = {
  description: 'doubles a number',
  parameters: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
  execute: ({ n }: { n: number }) => n * 2,
}

test('it is a process from its beginning to its end, and what it calls is on record', async () => {
  const kernel = boot({ tools: { double } })
  const session = kernel.attach({
    name: 'desk',
    labels: ['internal'],
    framework: { name: 'f', version: '1.2' },
  })
  expect(kernel.ps()).toMatchObject([
    { pid: session.pid, name: 'desk', isolation: 'host', state: 'running', labels: ['internal'] },
  ])
  expect(await session.call('double', { n: 4 })).toBe(8)
  expect(await session.end({ done: true })).toMatchObject({ status: 'exited', value: { done: true } })
  expect(kernel.ps()).toEqual([])
  expect(entriesOf(kernel, 'spawn')).toMatchObject([{ agent: 'desk', isolation: 'host', framework: 'f 1.2' }])
  expect(entriesOf(kernel, 'intent', 'tool.call')).toMatchObject([{ resource: 'double', pid: session.pid }])
  expect(entriesOf(kernel, 'turn')).toEqual([])
  expect(kernel.evidence.verify().ok).toBe(true)
  expect(await kernelErrorOf(() => session.call('double', { n: 1 }))).toMatchObject({ code: 'EINTR' })
})

test('it has the doors of every process, under its own policy', async () => {
  const kernel = boot()
  const policy = policyOf([
    { id: 'tmp', effect: 'permit', action: ['fs.write', 'fs.read'], resource: '/tmp/**' },
  ])
  await using session = kernel.attach({ policy })
  await session.sys('fs.write', { path: '/tmp/a', text: 'x' })
  expect(await session.sys('fs.read', { path: '/tmp/a' })).toMatchObject({ text: 'x' })
  const refused = await kernelErrorOf(() => session.sys('fs.read', { path: '/mem/a' }))
  expect(refused).toMatchObject({ code: 'EPERM', decision: { effect: 'forbid' } })
  expect(await kernelErrorOf(() => session.call('none', { at: new Date() }))).toMatchObject({
    code: 'EINVAL',
  })
})

test('a policy that demands an isolate refuses it', async () => {
  const kernel = boot({ policy: policyOf([], { isolation: 'cell' }) })
  const refused = await kernelErrorOf(() => kernel.attach({ name: 'desk' }))
  expect(refused).toMatchObject({ code: 'EPERM' })
  expect(refused.message).toMatch(/`desk`.*`host`.*`cell`/)
  expect(kernel.ps()).toEqual([])
})

test('STOP holds what it asks for until CONT', async () => {
  const kernel = boot({ tools: { double } })
  const session = kernel.attach()
  session.kill('STOP')
  expect(session.isStopped).toBe(true)
  let answer: unknown
  const called = session.call('double', { n: 2 }).then((value) => (answer = value))
  await new Promise((resolve) => setImmediate(resolve))
  expect([answer, entriesOf(kernel, 'intent').length]).toEqual([undefined, 0])
  session.kill('CONT')
  expect(await called).toBe(4)
})

test('KILL aborts what is in flight, and ends everything after it', async () => {
  let begun = false
  let aborted = false
  const wait = {
    description: 'waits',
    parameters: {},
    execute: (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise(() => {
        begun = true
        signal.addEventListener('abort', () => (aborted = true))
      }),
  }
  const kernel = boot({ tools: { wait } })
  const session = kernel.attach({ name: 'desk' })
  const called = kernelErrorOf(() => session.call('wait', {}))
  await until(() => begun, 'it runs')
  kernel.signals.signal('desk', 'KILL')
  expect(await called).toMatchObject({ code: 'EINTR', signal: 'SIGKILL' })
  expect([aborted, session.signal.aborted, session.isOver]).toEqual([true, true, true])
  expect(await kernelErrorOf(() => session.sys('proc.self', {}))).toMatchObject({ signal: 'SIGKILL' })
})

test('SIGTERM gives a handler time, and ends it when that is done', async () => {
  const kernel = boot()
  const session = kernel.attach({ name: 'desk' })
  const seen: unknown[] = []
  await session.on('SIGTERM', async () => {
    seen.push(currentProcess()?.pid)
    await session.sys('fs.write', { path: '/mem/last', text: 'bye' })
  })
  kernel.signals.signal('desk', 'TERM')
  expect(await session.exit).toMatchObject({ status: 'killed', signal: 'SIGTERM' })
  expect(seen).toEqual([session.pid])
  expect(await kernel.vfs('desk').read('/mem/last')).toBe('bye')
  expect(await kernelErrorOf(() => kernel.attach().on('KILL', () => {}))).toMatchObject({ code: 'EINVAL' })
})

test('a thousand calls of one session leave nothing behind that waits', async () => {
  const kernel = boot({ tools: { double }, limits: { syscalls: 100_000 } })
  await using session = kernel.attach()
  const values = await Promise.all(Array.from({ length: 500 }, (_, n) => session.call('double', { n })))
  expect(values).toEqual(Array.from({ length: 500 }, (_, n) => n * 2))
})
