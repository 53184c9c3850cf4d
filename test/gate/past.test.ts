import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { Past } from '../../src/gate/past.ts'
import { limits } from '../../src/limits.ts'
import { type HistoryQuery, readQuery } from '../../src/policy/history.ts'

const sends = (scope: 'agent' | 'everyone', window: string): HistoryQuery =>
  readQuery(scope === 'agent' ? 'count' : 'agents', scope, ['tool.call', 'send', window])

/** A record of three sends, 1,000 ms apart, with something else at first; its clock goes on where `at` says. */
function record() {
  let now = 1_000
  const clock = { ...systemClock, now: () => now }
  const store = new MemoryStore()
  const log = EvidenceLog.open({ store, clock, durability: 'process' })
  const decision = { effect: 'permit', policy: 'p', rules: [] } as const
  log.append({ kind: 'open' })
  for (const agent of ['desk', 'clerk', 'desk']) {
    now += 1_000
    log.append({ kind: 'intent', agent, syscall: 'tool.call', resource: 'send', decision } as never)
  }
  log.commit()
  return { clock, log, lines: [...store.lines('log')], at: (time: number) => (now = time) }
}

/** The end of a record, as a kernel finds it whose newest bytes do not reach back further. */
function endOf(lines: readonly string[], clock: typeof systemClock): EvidenceLog {
  const store = new MemoryStore()
  for (const line of lines) store.append('log', line)
  store.commit()
  return EvidenceLog.open({ store, clock, durability: 'process' })
}

test('what is on record is counted, each deed at its time', () => {
  const { clock, log, at } = record()
  const past = new Past(clock, log)
  const [hour, second] = [sends('agent', '1h'), sends('agent', '1500ms')]
  past.remember([hour, second, sends('everyone', '1500ms')])
  expect([past.count(hour, 'desk'), past.count(second, 'desk'), past.count(hour, 'boss')]).toEqual([2, 1, 0])
  expect(past.agents(sends('everyone', '1500ms')).toSorted()).toEqual(['clerk', 'desk'])
  at(4_900)
  expect(past.agents(sends('everyone', '1500ms'))).toEqual(['desk'])
  past.note('desk', 'tool.call', 'send')
  past.note('desk', 'tool.call', 'other')
  expect(past.count(hour, 'desk')).toBe(3)
})

test('what the record does not go back to is not known, and is once the window is past it', () => {
  const { clock, lines, at } = record()
  const past = new Past(clock, endOf(lines.slice(2), clock))
  const query = sends('agent', '1500ms')
  past.remember([query, sends('agent', '1h')])
  expect(() => past.count(query, 'desk')).toThrow('before this policy was in force')
  at(4_500)
  expect(past.count(query, 'desk')).toBe(1)
  expect(() => past.count(sends('agent', '1h'), 'desk')).toThrow('before this policy was in force')
  expect(() => past.count(sends('agent', '1h'), 'nobody')).toThrow('before this policy was in force')
  at(3_000 + 3_600_000)
  expect(past.count(sends('agent', '1h'), 'desk')).toBe(1)
})

test('nor is what stands before a line that nobody can read', () => {
  const { clock, lines } = record()
  const broken = [...lines.slice(0, 3), '{"kind":"intent" torn', ...lines.slice(3)]
  const past = new Past(clock, endOf(broken, clock))
  const query = sends('agent', '1500ms')
  past.remember([query])
  expect(() => past.count(query, 'desk')).toThrow('before this policy was in force')
})

test('nobody is counted for policies of guests, and nobody without room', () => {
  const { clock, log } = record()
  const past = new Past(clock, log)
  const query = sends('agent', '1h')
  expect(() => past.count(query, 'desk')).toThrow('not for those of agents for their children')
  past.remember([query])
  for (let each = 0; each < limits.historyNamesMax; each += 1) past.note(`a${each}`, 'tool.call', 'send')
  expect(past.count(query, 'desk')).toBe(2)
  expect(() => past.count(query, 'newcomer')).toThrow('more agents did it')
})
