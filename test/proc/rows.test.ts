/** The process table, as `ps` and /proc show it. */
import { expect, test } from 'vitest'
import { ask, boot, exitValue, main, sleep, until } from '../support/kernel.ts'

const asleep = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')

test('a row names what a person needs to judge a process', async () => {
  const kernel = boot({ policy: ['permissive', 'strict'] })
  const proc = kernel.spawn(
    { source: asleep },
    { name: 'sleeper', labels: ['internal'], budget: { syscalls: 10 } },
  )
  await until(() => proc.state === 'waiting' && kernel.ps()[0]?.inFlight === 1, 'it sleeps')
  expect(kernel.ps()).toEqual([
    {
      ...{
        pid: proc.pid,
        ppid: 0,
        run: expect.any(String),
        name: 'sleeper',
        state: 'waiting',
        isolation: 'inline',
      },
      ...{ policy: 'permissive + strict', cpuMs: expect.any(Number), heapBytes: expect.any(Number) },
      ...{
        wallMs: expect.any(Number),
        syscalls: 1,
        inFlight: 1,
        budgetLeft: { syscalls: 9 },
        labels: ['internal'],
      },
    },
  ])
})

test('live processes are listed oldest first; with `all`, those that ended lately too', async () => {
  const kernel = boot()
  await kernel.spawn({ source: main('return 1') }, { name: 'first' }).exit
  const second = kernel.spawn({ source: asleep }, { name: 'second' })
  await kernel.spawn({ source: main('throw 1') }, { name: 'third' }).exit
  kernel.spawn({ source: asleep }, { name: 'fourth' })
  expect(kernel.ps().map(({ name }) => name)).toEqual(['second', 'fourth'])
  second.signal('SIGKILL')
  await second.exit
  expect(kernel.ps({ all: true }).map(({ name, state }) => `${name} ${state}`)).toEqual([
    ...['first exited', 'second killed', 'third failed'],
    expect.stringMatching(/^fourth (created|running|waiting)$/),
  ])
})

test('every change of state is told and on record, in order', async () => {
  const kernel = boot()
  const told: string[] = []
  kernel.on('state', ({ from, to }) => told.push(`${from} ${to}`))
  const proc = kernel.spawn({ source: asleep })
  await until(() => proc.state === 'waiting', 'it waits')
  for (const signal of ['SIGSTOP', 'SIGCONT', 'SIGTERM']) proc.signal(signal)
  await proc.exit
  expect(told).toEqual(['created running', 'waiting stopped', 'stopped running', 'waiting killed'])
  const recorded = kernel.evidence.entries().filter(({ kind }) => kind === 'state')
  expect(recorded.map(({ from, to }) => `${from} ${to}`)).toEqual(told)
})

test('a process sees the table as files it cannot write', async () => {
  const kernel = boot()
  const other = kernel.spawn({ source: asleep }, { name: 'other' })
  const value = await ask(
    kernel,
    `const row = JSON.parse(await fs.read('/proc/${other.pid}.json'))
     return [row.name, (await fs.list('/proc')).map(({ name }) => name),
       await fs.write('/proc/${other.pid}.json', '{}').catch((error) => error.code)]`,
  )
  expect(value).toEqual(['other', ['1.json', '2.json'], 'EROFS'])
})

test('a process knows itself, and what is left of its budget', async () => {
  const kernel = boot()
  const proc = kernel.spawn(
    { source: main('await proc.self(); return proc.self()') },
    { name: 'me', budget: { syscalls: 5, cpu: '10s' } },
  )
  expect(exitValue(await proc.exit)).toMatchObject({
    ...{ pid: 1, ppid: 0, name: 'me', isolation: 'inline', labels: [] },
    budget: { syscalls: 3, cpuMs: expect.any(Number) },
  })
})

test('a program that spins in its first turn is seen to use CPU, and its budget to go', async () => {
  const kernel = boot({ isolation: 'cell' })
  const proc = kernel.spawn({ source: 'export default () => { for (;;); }' }, { budget: { cpu: '20s' } })
  const row = () => kernel.ps().find(({ pid }) => pid === proc.pid)
  await until(() => (row()?.cpuMs ?? 0) > 100, 'it is seen')
  expect(row()?.budgetLeft.cpuMs).toBeLessThan(19_950)
  proc.signal('STOP')
  await until(() => proc.state === 'stopped', 'it is stopped')
  const before = row()?.cpuMs
  await sleep(50)
  expect(row()?.cpuMs).toBe(before)
})

test('a pid is never given twice', async () => {
  const kernel = boot()
  const pids = await Promise.all(
    Array.from({ length: 20 }, () => ask(kernel, 'return (await proc.self()).pid')),
  )
  expect(new Set(pids).size).toBe(20)
})
