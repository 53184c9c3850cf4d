import { expect, test } from 'vitest'
import { RecentEntries } from '../../src/evidence/recent.ts'
import { limits } from '../../src/limits.ts'
import { inMemory } from './support.ts'

test('a process sees nothing of another, nor of one that had its pid in an earlier run', () => {
  const log = inMemory()
  log.append({ kind: 'state', run: 'r1', pid: 1, to: 'old' })
  log.append({ kind: 'state', run: 'r2', pid: 2, to: 'other' })
  log.append({ kind: 'open' })
  expect(log.recent('r2', 1)).toEqual([])
  log.append({ kind: 'state', run: 'r2', pid: 1, to: 'own' })
  expect(log.recent('r2', 1).map((line) => JSON.parse(line))).toEqual([...log.entries({ run: 'r2', pid: 1 })])
})

test('the newest are kept, and none when it is asked to forget', () => {
  const log = inMemory()
  for (let n = 0; n < limits.auditEntriesMax + 3; n += 1) log.append({ kind: 'state', run: 'r', pid: 1, n })
  const kept = log.recent('r', 1).map((line) => JSON.parse(line).n)
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([limits.auditEntriesMax, 3, limits.auditEntriesMax + 2])
  log.forget('r', 1)
  expect(log.recent('r', 1)).toEqual([])
  expect([...log.entries({ pid: 1 })]).toHaveLength(limits.auditEntriesMax + 3)
})

test('in all they are bounded: the process longest silent goes first, then its own oldest', () => {
  const recent = new RecentEntries()
  const line = 'x'.repeat(limits.auditBytesMax / 4)
  for (const pid of [1, 2, 3, 4]) recent.add('r', pid, line)
  recent.add('r', 1, 'small')
  expect([1, 2, 3, 4].map((pid) => recent.of('r', pid).length)).toEqual([2, 0, 1, 1])
  for (const pid of [3, 4]) recent.forget('r', pid)
  for (const n of [1, 2, 3, 4]) recent.add('r', 1, `${n}${line.slice(1)}`)
  expect(recent.of('r', 1).map((it) => it[0])).toEqual(['1', '2', '3', '4'])
})
