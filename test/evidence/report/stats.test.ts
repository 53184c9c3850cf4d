import { expect, test } from 'vitest'
import type { Entry } from '../../../src/evidence/entry.ts'
import { StatsCounter } from '../../../src/evidence/report/stats.ts'
import { limits } from '../../../src/limits.ts'
import { entryOf, recordRuns } from './support.ts'

const { entries, runs } = await recordRuns()

function statsOf(of: Iterable<Entry>) {
  const counter = new StatsCounter()
  for (const entry of of) counter.add(entry)
  return counter.result()
}

test('a record is counted by kind, call, end, refusal and answer', () => {
  const stats = statsOf(entries)
  expect(stats).toMatchObject({
    ...{ entries: entries.length, kernels: 1, runs: 2, processes: 3 },
    ended: { exited: 2, failed: 1 },
    calls: {
      'fs.read': { permit: 1, ask: 0, unjudged: 0, forbid: 1, refused: 0 },
      'tool.call': { permit: 1, ask: 1, unjudged: 0, forbid: 1, refused: 0 },
    },
    answers: { approved: 1, denied: 1 },
    refusals: { 'test:mail': 1, 'test:no-vault': 1 },
    span: { first: entries[0]?.time, last: entries.at(-1)?.time },
  })
  expect(Object.values(stats.kinds).reduce((sum, count) => sum + count, 0)).toBe(entries.length)
  expect(stats.outcomes.committed).toBe(stats.kinds.outcome)
})

test('what children use is charged to the first process of the run, and counted once', () => {
  const { costs } = statsOf(entries)
  const roots = runs.map((run) => entryOf(entries, 'exit', { run, pid: run === runs[0] ? 1 : 3 }))
  const calls = roots.map(({ usage }) => (usage as { syscalls: number }).syscalls)
  expect(costs.syscalls).toBe(calls.reduce((sum, count) => sum + count, 0))
})

test('a call without an end is unsettled, and a process without one runs', () => {
  const cut = entries.slice(0, entries.indexOf(entryOf(entries, 'intent')) + 1)
  expect(statsOf(cut)).toMatchObject({ outcomes: { unsettled: 1 }, ended: { running: 1 } })
})

test('names that agents make up are counted together once there are too many', () => {
  const many = limits.reportNamesMax + 50
  const refused = Array.from(
    { length: many },
    (_, index) =>
      ({
        v: 1,
        seq: index,
        prev: '',
        time: index,
        kind: 'refusal',
        syscall: `x${index}`,
        code: 'ENOSYS',
      }) as Entry,
  )
  const { calls, refusals } = statsOf(refused)
  expect(Object.keys(calls)).toHaveLength(limits.reportNamesMax + 1)
  expect(calls['(others)']?.refused).toBe(50)
  expect(refusals).toEqual({ ENOSYS: many })
})
