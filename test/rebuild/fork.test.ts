/** A run of its own begins where one on record was: under another policy, with another program, or with another reply. */
import { expect, test } from 'vitest'
import { type Entry, type ForkOptions, type KernelOptions, KernelSpace } from '../../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, tempFolder } from '../support/kernel.ts'
import { busy, doubling, endOf, flying, left, replayOf } from './support.ts'

const source = main(`
  await fs.write('/mem/working/a', 'first')
  const one = await tools.double({ n: args[0] })
  const two = await tools.double({ n: one })
  await fs.append('/mem/working/a', ' then ' + two)
  return { one, two, file: await fs.read('/mem/working/a'), self: (await proc.self()).run }`)

/** A run that is over, in a folder that no kernel has. */
async function recorded(program: string, name = 'parent') {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir }, tools: doubling([]) })
  const exit = await kernel.spawn({ source: program }, { name, args: [3] }).exit
  const entries = kernel.evidence.entries()
  await kernel.shutdown()
  const run = entries.find(({ kind }) => kind === 'spawn')?.run ?? ''
  const outcomeOf = (syscall: string, nth = 0): Entry => {
    const intents = entries.filter((entry) => entry.kind === 'intent' && entry.syscall === syscall)
    const found = entries.find(({ kind, intent }) => kind === 'outcome' && intent === intents[nth]?.seq)
    if (found === undefined) throw new Error(`no ${syscall}`)
    return found
  }
  return { dir, run, entries, value: exitValue(exit), outcomeOf }
}

const forked = (dir: string, fork: ForkOptions, options: KernelOptions = {}): KernelSpace =>
  boot({ ...options, evidence: { dir: left(dir), fork } })

test('it goes on live from the entry, as a run that names its parent; what came before is not done again outside', async () => {
  const { dir, run, value, outcomeOf } = await recorded(source)
  const effects: number[] = []
  const kernel = forked(dir, { run, seq: outcomeOf('tool.call').seq }, { tools: doubling(effects) })
  const own = exitValue(await endOf(kernel)) as { self: string }
  expect(own).toEqual({ ...(value as object), self: own.self })
  expect(own.self).not.toBe(run)
  expect(effects).toEqual([6])
  expect(entriesOf(kernel, 'spawn').at(-1)).toMatchObject({ run: own.self, pid: 1, fork: { run } })
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})

test('another policy decides from there on', async () => {
  const { dir, run, outcomeOf } = await recorded(source)
  const policy = policyOf([
    { id: 'all', effect: 'permit', action: '*' },
    { id: 'no-tools', effect: 'forbid', action: 'tool.call' },
  ])
  const effects: number[] = []
  const kernel = forked(dir, { run, seq: outcomeOf('tool.call').seq }, { policy, tools: doubling(effects) })
  expect(await endOf(kernel)).toMatchObject({ status: 'failed', error: { code: 'EPERM' } })
  expect(effects).toEqual([])
})

test('another reply leads elsewhere', async () => {
  const { dir, run, outcomeOf } = await recorded(source)
  const { seq } = outcomeOf('tool.call')
  const effects: number[] = []
  const kernel = forked(dir, { run, seq, replies: { [seq]: 50 } }, { tools: doubling(effects) })
  expect(exitValue(await endOf(kernel))).toMatchObject({ one: 50, two: 100, file: 'first then 100' })
  expect(effects).toEqual([50])
  expect(entriesOf(kernel, 'edit')).toMatchObject([{ outcome: seq }])
  expect(() => forked(dir, { run, seq, replies: { 1: 5 } })).toThrow(/ends no call/)
})

test('another program goes on where it did the same, and its divergence is told where it did not', async () => {
  const { dir, run, outcomeOf } = await recorded(source)
  const { seq } = outcomeOf('tool.call')
  const tools = doubling([])
  const same = { source: source.replace("' then '", "' and then '") }
  const kernel = forked(dir, { run, seq, program: same }, { tools })
  expect(exitValue(await endOf(kernel))).toMatchObject({ file: 'first and then 12' })
  const other = { source: source.replace("'first'", "'another'") }
  const { status, reason } = await endOf(forked(dir, { run, seq, program: other }, { tools }))
  expect({ status, reason }).toMatchObject({
    status: 'failed',
    reason: expect.stringMatching(/did not do again what is on record: .*call 1: fs.write/),
  })
})

test('wherever it is forked, it comes to the same end', {
  timeout: 90_000,
}, async () => {
  const { dir, run, entries, value } = await recorded(busy)
  const first = entries.findIndex(({ kind }) => kind === 'spawn')
  const end = entries.findIndex(({ kind, pid }) => kind === 'exit' && pid === 1)
  for (let seq = first; seq < end; seq += 9) {
    const kernel = forked(dir, { run, seq, unsettled: 'retry' }, { tools: doubling([]) })
    expect(await endOf(kernel), `forked at ${seq}`).toMatchObject({ status: 'exited', value })
    expect(kernel.evidence.verify()).toMatchObject({ ok: true })
    await kernel.shutdown()
  }
})

test('a forked run replays byte-equal from its own record and that of its parent', async () => {
  const { dir, run, outcomeOf } = await recorded(source)
  const { seq } = outcomeOf('tool.call')
  const copy = left(dir)
  const kernel = boot({
    evidence: { dir: copy, fork: { run, seq, replies: { [seq]: 50 } } },
    tools: doubling([]),
  })
  exitValue(await endOf(kernel))
  const [proc] = entriesOf(kernel, 'rebuild')
  await kernel.shutdown()
  const replayed = await replayOf(copy, proc?.run ?? '')
  expect(replayed).toMatchObject({ verdict: 'equal', processes: [{ pid: 1, calls: 7 }] })
})

test('so does one that was forked while a call was on its way, whether that is made again or fails', async () => {
  const waiting = main(`
    await fs.write('/mem/x', '1')
    const got = await Promise.all([ipc.receive(), tools.double({ n: 2 }).catch((error) => error.code)])
    return [got[0].message, got[1]]`)
  const dir = tempFolder()
  const first = boot({
    evidence: { dir },
    tools: { double: { ...(doubling([]).double as object), execute: () => new Promise(() => {}) } as never },
  })
  const proc = first.spawn({ source: waiting }, { name: 'waiter' })
  await flying(first, 'tool.call')
  const { seq, run = '' } = entriesOf(first, 'intent', 'tool.call')[0] ?? { seq: 0 }
  expect(proc.pid).toBe(1)
  for (const [unsettled, expected] of [
    ['retry', 4],
    ['fail', 'EIO'],
  ] as const) {
    const copy = left(dir)
    const kernel = boot({ evidence: { dir: copy, fork: { run, seq, unsettled } }, tools: doubling([]) })
    await flying(kernel, 'ipc.receive')
    await ask(kernel, `await ipc.send('waiter', 'go')`)
    expect(exitValue(await endOf(kernel))).toEqual(['go', expected])
    const forkOf = entriesOf(kernel, 'rebuild')[0]?.run ?? ''
    await kernel.shutdown()
    expect(await replayOf(copy, forkOf)).toMatchObject({ verdict: 'equal' })
  }
})

test('what is not there is told: a run, or one that had ended by then', async () => {
  const { dir, run, entries } = await recorded(source)
  expect(() => forked(dir, { run: 'none', seq: 5 })).toThrow(/no process of run `none`/)
  expect(() => forked(dir, { run, seq: entries.length })).toThrow(/lives at entry/)
  expect(() => new KernelSpace({ evidence: { dir: tempFolder(), fork: { run, seq: 1 } } })).toThrow(
    /no process/,
  )
})
