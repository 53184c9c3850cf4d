import { expect, test } from 'vitest'
import { lint } from '../../src/policy/lint.ts'
import type { RuleDocument } from '../../src/policy/types.ts'
import { documentOf, setOf } from './support.ts'

const rule = (id: string, more: Partial<RuleDocument>): RuleDocument => ({
  id,
  effect: 'permit',
  action: 'fs.read',
  resource: '/mem/**',
  ...more,
})
const found = (...rules: readonly RuleDocument[]): readonly string[] =>
  lint(setOf(documentOf(rules))).findings.map(
    ({ rule: { id }, kind, message }) => `${id} ${kind}: ${message}`,
  )

test('a policy in which every rule has its effect and no pattern is broad is clean', () => {
  expect(
    found(
      rule('a', {}),
      rule('b', { effect: 'forbid', resource: '/mem/secret/**' }),
      rule('c', { effect: 'ask', resource: '/mem/*.pem' }),
      rule('d', { action: 'net.fetch', resource: 'https://*.example.org/**' }),
      rule('e', { action: 'tool.call', resource: ['send_*', 'look_up'] }),
    ),
  ).toEqual([])
})

test('rules that look at what a call holds leave nothing untried', () => {
  const rules = [rule('a', {}), rule('b', { effect: 'forbid', contains: ['card'], when: '"x" in labels' })]
  expect(lint(setOf(documentOf(rules)))).toEqual({ findings: [], complete: true })
})

test.each<readonly [what: string, rules: readonly RuleDocument[], findings: readonly string[]]>([
  [
    'a permit that is always forbidden',
    [
      rule('a', { resource: '/mem/x/*' }),
      rule('no', { effect: 'forbid', action: 'fs.*', resource: '/mem/**' }),
    ],
    ['a never-decides: wherever it matches, `no` is stricter and decides'],
  ],
  [
    'one that several rules forbid together',
    [
      rule('a', { resource: ['/mem/x', '/mem/y'] }),
      rule('x', { effect: 'forbid', resource: '/mem/x' }),
      rule('y', { effect: 'ask', resource: '/mem/y' }),
    ],
    ['a never-decides: wherever it matches, `x`, `y` is stricter and decides'],
  ],
  [
    'not one that is forbidden under a condition',
    [rule('a', {}), rule('no', { effect: 'forbid', when: '"x" in labels' })],
    [],
  ],
  [
    'not one that is forbidden to another',
    [rule('a', {}), rule('no', { effect: 'forbid', principal: 'desk' })],
    [],
  ],
  [
    'a rule that another makes needless',
    [rule('a', {}), rule('b', { resource: '/mem/x/**' })],
    ['b adds-nothing: `a` says the same wherever it matches'],
  ],
  [
    'of two that say the same, the later one',
    [rule('a', {}), rule('b', {})],
    ['b adds-nothing: `a` says the same wherever it matches'],
  ],
  [
    'not one that adds a class of addresses',
    [
      rule('a', { action: 'net.fetch', resource: 'http://localhost/**' }),
      rule('b', { action: 'net.fetch', resource: 'http://localhost/x', addresses: ['loopback'] }),
    ],
    [],
  ],
  ['not one that is limited', [rule('a', {}), rule('b', { once: true })], []],
  [
    'everything',
    [{ id: 'a', effect: 'permit', action: '*' }],
    ['a broad: it permits every action on everything'],
  ],
  [
    'every tool',
    [{ id: 'a', effect: 'permit', action: 'tool.call' }],
    ['a broad: it permits every tool, also those that are registered later; name them in `resource`'],
  ],
  [
    'a top-level domain',
    [
      rule('a', {
        action: 'net.fetch',
        resource: ['https://*.com/**', 'https://*.co.uk/**', 'https://*.a.com/**'],
      }),
    ],
    [
      "a broad: `https://*.com/**` is every site that ends in `.com`, also another's",
      "a broad: `https://*.co.uk/**` is every site that ends in `.co.uk`, also another's",
    ],
  ],
  [
    'a beginning that is taken for a folder',
    [rule('a', { resource: '/mem*' })],
    ['a broad: `/mem*` is every name that begins so, and nothing below; write `/mem/**` for a folder'],
  ],
  [
    'a beginning that is taken for a name',
    [rule('a', { action: 'tool.call', resource: 'send*' })],
    ['a broad: `send*` takes in every name that begins so, such as `sendx`'],
  ],
  ['not a forbid, which cannot be too broad', [rule('a', { effect: 'forbid', resource: '/mem*' })], []],
])('%s', (_what, rules, findings) => {
  expect(found(...rules)).toEqual(findings)
})
