/** What the condition of a rule does to a decision. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { explain } from '../../src/policy/explain.ts'
import type { RuleDocument } from '../../src/policy/types.ts'
import { documentOf, request, setOf } from './support.ts'

const rule = (
  effect: RuleDocument['effect'],
  when: string,
  more: Partial<RuleDocument> = {},
): RuleDocument => ({
  id: effect,
  effect,
  action: 'fs.read',
  when,
  ...more,
})
const read = (args = {}) => request('fs.read', '/mem/a', { args: { path: '/mem/a', ...args }, labels: [] })
const all: RuleDocument = { id: 'all', effect: 'permit', action: 'fs.read' }

describe('a condition that does not hold', () => {
  test('keeps a permit from permitting, and the refusal says so', () => {
    const set = setOf(documentOf([rule('permit', 'args.path == "/other"')]))
    expect(set.decide(read())).toMatchObject({
      effect: 'forbid',
      rules: [],
      reason:
        'no rule permits it; the condition of rule `permit` (test:1) does not hold: `args.path == "/other"`',
    })
  })

  test('keeps a forbid and an ask from applying', () => {
    const set = setOf(documentOf([all, rule('forbid', 'false'), rule('ask', 'false')]))
    expect(set.decide(read())).toMatchObject({ effect: 'permit', rules: [{ id: 'all' }] })
  })
})

describe('a condition that holds', () => {
  test.each(['permit', 'ask', 'forbid'] as const)('lets a %s apply', (effect) => {
    expect(setOf(documentOf([rule(effect, 'args.path.startsWith("/mem")')])).decide(read())).toMatchObject({
      effect,
      rules: [{ id: effect }],
    })
  })
})

describe('a condition that cannot be judged refuses the call', () => {
  const reason = 'the condition of rule `%` (test:1) cannot be judged: no such key: offset'

  test.each(['permit', 'ask', 'forbid'] as const)('also of a %s beside a permit', (effect) => {
    const set = setOf(documentOf([all, rule(effect, 'args.offset > 5')]))
    expect(set.decide(read())).toMatchObject({
      effect: 'forbid',
      rules: [{ id: effect }],
      reason: reason.replace('%', effect),
    })
    expect(set.decide(read({ offset: 9 })).effect).toBe(effect === 'permit' ? 'permit' : effect)
  })

  test('only where its rule matches', () => {
    const set = setOf(documentOf([all, rule('forbid', 'args.offset > 5', { resource: '/tmp/**' })]))
    expect(set.decide(read()).effect).toBe('permit')
  })

  test('is for the record of an observing policy only what it would have refused', () => {
    const watch = documentOf([rule('permit', 'args.offset > 5')], { name: 'watch', mode: 'observe' })
    const decision = setOf(documentOf([all]), watch).decide(read())
    expect(decision.effect).toBe('permit')
    expect(decision.observed).toMatchObject({
      effect: 'forbid',
      reason: 'the condition of rule `permit` (watch:1) cannot be judged: no such key: offset',
    })
  })

  test('steals no steps from the policy that decides', () => {
    const hungry = (name: string) => ({
      ...rule('forbid', 'args.a.exists(x, args.a.exists(y, x == y + "z"))'),
      action: 'tool.call',
      id: name,
    })
    const args = { a: Array.from({ length: 999 }, (_, index) => `n${index}`) }
    const asked = request('tool.call', 't', { args, argumentType: { fields: { a: { list: 'string' } } } })
    const permit: RuleDocument = { id: 'p', effect: 'permit', action: 'tool.call', when: 'has(args.a)' }
    const watch = documentOf([hungry('watch')], { name: 'watch', mode: 'observe' })
    expect(setOf(watch, documentOf([permit])).decide(asked).effect).toBe('permit')
    expect(setOf(documentOf([permit, hungry('own')])).decide(asked)).toMatchObject({
      effect: 'forbid',
      reason: expect.stringContaining(`more than ${limits.conditionStepsMax} steps`),
    })
  })
})

test('a rule for several actions is judged with the arguments of each', () => {
  const set = setOf(documentOf([rule('permit', 'args.path == "/a" && !("x" in labels)', { action: 'fs.*' })]))
  for (const action of ['fs.read', 'fs.list', 'fs.remove']) {
    const asked = request(action, '/a', { args: { path: '/a' }, labels: [] })
    expect(set.decide(asked).effect).toBe('permit')
    expect(set.decide({ ...asked, labels: ['x'] }).effect).toBe('forbid')
  }
})

test('a tool whose schema does not have what a condition names is refused, even by `has`', () => {
  const set = setOf(
    documentOf([
      { ...all, action: 'tool.call' },
      rule('forbid', 'has(args.recipiant)', { action: 'tool.call' }),
    ]),
  )
  const asked = request('tool.call', 'send', { args: { recipient: 'a' } })
  expect(set.decide({ ...asked, argumentType: { fields: { recipient: 'string' } } })).toMatchObject({
    effect: 'forbid',
    reason:
      'the condition of rule `forbid` (test:1) cannot be judged: unknown key `recipiant`; did you mean `recipient`?',
  })
})

test('an explanation says which condition does not hold, and which cannot be judged', () => {
  const set = setOf(documentOf([rule('permit', 'args.path == "/b"'), rule('ask', 'args.length > 1')]))
  const [policy] = explain(set, read()).policies
  expect(policy?.matching).toMatchObject([
    {
      id: 'ask',
      decided: true,
      why: 'the condition of rule `ask` (test:1) cannot be judged: no such key: length',
    },
    { id: 'permit', decided: false, why: 'its condition does not hold: `args.path == "/b"`' },
  ])
})
