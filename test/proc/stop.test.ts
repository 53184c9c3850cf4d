/** SIGSTOP holds what comes to a process and what it asks for, and its clock; SIGCONT goes on exactly there. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelSpace, ProcessHandle } from '../../src/index.ts'
import { boot, entriesOf, exitValue, main, sleep, tempFolder, until } from '../support/kernel.ts'

const inFlight = (kernel: KernelSpace, { pid }: ProcessHandle): number =>
  kernel.ps().find((row) => row.pid === pid)?.inFlight ?? -1

describe.each(['inline', 'cell'] as const)('%s', (isolation) => {
  test('a stopped process gets no reply until SIGCONT, and then every one of them, in order', async () => {
    const kernel = boot({ isolation })
    const proc = kernel.spawn({
      source: main(`const order = []
        await Promise.all([900, 300, 600].map(async (ms) => {
          await new Promise((resolve) => setTimeout(resolve, ms)); order.push(ms) }))
        return order`),
    })
    await until(() => inFlight(kernel, proc) === 3 && proc.state === 'waiting', 'three timers run')
    expect(proc.signal('SIGSTOP')).toContain('stopped')
    await sleep(400)
    expect(proc.state).toBe('stopped')
    expect(proc.signal('SIGSTOP')).toBe('was stopped already')
    expect(proc.signal('SIGCONT')).toBe('goes on')
    expect(exitValue(await proc.exit)).toEqual([300, 600, 900])
  })

  test('its clock stands still while it is stopped, and so do its timers', async () => {
    const kernel = boot({ isolation })
    const begun = performance.now()
    const proc = kernel.spawn({
      source: main(`const at = Date.now()
        await new Promise((resolve) => setTimeout(resolve, 60))
        return Date.now() - at`),
    })
    await until(() => inFlight(kernel, proc) === 1, 'the timer runs')
    proc.signal('SIGSTOP')
    await sleep(300)
    proc.signal('SIGCONT')
    const own = Number(exitValue(await proc.exit))
    expect(own).toBeGreaterThanOrEqual(59)
    expect(performance.now() - begun - own).toBeGreaterThanOrEqual(295)
  })

  test('what it asks for around the stop is admitted after SIGCONT, not before', async () => {
    let stop = (): void => {}
    const mark = { description: 'm', parameters: { type: 'object' }, execute: () => stop() }
    const kernel = boot({ isolation, tools: { mark } })
    const proc = kernel.spawn({
      source: main(`tools.mark({})
        for (let n = 0; n < 3e8; n += 1);
        await fs.write('/mem/working/late', 'late')
        return 'done'`),
    })
    stop = () => void proc.signal('SIGSTOP')
    await until(() => proc.state === 'stopped', 'the tool has stopped its caller')
    await sleep(20)
    expect(entriesOf(kernel, 'intent', 'fs.write')).toEqual([])
    proc.signal('SIGCONT')
    expect(exitValue(await proc.exit)).toBe('done')
    expect(entriesOf(kernel, 'intent', 'fs.write')).toHaveLength(1)
  })

  test('SIGKILL ends a stopped process; SIGTERM waits for SIGCONT', async () => {
    const kernel = boot({ isolation })
    const source = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')
    const [killed, asked] = [kernel.spawn({ source }), kernel.spawn({ source })]
    for (const proc of [killed, asked]) proc.signal('SIGSTOP')
    killed.signal('SIGKILL')
    expect(await killed.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
    expect(asked.signal('SIGTERM')).toBe('queued')
    await until(() => asked.state === 'stopped', 'it stands still')
    asked.signal('SIGCONT')
    expect(await asked.exit).toMatchObject({ status: 'killed', signal: 'SIGTERM' })
  })
})

test('a tool that ends while its caller is stopped is on record at once, and answers after SIGCONT', async () => {
  let finish = (_text: string): void => {}
  const execute = () => new Promise<string>((resolve) => (finish = resolve))
  const kernel = boot({ tools: { slow: { description: 's', parameters: { type: 'object' }, execute } } })
  const proc = kernel.spawn({ source: main('return tools.slow({})') })
  await until(() => entriesOf(kernel, 'intent', 'tool.call').length === 1, 'the tool runs')
  await sleep(5)
  proc.signal('SIGSTOP')
  finish('result')
  await until(() => entriesOf(kernel, 'outcome').length === 1, 'the outcome is on record')
  expect(proc.state).toBe('stopped')
  proc.signal('SIGCONT')
  expect(exitValue(await proc.exit)).toBe('result')
})

test('a file that is stopped while it is bundled begins after SIGCONT', async () => {
  const file = join(tempFolder(), 'agent.ts')
  writeFileSync(file, `export default async () => { console.log('ran'); return 1 }`)
  const kernel = boot()
  const printed: string[] = []
  kernel.on('output', ({ text }) => printed.push(text))
  const proc = kernel.spawn({ file })
  proc.signal('SIGSTOP')
  await sleep(150)
  expect([proc.state, printed]).toEqual(['stopped', []])
  proc.signal('SIGCONT')
  expect(exitValue(await proc.exit)).toBe(1)
})

test('SIGCONT to a process that is not stopped says so, and changes nothing', async () => {
  const proc = boot().spawn({
    source: main('await new Promise((resolve) => setTimeout(resolve, 20)); return 1'),
  })
  expect(proc.signal('SIGCONT')).toBe('was not stopped')
  expect(exitValue(await proc.exit)).toBe(1)
})

test('an effect that waited for SIGCONT ends with its process, on record as never begun', async () => {
  let began = 0
  const execute = (): void => {
    began += 1
  }
  const mark = { description: 'm', parameters: { type: 'object' }, execute }
  const kernel = boot({ tools: { mark }, evidence: { dir: tempFolder(), durability: 'disk' } })
  const source = main(`const { pid } = await proc.self()
    // The stop comes before the intent is on the disk.
    return Promise.all([tools.mark({}), proc.signal(pid, 'SIGSTOP')])`)
  const proc = kernel.spawn({ source })
  await until(() => proc.state === 'stopped', 'it stands still')
  await sleep(50)
  proc.signal('SIGKILL')
  await proc.exit
  const [intent] = entriesOf(kernel, 'intent', 'tool.call')
  const outcomes = () => entriesOf(kernel, 'outcome').filter((entry) => entry.intent === intent?.seq)
  await until(() => outcomes().length === 1, 'the outcome is on record')
  expect(outcomes()).toMatchObject([{ status: 'aborted', code: 'EINTR' }])
  expect(began).toBe(0)
})
