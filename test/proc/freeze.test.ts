/** SIGSTOP stops agent code in the middle of an instruction, proves it, and SIGCONT goes on exactly there. */
import { describe, expect, test } from 'vitest'
import type { KernelSpace, ProcessHandle, SpawnOptions } from '../../src/index.ts'
import { liveCells } from '../support/children.ts'
import { boot, entriesOf, exitValue, main, sleep, until } from '../support/kernel.ts'

/** Counts for ever in one turn, and says what it has counted when it may. */
const spinner = 'let n = 0\nexport default function spin() { for (;;) n += 1 }'
/** One builtin that V8 cannot interrupt. */
const builtin = main('console.log("begins"); await proc.self(); let n = 3n; for (;;) n *= n')

const state = (proc: ProcessHandle, wanted: string): Promise<void> =>
  until(() => proc.state === wanted, `it is ${wanted}`)

/** CPU time of every cell of this test, in ticks of the system (proc(5)). */
const cellTicks = async (): Promise<number> => {
  const { readFileSync } = await import('node:fs')
  return liveCells()
    .map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [])
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0)
}

async function running(kernel: KernelSpace, source: string, options: SpawnOptions = {}) {
  const proc = kernel.spawn({ source }, options)
  await until(() => proc.state === 'running', 'it runs')
  await sleep(250)
  return proc
}

/** A guest inside its builtin. */
async function multiplying(kernel: KernelSpace, options: SpawnOptions = {}): Promise<ProcessHandle> {
  let begun = false
  kernel.on('output', () => {
    begun = true
  })
  const proc = kernel.spawn({ source: builtin }, options)
  await until(() => begun, 'it begins')
  await sleep(500)
  return proc
}

/** On V8 14 and later a guest of the application's own process stops at the end of its turn only (docs/decisions/freezing.md). */
const isLate = Number(process.versions.v8.split('.')[0]) >= 14

describe.each(['inline', 'cell'] as const)('%s', (isolation) => {
  const within = isolation === 'inline' && isLate ? test.skip : test

  within(
    'a guest in the middle of a loop stands still, is shown as stopped only then, and goes on',
    async () => {
      const kernel = boot({ isolation })
      const states: string[] = []
      kernel.on('state', ({ to }) => states.push(to))
      const proc = await running(
        kernel,
        `let stop = false
       export default async () => { const at = Date.now(); proc.on('SIGUSR1', () => { stop = true })
         for (let n = 0; n < 1.2e9; n += 1); return Date.now() - at }`,
      )
      expect(proc.signal('STOP')).toContain('stopping')
      expect(proc.state).toBe('stopping')
      expect(proc.signal('STOP')).toBe('is stopping already')
      await state(proc, 'stopped')
      expect(proc.signal('STOP')).toBe('was stopped already')
      expect(proc.signal('CONT')).toBe('goes on')
      expect(exitValue(await proc.exit)).toBe(0)
      expect(states).toEqual(['running', 'stopping', 'stopped', 'running', 'exited'])
      expect(entriesOf(kernel, 'state').map((entry) => entry.to)).toEqual(states)
    },
  )

  within('a thousand pairs of SIGSTOP and SIGCONT at once: the last one counts, either way', async () => {
    const kernel = boot({ isolation })
    const proc = await running(kernel, spinner)
    for (let pair = 0; pair < 1_000; pair += 1) {
      proc.signal('STOP')
      proc.signal('CONT')
    }
    expect(proc.state).toBe('running')
    proc.signal('STOP')
    await state(proc, 'stopped')
    proc.signal('CONT')
    await sleep(50)
    for (let pair = 0; pair < 200; pair += 1) {
      proc.signal('STOP')
      await sleep(pair % 3)
      proc.signal('CONT')
    }
    proc.signal('STOP')
    await state(proc, 'stopped')
    proc.signal('KILL')
    expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
  })

  within.each([
    ['a spinning guest', spinner],
    ['endless microtasks', main('for (;;) await null')],
    ['a statement `debugger` in a loop', main('for (;;) { debugger }')],
    ['code that it compiles without end', main('for (let n = 0; ; n += 1) eval(String(n))')],
  ])('%s is stopped, continued, stopped and killed', async (_name, source) => {
    const kernel = boot({ isolation })
    const proc = await running(kernel, source)
    for (let round = 0; round < 5; round += 1) {
      proc.signal('STOP')
      await state(proc, 'stopped')
      proc.signal('CONT')
      await sleep(20)
      expect(proc.state).toBe('running')
    }
    proc.signal('STOP')
    await state(proc, 'stopped')
    proc.signal('KILL')
    expect(await proc.exit).toMatchObject({ status: 'killed' })
  })

  within('a guest that is told to stand still before its code has begun does so when it begins', async () => {
    const kernel = boot({ isolation })
    for (let round = 0; round < 10; round += 1) {
      const proc = kernel.spawn({ source: main('for (;;) await null') })
      proc.signal('STOP')
      await state(proc, 'stopped')
      proc.signal('CONT')
      await until(() => proc.state === 'running', 'it runs')
      proc.signal('STOP')
      await state(proc, 'stopped')
      proc.signal('KILL')
      expect(await proc.exit).toMatchObject({ status: 'killed' })
    }
  })

  test('STOP that meets a guest that is just ending neither hangs nor breaks anything', async () => {
    const kernel = boot({ isolation })
    const exits = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const proc = kernel.spawn({
          source: main(`for (let n = 0; n < ${index}e6; n += 1); return ${index}`),
        })
        await sleep(index)
        if (!proc.state.startsWith('ex')) proc.signal('STOP')
        await sleep(5)
        if (proc.state.startsWith('stop')) proc.signal('CONT')
        return proc.exit
      }),
    )
    expect(exits).toMatchObject(
      Array.from({ length: 30 }, (_, index) => ({ status: 'exited', value: index })),
    )
  })

  test('a child that its parent stops stands still, and goes on when the parent says so', async () => {
    const kernel = boot({ isolation })
    const proc = kernel.spawn({
      source:
        main(`const child = await proc.spawn('export default () => { for (let n = 0; n < 1e9; n += 1); return 5 }')
        await proc.signal(child.pid, 'SIGSTOP')
        await new Promise((resolve) => setTimeout(resolve, 200))
        await proc.signal(child.pid, 'SIGCONT')
        return (await proc.wait(child.pid)).value`),
    })
    expect(exitValue(await proc.exit)).toBe(5)
  })
})

test('STOP that meets a guest that has just died of its memory changes nothing', async () => {
  const kernel = boot()
  let begun = false
  kernel.on('output', () => {
    begun = true
  })
  const proc = kernel.spawn(
    { source: main('console.log("begins"); const kept = []; for (;;) kept.push({ at: kept.length })') },
    { budget: { memory: '16MiB' } },
  )
  await until(() => begun, 'it begins')
  // The application is busy meanwhile, so that the kernel does not hear of its death before.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
  proc.signal('STOP')
  // On a busy machine it has not died by then, stands still, and dies when it goes on.
  await until(() => ['stopped', 'failed'].includes(proc.state), 'it stands still or is dead')
  if (proc.state === 'stopped') proc.signal('CONT')
  expect(await proc.exit).toMatchObject({ status: 'failed', error: { code: 'ENOMEM' } })
})

test('no CPU is used while a guest stands still', async () => {
  const kernel = boot({ isolation: 'cell', cells: { spare: 0 } })
  const proc = await running(kernel, spinner)
  proc.signal('STOP')
  await state(proc, 'stopped')
  await sleep(50)
  const before = await cellTicks()
  await sleep(1_000)
  // A tick is 10 ms: the cell's own timers may use a little.
  expect((await cellTicks()) - before).toBeLessThanOrEqual(2)
  proc.signal('CONT')
  await sleep(500)
  expect((await cellTicks()) - before).toBeGreaterThan(4)
})

test('the time limit of a turn and its CPU time stand still with it', async () => {
  const kernel = boot({ isolation: 'cell' })
  const proc = await running(kernel, main('for (let n = 0; n < 12e8; n += 1); return 1'), {
    budget: { cpu: '6s' },
  })
  proc.signal('STOP')
  await state(proc, 'stopped')
  await sleep(6_500)
  proc.signal('CONT')
  expect(exitValue(await proc.exit)).toBe(1)
})

test('inside one uninterruptible builtin the operating system stops a guest that is alone in its cell', async () => {
  const kernel = boot({ isolation: 'cell', cells: { spare: 0 } })
  const proc = await multiplying(kernel)
  for (let round = 0; round < 2; round += 1) {
    proc.signal('STOP')
    await state(proc, 'stopped')
    const before = await cellTicks()
    await sleep(300)
    expect((await cellTicks()) - before).toBeLessThanOrEqual(2)
    proc.signal('CONT')
    await sleep(100)
    expect(proc.state).toBe('running')
  }
  proc.signal('STOP')
  await state(proc, 'stopped')
  proc.signal('KILL')
  expect(await proc.exit).toMatchObject({ status: 'killed' })
  await until(() => liveCells().length <= 1, 'its cell is gone')
})

test('time in which the operating system had stopped it is no CPU time', async () => {
  const kernel = boot({ isolation: 'cell' })
  const proc = await multiplying(kernel, { budget: { cpu: '5s' } })
  proc.signal('STOP')
  await state(proc, 'stopped')
  expect(kernel.inspect(proc.pid).live?.frozen).toBe('system')
  await sleep(5_500)
  proc.signal('CONT')
  await sleep(300)
  expect(proc.state).toBe('running')
  proc.signal('KILL')
  expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
})

test('inside such a builtin in a shared cell it is stopping, and its cell is killed at the deadline', async () => {
  const kernel = boot({ isolation: 'cell' })
  const beside = kernel.spawn({ source: spinner })
  const proc = await multiplying(kernel)
  proc.signal('STOP')
  expect(proc.state).toBe('stopping')
  expect(await proc.exit).toMatchObject({ status: 'failed', error: { code: 'ETIMEDOUT' } })
  // Nobody has seen anything of its turn: it is begun again, in a cell of its own.
  await until(() => entriesOf(kernel, 'rebuild').length > 0, 'it is made again')
  expect(entriesOf(kernel, 'rebuild')).toMatchObject([{ pid: beside.pid, cause: 'cell', turn: 1 }])
  expect(beside.state).toBe('running')
  expect(await kernel.execute({ source: main('return 1') })).toBe(1)
})
