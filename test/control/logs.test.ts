/** What a process did lately, and what it does: as lines, in their order, bounded. */
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { ControlClient } from '../../src/control/client.ts'
import { Journal } from '../../src/control/journal.ts'
import type { LogLine } from '../../src/control/protocol.ts'
import { limits } from '../../src/limits.ts'
import { Observers } from '../../src/observers.ts'
import type { Process } from '../../src/proc/process.ts'
import { boot, main, sleep, tempFolder, until } from '../support/kernel.ts'

function listening() {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir } })
  const client = new ControlClient(dir)
  onTestFinished(() => client.close())
  return { kernel, client }
}

async function linesOf(client: ControlClient, target: string, how: { calls?: true; follow?: true } = {}) {
  const lines: LogLine[] = []
  const { calls = false, follow = false } = how
  for await (const line of client.logs(target, { calls, follow }, new AbortController().signal))
    lines.push(line)
  return lines
}

test('the output of a process that ended, and with its calls what else happened', async () => {
  const { kernel, client } = listening()
  const source = main(
    `console.log('one'); await fs.write('/policy/x', '').catch(() => {}); console.error('two')`,
  )
  await kernel.spawn({ source }, { name: 'brief' }).exit
  expect(await linesOf(client, 'brief')).toEqual([
    { kind: 'process', pid: 1, name: 'brief' },
    { kind: 'output', stream: 'stdout', text: 'one\n', time: expect.any(Number) },
    { kind: 'output', stream: 'stderr', text: 'two\n', time: expect.any(Number) },
    { kind: 'end', state: 'exited' },
  ])
  const all = (await linesOf(client, '1', { calls: true })).map((line) =>
    line.kind === 'call' ? `${line.syscall} ${line.status} ${line.code ?? ''}` : line.kind,
  )
  expect(all).toEqual([
    'process',
    ...['state', 'output', 'proc.output committed ', 'call', 'output', 'proc.output committed '].map(
      (line) => (line === 'call' ? 'fs.write failed EROFS' : line),
    ),
    'state',
    'proc.exit committed ',
    'end',
  ])
})

test('a follower gets what was, what comes, and the end', async () => {
  const { kernel, client } = listening()
  const child = kernel.spawn({
    source: main(`console.log('before'); await ipc.receive(); console.log('after')`),
  })
  await until(() => child.state === 'waiting', 'it waits')
  const followed = linesOf(client, String(child.pid), { follow: true })
  await sleep(100)
  kernel.spawn({ source: main(`await ipc.send('program', 1)`) }, { name: 'sender' })
  expect((await followed).map((line) => ('text' in line ? line.text : line.kind))).toEqual([
    'process',
    'before\n',
    'after\n',
    'end',
  ])
})

test('following can be given up, and a shutdown is told from an end', async () => {
  const { kernel, client } = listening()
  kernel.spawn({ source: main(`console.log('up'); await ipc.receive()`) }, { name: 'waiter' })
  const stop = new AbortController()
  for await (const line of client.logs('waiter', { calls: false, follow: true }, stop.signal))
    if (line.kind === 'output') stop.abort()
  const followed = linesOf(client, 'waiter', { follow: true })
  await sleep(100)
  await kernel.shutdown()
  expect((await followed).at(-1)).toEqual({ kind: 'end', state: 'killed' })
})

test('what was printed last is not lost where the kernel ends at once', async () => {
  const { kernel, client } = listening()
  const child = kernel.spawn({
    source: main(`await ipc.receive(); console.log('\\u0001'.repeat(200_000)); await ipc.receive()`),
  })
  await until(() => child.state === 'waiting', 'it waits')
  const followed = linesOf(client, String(child.pid), { follow: true })
  await sleep(100)
  await kernel.spawn({ source: main(`await ipc.send('program', 1)`) }, { name: 'sender' }).exit
  await until(() => child.state === 'waiting', 'it has printed')
  await kernel.shutdown()
  expect((await followed).slice(1)).toMatchObject([
    { kind: 'output', text: `${'\u0001'.repeat(200_000)}\n` },
    { kind: 'end', state: 'killed' },
  ])
})

test('one that was cut off is told so', async () => {
  const { kernel, client } = listening()
  const child = kernel.spawn({
    source: main(`console.log('up'); await ipc.receive()
      for (let n = 0; n < 1600; n += 1) { console.log('x'.repeat(10_000)); if (n % 20 === 0) await new Promise((go) => setTimeout(go, 1)) }`),
  })
  await until(() => child.state === 'waiting', 'it waits')
  const lines = client.logs('program', { calls: false, follow: true }, new AbortController().signal)
  await lines.next()
  kernel.spawn({ source: main(`await ipc.send('program', 1)`) }, { name: 'sender' })
  await child.exit
  const error = await (async () => {
    for await (const line of lines) if (line.kind === 'end') return 'it came to the end'
    return 'nothing was thrown'
  })().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'ECONNRESET', message: expect.stringMatching(/cut this off/) })
})

test('of a process that prints much the last is kept, of many the latest, and output and calls do not drive each other out', () => {
  const observers = new Observers()
  const journal = new Journal(observers, systemClock)
  const processOf = (pid: number) => ({ pid, name: 'p', identity: { run: 'r' } }) as Process
  const talker = processOf(1)
  observers.signalled(talker, 'SIGUSR1', 'by the first')
  for (let n = 0; n < 100; n += 1)
    observers.printed(talker, 'stdout', `${n} ${'x'.repeat(limits.journalProcessLength / 10)}`)
  const kept = journal
    .of(1, false)
    .map((line) => (line.kind === 'output' ? Number.parseInt(line.text, 10) : -1))
  expect(kept.length).toBeLessThan(10)
  expect(kept.at(-1)).toBe(99)
  expect(journal.of(1, true)[0]).toMatchObject({ kind: 'signal', by: 'by the first' })
  const long = `a${'b'.repeat(limits.journalProcessLength)}`
  observers.printed(talker, 'stdout', long)
  expect(journal.of(1, false)).toMatchObject([{ text: long.slice(1) }])
  const many = Math.ceil(limits.journalLength / limits.journalProcessLength) + 5
  for (let pid = 2; pid < 2 + many; pid += 1) observers.printed(processOf(pid), 'stdout', long)
  expect(journal.of(1, true)).toEqual([])
  expect(journal.of(1 + many, true)).toHaveLength(1)
  journal.close()
  observers.printed(processOf(1), 'stdout', 'unheard')
  expect(journal.of(1, true)).toEqual([])
})
