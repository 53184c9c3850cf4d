import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { Counter, Deeds } from '../../src/policy/deeds.ts'
import { type Deed, type HistoryQuery, readQuery } from '../../src/policy/history.ts'
import { Room } from '../../src/policy/room.ts'

const sends = (window?: string): HistoryQuery =>
  readQuery('count', 'run', window === undefined ? ['tool.call', 'send_*'] : ['tool.call', 'send_*', window])
const deed = (at: number, resource = 'send_mail', agent = 'desk'): Deed => ({
  agent,
  action: 'tool.call',
  resource,
  at,
})

/** The same from a plain list of all that was done. */
const isSend = ({ action, resource }: Deed): boolean => action === 'tool.call' && resource.startsWith('send_')
const within = ({ at }: Deed, now: number, windowMs = Number.POSITIVE_INFINITY): boolean =>
  at > now - windowMs

const steps = fc.array(
  fc.record({
    later: fc.integer({ min: 0, max: 40 }),
    agent: fc.constantFrom('desk', 'clerk', 'boss'),
    deed: fc.constantFrom(
      ['tool.call', 'send_mail'],
      ['tool.call', 'send_'],
      ['tool.call', 'read'],
      ['fs.read', '/send_x'],
    ),
  }),
  { maxLength: 60 },
)

test('counters say what a plain list of all deeds says, also for questions that come later', () => {
  fc.assert(
    fc.property(steps, fc.nat({ max: 60 }), fc.integer({ min: 1, max: 200 }), (done, asked, windowMs) => {
      const queries = [undefined, windowMs].map((window) => {
        const words = window === undefined ? [] : [`${window}ms`]
        return {
          window,
          count: readQuery('count', 'run', ['tool.call', 'send_*', ...words]),
          agents: readQuery('agents', 'run', ['tool.call', 'send_*', ...words]),
        }
      })
      const deeds = new Deeds()
      const all: Deed[] = []
      let now = 0
      for (const [
        index,
        {
          later,
          agent,
          deed: [action, resource],
        },
      ] of done.entries()) {
        now += later
        if (index >= asked)
          for (const { window, count, agents } of queries) {
            const counted = all.filter((each) => isSend(each) && within(each, now, window))
            expect(deeds.counter(count, now).count(now)).toBe(counted.length)
            const names = new Set(counted.map((each) => each.agent))
            expect(new Set(deeds.counter(agents, now).agents(now))).toEqual(names)
          }
        const each = { agent, action, resource, at: now } as Deed
        deeds.note(each)
        all.push(each)
      }
    }),
  )
})

describe('what is not known for sure is not said', () => {
  const fill = (deeds: Deeds, count: number): void => {
    for (let each = 0; each < count; each += 1) deeds.note(deed(each, 'read'))
  }

  test('a question that comes when more was done than is kept whole', () => {
    const deeds = new Deeds()
    fill(deeds, limits.historyFirstMax)
    expect(deeds.counter(sends(), 500).count(500)).toBe(0)
    const late = new Deeds()
    fill(late, limits.historyFirstMax + 1)
    expect(() => late.counter(sends(), 500).count(500)).toThrow('before this policy was in force')
  })

  test('which knows all of a window once it is as old as that', () => {
    const deeds = new Deeds()
    fill(deeds, limits.historyFirstMax + 1)
    const counter = deeds.counter(sends('100ms'), 1000)
    deeds.note(deed(1050))
    expect(() => counter.count(1099)).toThrow('before this policy was in force')
    expect(counter.count(1100)).toBe(1)
  })

  test('more in a window than has room, until it is over', () => {
    const counter = new Counter(sends('100ms'), new Room(2_000))
    for (let each = 0; each < limits.historyTimesMax; each += 1) counter.add('desk', 0)
    expect(counter.count(50)).toBe(limits.historyTimesMax)
    counter.add('desk', 10)
    expect(() => counter.count(50)).toThrow('more often than can be kept')
    expect(counter.count(100)).toBe(1)
  })

  test('more agents than have room', () => {
    const counter = new Counter(readQuery('agents', 'run', ['tool.call', '*', '100ms']), new Room(2_000))
    for (let each = 0; each < limits.historyAgentsMax; each += 1) counter.add(`a${each}`, 0)
    expect(counter.agents(50)).toHaveLength(limits.historyAgentsMax)
    counter.add('one more', 50)
    expect(() => counter.agents(60)).toThrow('more agents did it')
    counter.add('later', 120)
    expect(() => counter.agents(120)).toThrow('more agents did it')
    expect(counter.agents(150)).toEqual(['later'])
  })

  test('what all questions of a run together have no room for', () => {
    const room = new Room(5)
    const one = new Counter(sends('100ms'), room)
    const other = new Counter(sends('100ms'), room)
    const names = new Counter(readQuery('agents', 'run', ['tool.call', '*', '100ms']), room)
    for (let at = 0; at < 5; at += 1) one.add('desk', at)
    expect(one.count(10)).toBe(5)
    other.add('desk', 5)
    names.add('desk', 5)
    expect(() => other.count(10)).toThrow('more often')
    expect(() => names.agents(10)).toThrow('more agents')
    expect(other.count(105)).toBe(0)
    for (const counter of [one, other, names]) counter.add('desk', 200)
    expect([one.count(201), other.count(201), names.agents(201)]).toEqual([1, 1, ['desk']])
  })

  test('more questions than are counted for', () => {
    const deeds = new Deeds()
    const ask = (index: number): unknown =>
      deeds.counter(readQuery('count', 'run', ['tool.call', `t${index}`]), 0)
    for (let index = 0; index < limits.historyQueriesMax; index += 1) ask(index)
    expect(ask(0)).toBeInstanceOf(Counter)
    expect(() => ask(limits.historyQueriesMax)).toThrow('questions about its history')
  })
})
