import { expect, test } from 'vitest'
import { explain } from '../../src/policy/explain.ts'
import { documentOf, request, setOf } from './support.ts'

const desk = documentOf(
  [
    { id: 'web', effect: 'permit', action: 'net.fetch', resource: 'https://*.wikipedia.org/**' },
    {
      id: 'docs',
      effect: 'permit',
      action: 'net.fetch',
      resource: 'https://docs.example/**',
      principal: 'reader',
    },
    { id: 'tools', effect: 'permit', action: 'tool.call' },
    { id: 'ask', effect: 'ask', action: 'tool.call', resource: 'send_*' },
    { id: 'no-mail', effect: 'forbid', action: 'tool.call', resource: 'send_email' },
  ],
  { name: 'desk' },
)

test('where silence forbids, the nearest rules say what keeps them from permitting', () => {
  const { decision, policies } = explain(
    setOf(desk),
    request('net.fetch', 'https://evil.example/#.wikipedia.org/'),
  )
  expect(decision.effect).toBe('forbid')
  expect(policies[0]).toMatchObject({ name: 'desk', effect: 'forbid', matching: [] })
  expect(policies[0]?.nearest.map(({ id, why }) => [id, why])).toEqual([
    ['web', 'the host is not that of `https://*.wikipedia.org/**`'],
    ['docs', 'it is for `reader`, not for `desk`, and the host is not that of `https://docs.example/**`'],
  ])
})

test.each([
  ['http://en.wikipedia.org/', 'the scheme'],
  ['https://en.wikipedia.org:8443/', 'the port'],
])('of a URL, the part that does not fit is named: %s', (url, part) => {
  const [policy] = explain(setOf(desk), request('net.fetch', url)).policies
  expect(policy?.nearest.find(({ id }) => id === 'web')?.why).toBe(
    `${part} is not that of \`https://*.wikipedia.org/**\``,
  )
})

test('a rule for somebody else comes before rules for something else', () => {
  const [policy] = explain(setOf(desk), request('net.fetch', 'https://docs.example/a')).policies
  expect(policy?.nearest[0]).toMatchObject({ id: 'docs', why: 'it is for `reader`, not for `desk`' })
})

test('every matching rule is shown, strictest first, with which one decided and why not the others', () => {
  const [policy] = explain(setOf(desk), request('tool.call', 'send_email')).policies
  expect(policy?.matching.map(({ id, decided, why }) => [id, decided, why])).toEqual([
    ['no-mail', true, 'no stricter rule matches'],
    ['ask', false, 'forbid beats ask'],
    ['tools', false, 'forbid beats permit'],
  ])
  expect(policy?.nearest).toEqual([])
})

test('a second reading of a URL is named as the reason', () => {
  const set = setOf(
    documentOf([
      { id: 'public', effect: 'permit', action: 'net.fetch', resource: 'https://a.example/public/*' },
    ]),
  )
  const [policy] = explain(set, request('net.fetch', 'https://a.example/public/..%2Fadmin')).policies
  expect(policy?.nearest[0]?.why).toBe(
    'the path is not that of `https://a.example/public/*`, read as a lenient server would',
  )
})

test('isolation that is too weak is named as the reason', () => {
  const set = setOf({ ...desk, isolation: 'cell' })
  const [policy] = explain(set, request('tool.call', 'search', { isolation: 'host' })).policies
  expect(policy?.matching[0]).toMatchObject({
    id: 'tools',
    decided: false,
    why: '`desk` accepts isolation `cell` or stronger, and this process has `host`',
  })
})

test('each policy of a set is explained, observing ones too', () => {
  const watch = documentOf([], { name: 'watch', mode: 'observe' })
  const { policies } = explain(setOf(desk, watch), request('tool.call', 'search'))
  expect(policies.map(({ name, mode, effect }) => [name, mode, effect])).toEqual([
    ['desk', 'enforce', 'permit'],
    ['watch', 'observe', 'forbid'],
  ])
})

test('what no policy can judge is explained by the decision alone', () => {
  const explanation = explain(setOf(desk), request('fs.move', '/a'))
  expect(explanation).toMatchObject({
    decision: { reason: 'no policy knows the action `fs.move`' },
    policies: [],
  })
})
