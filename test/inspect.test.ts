/** What a person sees of one process: running, frozen, holding calls, and after its end. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeAgent } from '../src/agents.ts'
import { inspect } from '../src/inspect.ts'
import { limits } from '../src/limits.ts'
import { System } from '../src/system.ts'
import { boot, kernelErrorOf, main, sleep, tempFolder, until } from './support/kernel.ts'

const waits = main(`console.log('up'); await ipc.receive(); return 1`)

test('a process that waits: its call in flight, its budget, its policy, its last entries, and why it has no stack', async () => {
  const kernel = boot()
  const child = kernel.spawn({ source: waits }, { name: 'waiter', budget: { syscalls: 50 } })
  await until(() => child.state === 'waiting', 'it waits')
  const { process, live, end } = kernel.inspect(child.pid)
  expect(process).toMatchObject({ pid: child.pid, name: 'waiter', state: 'waiting', isolation: 'inline' })
  expect(end).toBeUndefined()
  expect(live?.policy).toEqual({ names: ['permissive'], hash: kernel.policy.hash, mode: 'enforce' })
  expect(live?.inFlight).toEqual([
    { number: expect.any(Number), syscall: 'ipc.receive', resource: '*', ms: expect.any(Number) },
  ])
  expect(live?.budget).toMatchObject({ limits: { syscalls: 50 }, used: { syscalls: 2 } })
  expect(live?.stack).toEqual([])
  expect(live?.stackMissing).toBe(
    `it is waiting; only what stands still has a stack: \`gatehouse kill -s STOP ${child.pid}\` first`,
  )
  expect(live?.entries.at(-1)).toMatchObject({ kind: 'intent', syscall: 'ipc.receive', pid: child.pid })
  expect(JSON.parse(JSON.stringify(live))).toEqual(live)
})

test('how long a call has been in flight grows', async () => {
  const kernel = boot()
  kernel.spawn({ source: waits }, { name: 'waiter' })
  const ms = () => kernel.inspect('waiter').live?.inFlight[0]?.ms ?? 0
  await until(() => ms() >= 20, 'it has waited 20 ms')
  const before = ms()
  await until(() => ms() > before, 'it has waited longer')
})

test('signals: those that wait, are masked, handled and ignored', async () => {
  const kernel = boot()
  const child = kernel.spawn({
    source: main(`await proc.on('SIGUSR1', () => {}); await proc.on('SIGINT', 'ignore')
      await sys('proc.sigmask', { signals: ['SIGUSR2'] }); console.log('up'); await ipc.receive()`),
  })
  await until(() => kernel.inspect(child.pid).live?.inFlight[0]?.syscall === 'ipc.receive', 'it waits')
  child.signal('SIGUSR2')
  expect(kernel.inspect(child.pid).live?.signals).toEqual({
    pending: ['SIGUSR2'],
    masked: ['SIGUSR2'],
    handled: ['SIGUSR1'],
    ignored: ['SIGINT'],
  })
})

test('children, by pid, name and state', async () => {
  const kernel = boot()
  const source = main('await ipc.receive()')
  const parent = kernel.spawn({
    source: main(`await proc.spawn(${JSON.stringify(source)}, { name: 'kid' }); await ipc.receive()`),
  })
  const children = () => kernel.inspect(parent.pid).live?.children ?? []
  await until(() => children()[0]?.state === 'waiting', 'the child waits')
  expect(children()).toEqual([{ pid: parent.pid + 1, name: 'kid', state: 'waiting' }])
})

test('one that ended: its row and how, by pid and by name, without its value', async () => {
  const kernel = boot()
  const child = kernel.spawn({ source: main(`return 'large'`) }, { name: 'brief' })
  await child.exit
  const { process, ...rest } = kernel.inspect('brief')
  expect(process).toMatchObject({ pid: child.pid, state: 'exited' })
  expect(rest).toEqual({ end: { status: 'exited' } })
  const failing = kernel.spawn({ source: main(`throw new Error('broke')`) }, { name: 'failing' })
  await failing.exit
  expect(kernel.inspect(failing.pid).end).toMatchObject({ status: 'failed', code: 'EFAULT' })
  expect(kernel.inspect(failing.pid).end?.reason).toContain('broke')
})

test('a name that a live process has means that one; among ended ones it has to be the only one', async () => {
  const kernel = boot()
  const brief = () => kernel.spawn({ source: main('return 1') }, { name: 'twin' }).exit
  await brief()
  await brief()
  expect((await kernelErrorOf(() => kernel.inspect('twin'))).message).toBe(
    '2 ended processes are called `twin`: name one by pid (1, 2)',
  )
  const live = kernel.spawn({ source: waits }, { name: 'twin' })
  expect(kernel.inspect('twin').process.pid).toBe(live.pid)
  expect(await kernelErrorOf(() => kernel.inspect('nobody'))).toMatchObject({ code: 'ESRCH' })
  expect(await kernelErrorOf(() => kernel.inspect(99))).toMatchObject({ code: 'ESRCH' })
})

test('between turns there is no stack, and that is said', async () => {
  const kernel = boot()
  const proc = kernel.spawn({ source: waits })
  await until(() => proc.state === 'waiting', 'it waits')
  expect(proc.signal('STOP')).toBe('stopped')
  expect(kernel.inspect(proc.pid).live).toMatchObject({ frozen: 'idle', stack: [] })
  expect(kernel.inspect(proc.pid).live?.stackMissing).toMatch(/^no agent code was running/)
})

test('calls that a stopped process makes are shown as held, with nothing of them looked at', async () => {
  const system = new System({ policy: 'permissive', isolation: 'inline' }, () => false)
  try {
    const process = system.spawner.spawn(makeAgent({ source: waits }, {}, 'inline'), [])
    await until(() => process.state === 'waiting', 'it waits')
    process.signal('SIGSTOP', 'by the test')
    await until(() => process.held, 'it has stopped')
    system.gate.call(process, 77, 'fs.write', '["/tmp/x","y"]')
    system.gate.call(process, 78, 'x'.repeat(limits.resourceShownMax * 2), '[]')
    const { live } = inspect(system, process.pid)
    expect(live?.held.count).toBe(2)
    expect(live?.held.calls[0]).toEqual({ number: 77, syscall: 'fs.write' })
    expect(live?.held.calls[1]?.syscall).toHaveLength(limits.resourceShownMax)
  } finally {
    await system.shutdown()
  }
})

test('a guest that spins is frozen where it spins, in the author’s file and line; a deep stack is cut', async () => {
  const file = join(tempFolder(), 'agent.ts')
  const depth = limits.framesShownMax + 7
  writeFileSync(
    file,
    `type Unused = { a: 1 }\n\nexport default () => { console.log('up'); return spin(${depth}) }\n
const spin = (deeper: number): number => {\n  if (deeper > 0) return spin(deeper - 1) + 1\n  for (;;) {}\n}\n`,
  )
  const kernel = boot({ isolation: 'cell' })
  // Beside another one it is never stopped by the system, which could not say where.
  kernel.spawn({ source: waits }, { name: 'agent' })
  let begun = false
  const child = kernel.spawn({ file }, { name: 'agent' })
  kernel.on('output', ({ pid }) => {
    begun ||= pid === child.pid
  })
  await until(() => begun, 'its own code runs')
  await sleep(100)
  child.signal('SIGSTOP')
  await until(() => child.state === 'stopped', 'it stands still')
  const { live } = kernel.inspect(child.pid)
  expect(live?.frozen).toBe('paused')
  expect(live?.stack).toHaveLength(limits.framesShownMax)
  // With `spin(0)` itself and the default export.
  expect(live?.framesMore).toBe(9)
  expect(live?.stack[0]).toMatchObject({ function: 'spin', file: 'agent.ts', line: 7 })
  expect(live?.stack[1]).toMatchObject({ function: 'spin', file: 'agent.ts', line: 6 })
  expect(live?.stackMissing).toBeUndefined()
})
