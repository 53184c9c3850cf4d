/** What one agent does must not be paid for by the kernel or by others. */
import { expect, test } from 'vitest'
import { makeAgent } from '../src/agents.ts'
import { System } from '../src/system.ts'
import { boot, exitValue, main, tempFolder, until } from './support/kernel.ts'

const open = {
  version: 1,
  name: 'open',
  rules: [{ id: 'all', effect: 'permit', action: '*' }],
} as const

test('replies that wait are bounded: the call after them is EAGAIN, and the kernel goes on', async () => {
  const kernel = boot({ evidence: { dir: tempFolder() } })
  const source = main(`await fs.write('/tmp/large', 'x'.repeat(15e6))
    const reads = Array.from({ length: 20 }, () => fs.read('/tmp/large').then(() => 'read', (error) => error.code))
    return [...new Set(await Promise.all(reads))].sort()`)
  const exit = await kernel.spawn({ source }, { budget: { memory: '512MiB' } }).exit
  expect(exitValue(exit)).toEqual(['EAGAIN', 'read'])
  expect(await kernel.execute({ source: 'export default () => 1' })).toBe(1)
})

test('a reload is not held up by what a guest called its policy', async () => {
  const kernel = boot({ policy: open })
  const narrow = JSON.stringify({ ...open, name: 'strict' })
  const source =
    main(`const { pid } = await proc.spawn('await new Promise((r) => setTimeout(r, 3e4))', { policy: ${narrow} })
    await ipc.send('parent', pid); await new Promise((r) => setTimeout(r, 3e4))`)
  kernel.spawn({ source }, { name: 'parent' })
  await expect.poll(() => kernel.ps().length).toBe(2)
  await kernel.reload('strict')
  expect(kernel.policy.name).toBe('strict')
  for (const row of kernel.ps()) expect(row.policy).toMatch(/^strict/)
})

test.each(['bank', 'clerk'])('a child cannot take the name of another agent: %s', async (name) => {
  const kernel = boot({ policy: open })
  kernel.register({ source: 'export default () => 1' }, { name: 'bank' })
  await kernel.vfs('clerk').write('/mem/working/secret', 's')
  const source = main(`return proc.spawn('1', { name: '${name}' }).catch((error) => error.code)`)
  expect(exitValue(await kernel.spawn({ source }, { name: 'web' }).exit)).toBe('EPERM')
})

test('stopping a process does not lengthen the time that its handler of SIGTERM has', async () => {
  const kernel = boot()
  const source = main("await proc.on('SIGTERM', () => new Promise(() => {})); await ipc.receive()")
  const proc = kernel.spawn({ source })
  await expect.poll(() => kernel.ps()[0]?.inFlight).toBe(1)
  const began = performance.now()
  proc.signal('SIGTERM')
  for (let stop = 0; stop < 4; stop += 1) {
    proc.signal('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 100))
    proc.signal('SIGCONT')
  }
  expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('calls that wait for a stopped process are bounded by what they hold', async () => {
  const system = new System({ policy: 'permissive', isolation: 'inline' }, () => false)
  try {
    const source = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')
    const process = system.spawner.spawn(makeAgent({ source }, {}, 'inline'), [])
    await until(() => process.state === 'waiting', 'it waits')
    process.signal('SIGSTOP', 'by the test')
    const args = JSON.stringify({ path: '/tmp/x', text: 'x'.repeat(15e6) })
    for (let number = 101; number <= 104; number += 1) system.gate.call(process, number, 'fs.write', args)
    const refusals = [...system.log.entries({})].filter(({ kind }) => kind === 'refusal')
    expect(refusals).toMatchObject([{ code: 'EAGAIN', call: 104 }])
    expect(system.gate.heldOf(process)).toHaveLength(3)
  } finally {
    await system.shutdown()
  }
})
