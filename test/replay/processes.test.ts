/** Runs of several processes, with signals, stops, labels and rules that take out: recorded and replayed byte for byte. */
import { describe, expect, test } from 'vitest'
import type { KernelSpace, ProcessHandle, SpawnOptions } from '../../src/index.ts'
import { boot, entriesOf, exitValue, main, policyOf, sleep, tempFolder, until } from '../support/kernel.ts'
import { bootLabelled, everything } from '../support/labels.ts'
import { expectEqual, recordAndReplay, replayAll } from './support.ts'

/** Starts a program and waits until it has said that it is ready. */
async function started(
  kernel: KernelSpace,
  body: string,
  options: SpawnOptions = {},
): Promise<ProcessHandle> {
  const ready = new Promise<void>((resolve) => {
    kernel.on('output', ({ text }) => text === 'ready\n' && resolve())
  })
  const process = kernel.spawn({ source: main(body) }, options)
  await ready
  return process
}

const all = async (runs: ReturnType<typeof recordAndReplay>, processes: number) => {
  const replayed = await runs
  for (const run of replayed) expectEqual(run)
  expect(replayed.flatMap((run) => run.processes)).toHaveLength(processes)
  return replayed
}

describe('several processes', () => {
  test('children, and what they give', async () => {
    const body = `const pids = []
      for (let n = 0; n < 3; n += 1) pids.push((await proc.spawn(async (n) => { console.log(n, Math.random()); return fs.read('/tmp/x').catch(() => n * 2) }, { args: [n] })).pid)
      return Promise.all(pids.map((pid) => proc.wait(pid)))`
    await all(
      recordAndReplay(async (kernel) => exitValue(await kernel.spawn({ source: main(body) }).exit)),
      4,
    )
  })

  test('two agents that send each other messages', async () => {
    const work = async (kernel: KernelSpace) => {
      const server = kernel.spawn(
        {
          source: main(
            `for (;;) { const { from, message } = await ipc.receive(); if (message === 'stop') return 'stopped'; await ipc.send(from, message * 2) }`,
          ),
        },
        { name: 'server' },
      )
      const client = main(`const all = []
        for (let n = 0; n < 5; n += 1) { await ipc.send('server', n); all.push((await ipc.receive()).message) }
        await ipc.send('server', 'stop'); return all`)
      expect(exitValue(await kernel.spawn({ source: client }, { name: 'client' }).exit)).toEqual([
        0, 2, 4, 6, 8,
      ])
      await server.exit
    }
    await all(recordAndReplay(work), 2)
  })

  test('an extraction, whose child is repeated by itself', async () => {
    const dir = tempFolder()
    const kernel = bootLabelled({ policy: policyOf(everything, { budget: { bits: 64 } }), evidence: { dir } })
    const body = `return proc.extract(async () => { await fs.write('/tmp/own', 'x'); return true }, { schema: { type: 'boolean' } })`
    expect(exitValue(await kernel.spawn({ source: main(body) }).exit)).toBe(true)
    await kernel.shutdown()
    const [run] = await replayAll(dir)
    expectEqual(run)
    expect(run?.processes).toHaveLength(2)
  })

  test('a child that is killed with its parent', async () => {
    const body = `await proc.spawn('for (;;);'); console.log('ready'); await new Promise((resolve) => setTimeout(resolve, 60_000))`
    await all(
      recordAndReplay(async (kernel) => {
        const process = await started(kernel, body)
        await until(() => kernel.ps().length === 2, 'the child runs')
        process.signal('SIGKILL')
        await process.exit
      }),
      2,
    )
  })
})

describe('signals', () => {
  test('handlers, masks, and an end after a handler', async () => {
    const body = `const seen = []
      await proc.on('SIGUSR1', async (signal) => { seen.push(signal, Date.now()); await fs.write('/tmp/seen', String(seen.length)) })
      await proc.on('SIGTERM', async () => { console.log('leaving', seen.length) })
      await proc.sigmask(['SIGUSR1']); console.log('ready'); await new Promise((resolve) => setTimeout(resolve, 40)); await proc.sigmask([])
      await new Promise((resolve) => setTimeout(resolve, 60_000))`
    await all(
      recordAndReplay(async (kernel) => {
        const process = await started(kernel, body)
        process.signal('SIGUSR1')
        process.signal('SIGUSR1')
        await sleep(120)
        process.signal('SIGTERM')
        expect(await process.exit).toMatchObject({ status: 'killed', signal: 'SIGTERM' })
      }),
      1,
    )
  })

  test.each(['inline', 'cell'] as const)(
    'stopped and continued in the middle of a turn, in %s',
    async (isolation) => {
      const body = `console.log('ready'); await null
      let sum = 0
      for (let n = 0; n < 6e7; n += 1) { sum += n % 7; if (n % 2e7 === 0) fs.write('/tmp/n', String(n)) }
      return [sum, Date.now(), await fs.read('/tmp/n')]`
      await all(
        recordAndReplay(
          async (kernel) => {
            const process = await started(kernel, body)
            for (let n = 0; n < 3; n += 1) {
              process.signal('SIGSTOP')
              await sleep(40)
              process.signal('SIGCONT')
              await sleep(20)
            }
            expect(await process.exit).toMatchObject({ status: 'exited' })
          },
          { isolation },
        ),
        1,
      )
    },
  )

  test.each(['SIGKILL', 'SIGSTOP'] as const)('killed in the middle of a turn, after %s', async (signal) => {
    const body = `console.log('ready'); await fs.stat('/tmp'); fs.write('/tmp/a', '1'); fs.write('/tmp/b', '1'); for (;;);`
    const [run] = await all(
      recordAndReplay(async (kernel) => {
        const process = await started(kernel, body)
        await until(() => entriesOf(kernel, 'outcome').length >= 4, 'its calls are on record')
        process.signal(signal)
        if (signal === 'SIGSTOP') process.signal('SIGKILL')
        await process.exit
      }),
      1,
    )
    expect(run?.processes[0]).toMatchObject({ calls: 4, ended: expect.stringMatching(/^killed/) })
  })
})

describe('rules', () => {
  test('what is taken out of a result is on record as the guest had it', async () => {
    const policy = policyOf([{ id: 'all', effect: 'permit', action: '*', redact: ['email', 'card'] }])
    const body = `await fs.write('/tmp/a', 'ask jane.doe@example.org'); return [await fs.read('/tmp/a'), await fs.read('/tmp/jane.doe@example.org').catch((error) => error.message)]`
    await all(
      recordAndReplay((kernel) => kernel.spawn({ source: main(body) }).exit, { policy }),
      1,
    )
  })

  test('refusals of every kind, also of what is long, odd or has lone surrogates', async () => {
    const policy = policyOf([{ id: 'own', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }], {
      budget: { syscalls: 40 },
    })
    const body = `const told = []
      for (const [name, args] of [['fs.read', { path: '/mem/x' }], ['fs.read', { path: '/tmp/' + 'x'.repeat(9000) }], ['no\\ud800pe', {}],
        ['x'.repeat(500), {}], ['fs.read', { ['\\u{1f600}'.repeat(300)]: 1 }], ['fs.read', { ['a' + '\\u{1f600}'.repeat(300)]: 1 }], ['fs.read', '\\u{1f600}'.repeat(5000)],
        ['net.fetch', { url: 'https://example.org/\\u{1f600}' }], ['tool.call', { name: 'none', args: {} }]])
        told.push(await sys(name, args).catch((error) => error.message))
      for (let n = 0; n < 60; n += 1) told.push(await fs.stat('/tmp').then(() => 'ok', (error) => error.message))
      return told`
    await all(
      recordAndReplay(async (kernel) => exitValue(await kernel.spawn({ source: main(body) }).exit), {
        policy,
      }),
      1,
    )
  })

  test('a call of which a rule keeps only a digest: it can be repeated up to its reply, and that is said', async () => {
    const policy = policyOf([{ id: 'all', effect: 'permit', action: '*', log: 'digest' }])
    const runs = await recordAndReplay(
      (kernel) =>
        kernel.spawn({ source: main(`await fs.write('/tmp/a', '1'); return fs.read('/tmp/a')`) }).exit,
      { policy },
    )
    expect(runs).toMatchObject([
      {
        verdict: 'incomplete',
        processes: [{ calls: 1, gap: { why: 'a rule keeps only a digest of its result' } }],
      },
    ])
  })
})

test('a function of the application has no code that could be repeated, and that is said', async () => {
  const runs = await recordAndReplay((kernel) => kernel.execute(() => 1), { isolation: 'host' })
  expect(runs).toMatchObject([
    {
      verdict: 'incomplete',
      processes: [{ isolation: 'host', gap: { why: expect.stringContaining('of which no code') } }],
    },
  ])
})

test('a run that goes on replays as far as it is on record', async () => {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir } })
  await started(
    kernel,
    `await fs.write('/tmp/a', '1'); console.log('ready'); await new Promise((resolve) => setTimeout(resolve, 60_000))`,
  )
  const [run] = await replayAll(dir)
  expectEqual(run)
  expect(run?.processes).toMatchObject([{ ended: 'its end is not on record' }])
})
