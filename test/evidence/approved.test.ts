/** An auditor finds an effect that a rule asked about and nobody approved, or that used an approval twice. */
import { expect, test } from 'vitest'
import type { EntryBody } from '../../src/evidence/entry.ts'
import { inMemory } from './support.ts'

const call = { run: 'r', pid: 1, agent: 'a', isolation: 'cell', call: 3, syscall: 'tool.call', resource: 't' }
const decision = { effect: 'ask', policy: 'p', rules: [] }
const ask: EntryBody = { kind: 'ask', ...call, id: 'x', decision }
const answer = (how: string, more: object = {}): EntryBody => ({
  ...{ kind: 'answer', run: 'r', pid: 1, ask: 0, id: 'x', answer: how, by: 'Anna' },
  ...more,
})
const intent = (more: object = {}): EntryBody => ({ kind: 'intent', ...call, decision, ask: 0, ...more })

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
