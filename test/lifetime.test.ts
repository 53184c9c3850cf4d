/** A kernel in force: reloading, watching, sharing files and evidence, and ending. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KernelSpace } from '../src/index.ts'
import {
  ask,
  boot,
  entriesOf,
  exitValue,
  main,
  policyOf,
  sleep,
  tempFolder,
  until,
} from './support/kernel.ts'

const asleep = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')

describe('reload', () => {
  const closed = policyOf([{ id: 'closed', effect: 'forbid', action: '*' }], { name: 'closed' })
  const loop = (call: string) =>
    main(`for (;;) {
    const code = await ${call}.then(() => 'ok', (error) => error.code)
    if (code !== 'ok') return code
    await new Promise((resolve) => setTimeout(resolve, 2))
  }`)

  test('a bad policy leaves the old one in force, and says why', async () => {
    const kernel = boot()
    const before = kernel.policy
    for (const policy of ['strickt', './missing.yaml', { version: 2 }, []]) {
      await expect(kernel.reload(policy as never)).rejects.toMatchObject({ code: 'EINVAL' })
    }
    expect(kernel.policy).toEqual(before)
    expect(entriesOf(kernel, 'reload')).toEqual([])
  })

  test('a running process has the new policy from its next call on', async () => {
    const kernel = boot()
    const proc = kernel.spawn({ source: loop(`fs.write('/tmp/a', 'x')`) })
    await until(() => entriesOf(kernel, 'outcome').length > 3, 'it writes')
    await kernel.reload(closed)
    expect(exitValue(await proc.exit)).toBe('EPERM')
    expect(kernel.policy.name).toBe('closed')
    expect(entriesOf(kernel, 'reload')).toMatchObject([{ policies: 'closed' }])
  })

  test('what a process had of its own still holds under a wider policy', async () => {
    const kernel = boot({ policy: ['permissive', closed] })
    const source = main(`await ipc.receive().catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 60))
      return [await fs.write('/mem/working/a', '').catch((e) => e.code), await fs.write('/tmp/a', '').catch((e) => e.code)]`)
    const proc = kernel.spawn({ source }, { policy: 'read-only' })
    await sleep(10)
    await kernel.reload('permissive')
    expect(exitValue(await proc.exit)).toEqual(['EPERM', null])
    expect(await ask(kernel, `return fs.write('/mem/working/a', '')`)).toBeNull()
  })
})

describe('shutdown', () => {
  test.each(['inline', 'cell'] as const)(
    'ends whatever runs in %s, says so, and may be asked for twice',
    async (isolation) => {
      const kernel = boot({ isolation })
      const procs = ['for (;;);', asleep, main('for (;;) await null')].map((source) =>
        kernel.spawn({ source }),
      )
      const stopped = kernel.spawn({ source: asleep })
      await sleep(50)
      stopped.signal('SIGSTOP')
      await Promise.all([kernel.shutdown(), kernel.shutdown()])
      await kernel.shutdown()
      for (const { exit } of [...procs, stopped]) {
        expect(await exit).toMatchObject({
          status: 'killed',
          signal: 'SIGKILL',
          reason: 'the kernel shut down',
        })
      }
      expect(entriesOf(kernel, 'close')).toHaveLength(1)
      expect(kernel.evidence.verify()).toMatchObject({ ok: true })
    },
  )

  test('after it nothing starts any more, and everything that is asked for says so', async () => {
    const kernel = boot()
    await kernel.shutdown()
    const exit = await Promise.resolve()
      .then(() => kernel.spawn({ source: 'export default () => 1' }).exit)
      .catch((error: unknown) => error)
    expect(exit).not.toMatchObject({ status: 'exited' })
    await expect(kernel.vfs('a').write('/mem/working/a', 'x')).rejects.toThrow()
    await expect(kernel.execute(() => 1)).rejects.toMatchObject({ code: expect.stringMatching(/^E/) })
  })

  test('what leaving the block of an `await using` calls, shuts it down', async () => {
    const kernel = boot()
    const { exit } = kernel.spawn({ source: asleep })
    expect(await kernel[Symbol.asyncDispose]()).toBeUndefined()
    expect(await exit).toMatchObject({ status: 'killed' })
  })

  test('a tool that ignores its signal does not hold it up', async () => {
    const hang = { description: 'h', parameters: { type: 'object' }, execute: () => new Promise(() => {}) }
    const kernel = boot({ tools: { hang } })
    const proc = kernel.spawn({ source: main('return tools.hang({})') })
    await until(() => entriesOf(kernel, 'intent', 'tool.call').length === 1, 'the tool runs')
    await kernel.shutdown()
    expect((await proc.exit).status).toBe('killed')
    expect(entriesOf(kernel, 'outcome')).toHaveLength(1)
  })
})

test('observers that throw harm neither the kernel nor each other', async () => {
  const kernel = boot()
  const warnings: string[] = []
  const warn = ({ name }: Error) => warnings.push(name)
  process.on('warning', warn)
  let told = 0
  for (const event of ['syscall', 'decision', 'signal', 'state', 'output'] as const) {
    kernel.on(event, () => {
      throw new Error('observer')
    })
    kernel.on(event, (it) => {
      told += Object.isFrozen(it) ? 1 : 0
    })
  }
  expect(await ask(kernel, `console.log('x'); await fs.write('/tmp/a', 'x'); return fs.read('/tmp/a')`)).toBe(
    'x',
  )
  await sleep(5)
  process.off('warning', warn)
  expect(told).toBeGreaterThan(5)
  expect(new Set(warnings)).toEqual(new Set(['GatehouseListener']))
})

test('an observer that is taken off is told nothing more', async () => {
  const kernel = boot()
  let told = 0
  const off = kernel.on('output', () => {
    told += 1
  })
  await ask(kernel, `console.log(1); await proc.self()`)
  off()
  await ask(kernel, `console.log(2); await proc.self()`)
  expect(told).toBe(1)
})

test('the application reads and writes an agent’s files, on record, and what is read-only is so for it too', async () => {
  const kernel = boot()
  const files = kernel.vfs('researcher')
  await files.write('/mem/working/task.txt', 'Current task')
  expect(await files.read('/mem/working/task.txt')).toBe('Current task')
  expect(await ask(kernel, `return fs.read('/mem/working/task.txt')`, { name: 'researcher' })).toBe(
    'Current task',
  )
  for (const path of ['/policy/strict.yaml', '/proc/1.json', '/tools/x.json', '/audit/log.jsonl']) {
    await expect(files.write(path, 'x')).rejects.toMatchObject({ code: 'EROFS' })
  }
  await expect(files.read('/mem/../none')).rejects.toMatchObject({
    code: 'ENOENT',
    message: expect.stringContaining('fs.read'),
  })
  await expect(files.read('relative')).rejects.toMatchObject({ code: 'EINVAL' })
  expect(entriesOf(kernel, 'host', 'fs.write')[0]).toMatchObject({
    agent: 'researcher',
    resource: '/mem/working/task.txt',
  })
  expect(() => kernel.vfs('../other')).toThrow(expect.objectContaining({ code: 'EINVAL' }))
})

test('a second kernel on the same evidence is refused, until the first has shut down', async () => {
  const dir = join(tempFolder(), 'evidence')
  const first = boot({ evidence: { dir } })
  expect(() => new KernelSpace({ evidence: { dir } })).toThrow(expect.objectContaining({ code: 'EBUSY' }))
  await first.execute({ source: main('return 1') })
  await first.shutdown()
  const second = boot({ evidence: { dir } })
  expect(await second.execute({ source: main('return 2') })).toBe(2)
  expect(second.evidence.verify()).toMatchObject({ ok: true })
  expect(entriesOf(second, 'open')).toHaveLength(2)
})

test('the same seed gives the same identifiers and randomness, another seed others', async () => {
  const runOf = async (seed: number) => {
    const kernel = boot({ seed })
    const value = await ask(kernel, 'return [(await proc.self()).run, Math.random(), crypto.randomUUID()]')
    await kernel.shutdown()
    return value
  }
  expect(await runOf(7)).toEqual(await runOf(7))
  expect(await runOf(7)).not.toEqual(await runOf(8))
})
