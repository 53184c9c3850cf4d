/** An auditor finds an effect that a rule asked about and nobody approved, or that used an approval twice. */
import { expect, test } from 'vitest'
import type { EntryBody } from '../../src/evidence/entry.ts'
import { findSyscall, syscallNames } from '../../src/syscalls.ts'
import { inMemory } from './support.ts'

const call = { run: 'r', pid: 1, agent: 'a', isolation: 'cell', call: 3, syscall: 'tool.call', resource: 't' }
const decision = { effect: 'ask', policy: 'p', rules: [] }
const args = { hash: 'h', bytes: 2 }
const ask: EntryBody = { kind: 'ask', ...call, id: 'x', decision, args, labels: [], expires: 1e15 }
const answer = (how: string, more: object = {}): EntryBody => ({
  ...{ kind: 'answer', run: 'r', pid: 1, ask: 0, id: 'x', answer: how, by: 'Anna' },
  ...more,
})
const intent = (more: object = {}): EntryBody => ({
  ...{ kind: 'intent', ...call, decision, args: { ...args, hash: 'i' }, ask: 0 },
  ...more,
})

function problems(...bodies: EntryBody[]): readonly string[] {
  const log = inMemory()
  for (const body of bodies) log.append(body)
  return log.verify().problems.map(({ entry, kind }) => `${entry} ${kind}`)
}

test('what was approved is no problem, once', () => {
  expect(problems(ask, answer('approved'), intent())).toEqual([])
  expect(problems(ask, answer('approved'), intent(), intent())).toEqual(['3 effect-without-permit'])
})

test.each<[string, EntryBody[]]>([
  ['denied', [ask, answer('denied'), intent()]],
  ['expired', [ask, answer('expired'), intent()]],
  ['cancelled', [ask, answer('cancelled'), intent()]],
  ['approved with other arguments', [ask, answer('approved', { args: { hash: 'h', bytes: 1 } }), intent()]],
  ['approved for another process', [ask, answer('approved'), intent({ pid: 2 })]],
  ['approved for another call', [ask, answer('approved'), intent({ call: 4 })]],
  ['approved for another resource', [ask, answer('approved'), intent({ resource: 'u' })]],
  ['approved for longer arguments', [ask, answer('approved'), intent({ args: { hash: 'i', bytes: 3 } })]],
  ['approved too late', [{ ...ask, expires: 1 }, answer('approved'), intent()]],
  ['approved without its labels', [ask, answer('approved'), intent({ labels: ['untrusted'] })]],
  [
    'approved under other rules',
    [ask, answer('approved'), intent({ decision: { ...decision, policy: 'q' } })],
  ],
])('an effect that was %s is one', (_, bodies) => {
  expect(problems(...bodies)).toEqual(['2 effect-without-permit'])
})

test('so is one that nobody was asked about, or that does not say', () => {
  expect(problems(intent())).toEqual(['0 effect-without-permit'])
  expect(problems(ask, intent())).toEqual(['1 effect-without-permit'])
  expect(problems(ask, answer('approved'), { kind: 'intent', ...call, decision })).toEqual([
    '2 effect-without-permit',
  ])
})

test('an answer to what was not asked, or a second one, is one', () => {
  expect(problems(answer('denied'))).toEqual(['0 answer-without-ask'])
  expect(problems(ask, answer('approved'), answer('denied'))).toEqual(['2 answer-without-ask'])
  expect(problems(ask, answer('expired'), answer('approved'), intent())).toEqual([
    '2 answer-without-ask',
    '3 effect-without-permit',
  ])
})

test('a value that no outcome released is one; what a person releases is of no call', () => {
  const permitted = intent({ decision: { effect: 'permit', policy: 'p', rules: [] }, ask: undefined })
  const outcome = (more: object = {}): EntryBody => ({
    ...{ kind: 'outcome', run: 'r', pid: 1, intent: 0, status: 'committed' },
    ...more,
  })
  const released = (more: object = {}): EntryBody => ({
    ...{
      kind: 'declassify',
      run: 'r',
      pid: 1,
      by: 'tool t',
      reason: 'x',
      labels: ['untrusted'],
      value: args,
    },
    ...more,
  })
  expect(problems(permitted, outcome({ released: ['untrusted'] }), released({ intent: 0 }))).toEqual([])
  expect(problems(permitted, outcome(), released({ intent: 0 }))).toEqual(['2 release-without-outcome'])
  expect(problems(released({ intent: 7 }))).toEqual(['0 release-without-outcome'])
  expect(problems(released())).toEqual([])
})

test('every syscall that a policy judges needs a permit', () => {
  const judged = syscallNames.filter((name) => findSyscall(name).judge !== undefined)
  expect(judged).toContain('proc.extract')
  for (const syscall of judged)
    expect(problems(intent({ syscall, decision: { effect: 'unjudged' } })), syscall).toEqual([
      '0 effect-without-permit',
    ])
})
