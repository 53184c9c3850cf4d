import { describe, expect, test } from 'vitest'
import type { Action } from '../../src/policy/actions.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { historyOf } from '../../src/policy/deeds.ts'
import type { Deed } from '../../src/policy/history.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { conditionFlaws } from '../../src/policy/rule-condition.ts'
import type { Request } from '../../src/policy/types.ts'

const flaw = (when: string): string => {
  const [first] = conditionFlaws(when, ['tool.call'])
  return first === undefined ? 'sound' : `${first.offset} ${first.message}`
}

describe('a question about history is read when the policy loads', () => {
  test.each([
    'history.run.count("tool.call") > 2',
    'history.process.count("tool.call", "send_*") == 0',
    'history.run.count("net.fetch", "https://*.example.org/**", "10m") < 3',
    'history.run.count("fs.*", "/mem/**") < 3 && !(history.run.count("*") > 100)',
    'history.agent.count("tool.call", "*", "24h") < 3',
    'principal in history.everyone.agents("tool.call", "create_payment", "24h")',
    'history.run.agents("tool.call", "pay").exists(a, a != principal)',
    'history.run.agents("tool.call", "pay").size() > 1',
  ])('%s', (when) => {
    expect(flaw(when)).toBe('sound')
  })

  test.each([
    ['history.run.count("tool.cal", "x") > 1', '18 unknown action `tool.cal`; did you mean `tool.call`?'],
    ['history.run.count("fs.read", "mem") > 1', '29 `mem`'],
    ['history.run.count("tool.call", "a[b]") > 1', '31 `[`'],
    ['history.run.count("net.fetch", "evil.com") > 1', '31 `evil.com`'],
    ['history.run.count("*", "/a") > 1', '23 `*` acts on several kinds of resources'],
    ['history.run.count("tool.call", "x", "10") > 1', '36 `10` has no unit'],
    ['history.run.count("tool.call", "x", "0s") > 1', '36 `0s` is no time at all'],
    [
      'history.run.count("tool.call", resource) > 1',
      '31 what is counted has to be known when the policy loads',
    ],
    [
      'history.run.count("tool.call", "a" + "b") > 1',
      '31 what is counted has to be known when the policy loads',
    ],
    ['history.run.cuont("tool.call") > 1', '12 unknown function `cuont` of a history; did you mean `count`?'],
    [
      'history.rnu.count("tool.call") > 1',
      '0 `rnu` is nobody’s history; there are process, run, agent, everyone',
    ],
    ['history.agent.count("tool.call", "x") > 1', '0 what `agent` did is remembered for a time only'],
    ['history.agent.agents("tool.call", "x", "1h").size() > 1', '0 `agent` is one agent by itself'],
    ['history.run.count() > 1', '0 unknown action ``'],
    ['history.run.count("tool.call", "x", "1h", "y") > 1', '42 not sound CEL'],
    ['history.run.count("tool.call") == "3"', '0 not of the right type'],
    ['history.run.count("tool.call")', '0 the condition is of type `int`'],
    ['history == 3', '0 `history` is asked as in'],
    ['[history.run].exists(h, h.count("tool.call") > 1)', '1 `history` is asked as in'],
    ['labels.exists(history, history.run.count("tool.call") > 1)', '31 not of the right type'],
  ])('%s: %s', (when, why) => {
    expect(flaw(when)).toContain(why)
  })

  test('with line and column of what is wrong in it', () => {
    const text =
      'version: 1\nname: p\nrules:\n  - id: r\n    effect: permit\n    action: tool.call\n    when: history.run.count("tool.call", "a[b]") < 3\n'
    expect(() => parsePolicy(text, 'p.yaml')).toThrow('p.yaml:7:42: `[` in `a[b]` is no wildcard here')
  })
})

const deeds: readonly Deed[] = [
  { agent: 'desk', action: 'tool.call', resource: 'create_payment', at: 1_000 },
  { agent: 'clerk', action: 'net.fetch', resource: 'https://a.example.org/x', at: 5_000 },
  { agent: 'desk', action: 'fs.read', resource: '/mem/notes', at: 9_000 },
]
const asked: Request = {
  principal: 'desk',
  action: 'tool.call',
  resource: 'approve_payment',
  args: {},
  isolation: 'cell',
  history: historyOf(() => deeds, 10_000),
}

/** `permit`, or why not. */
function decides(when: string, request: Request = asked): string {
  const text = JSON.stringify({
    version: 1,
    name: 'p',
    rules: [{ id: 'r', effect: 'permit', action: 'tool.call', when }],
  })
  const { effect, reason } = compilePolicies([parsePolicy(text, 'p')], '').decide(request)
  return effect === 'permit' ? effect : reason
}

describe('a rule', () => {
  test.each([
    ['history.run.count("tool.call", "create_*") == 1', true],
    ['history.run.count("*") == 3', true],
    ['history.run.count("*", "*", "6s") == 2', true],
    ['history.run.count("net.fetch", "https://*.example.org/**", "5s") == 0', true],
    ['principal in history.run.agents("tool.call", "create_payment")', true],
    ['history.run.agents("net.fetch") == ["clerk"]', true],
    ['history.run.count("fs.*", "/state/**") > 0', false],
  ])('%s: %s', (when, holds) => {
    expect(decides(when) === 'permit').toBe(holds)
  })

  test('that asks what nobody tells forbids', () => {
    const { history: _, ...silent } = asked
    expect(decides('history.run.count("*") == 0', silent)).toMatch(
      /cannot be judged: what has been done before is not known here/,
    )
  })

  test('that asks what is not known for sure forbids, and says why', () => {
    const history = {
      count: () => {
        throw new Error('nobody counted')
      },
      agents: () => [],
    }
    expect(decides('history.run.count("*") < 5', { ...asked, history })).toMatch(
      /cannot be judged: nobody counted$/,
    )
  })
})

test('a policy says what it asks, each question once', () => {
  const rule = (id: string, action: Action, when: string) => ({ id, effect: 'permit', action, when })
  const text = JSON.stringify({
    version: 1,
    name: 'p',
    rules: [
      rule('a', 'tool.call', 'history.run.count("tool.call") < 3 && origin(args.to) == "task"'),
      rule(
        'b',
        'fs.read',
        'history.run.count("tool.call") < 3 || history.run.count("fs.read", "*", "1h") < 3',
      ),
      rule('c', 'fs.read', 'args.path == "origin"'),
    ],
  })
  const { needs } = compilePolicies([parsePolicy(text, 'p')], '')
  expect(needs.origins).toBe(true)
  expect(needs.history.map(({ key }) => key)).toEqual([
    '["count","run","tool.call"]',
    '["count","run","fs.read","*","1h"]',
  ])
})
