import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readCases } from '../../src/config/cases.ts'
import { listPresets, loadNarrowing, loadPolicy } from '../../src/config/policy.ts'
import { coverage, runCases } from '../../src/policy/cases.ts'
import { diff } from '../../src/policy/diff.ts'
import { lint } from '../../src/policy/lint.ts'
import { request } from './support.ts'

const folder = new URL('../../policies/', import.meta.url)

test('the presets are these', () => {
  expect(listPresets()).toEqual([
    'audit',
    'data-analyst',
    'developer',
    'no-pii',
    'no-secrets',
    'office-assistant',
    'owasp-agentic',
    'permissive',
    'read-only',
    'researcher',
    'strict',
    'support-desk',
    'team-chat',
  ])
})

describe.each(listPresets())('%s', (name) => {
  const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8')
  const file = readCases(fileURLToPath(new URL(`cases/${name}.yaml`, folder)))
  const { set, cases } = file

  test('opens with whom it is for, and is called as its file', () => {
    expect(text).toMatch(/^# For /)
    // What only narrows is tried beside another.
    const policy = set.policies.at(-1)
    expect(policy?.document.for).toBeTruthy()
    expect([policy?.name, cases.length >= 12]).toEqual([name, true])
  })

  test('states its refusals first', () => {
    const firstPermit = cases.findIndex(
      ({ effect, observed }) => effect === 'permit' && observed === undefined,
    )
    expect(cases.slice(firstPermit).every(({ effect, observed }) => effect === 'permit' && !observed)).toBe(
      true,
    )
  })

  test.each(
    cases.map((each) => [each.request.principal, each.request.action, each.request.resource, each] as const),
  )('%s: %s %s', (_principal, _action, _resource, each) => {
    expect(runCases(set, [each])[0]?.wrong).toEqual([])
  })

  test('every rule decides a case', () => {
    const rules = set.mode === 'observe' ? [] : coverage(set, runCases(set, cases))
    expect(rules.filter((rule) => rule.cases === 0)).toEqual([])
  })
})

test('audit observes the rules of strict, to the letter', () => {
  const [strict] = loadPolicy('strict').policies
  const [audit] = loadPolicy('audit').policies
  expect(audit?.document).toEqual({
    ...strict?.document,
    name: 'audit',
    for: audit?.document.for,
    mode: 'observe',
  })
})

describe.each(['no-pii', 'no-secrets', 'owasp-agentic'])('%s only narrows', (name) => {
  test('it is nothing alone', () => {
    expect(() => loadPolicy(name)).toThrow(/narrows what stands beside it, and nothing that is enforced does/)
  })

  test.each(['strict', 'researcher', 'developer', 'support-desk'])(
    'beside %s it permits nothing more',
    (base) => {
      const { differences, limits } = diff(loadPolicy(base), loadPolicy([base, name]))
      expect([...differences, ...limits].filter(({ direction }) => direction === 'wider')).toEqual([])
    },
  )
})

test('what only narrows is not called broad', () => {
  for (const name of ['no-pii', 'no-secrets', 'owasp-agentic'])
    expect(lint(loadNarrowing(name)).findings).toEqual([])
})

test('no preset has a rule without effect', () => {
  for (const name of listPresets())
    expect([name, lint(loadNarrowing(name)).findings.filter(({ kind }) => kind !== 'broad')]).toEqual([
      name,
      [],
    ])
})

/** Cases cannot say it: what no policy can judge is an error there. */
test.each([
  ['fs.format', '/'],
  ['fs.read', ''],
  ['fs.read', 'mem/a'],
  ['fs.read', '/mem/../policy'],
  ['fs.move', '/tmp/a'],
  ['net.fetch', 'gopher://example.org/'],
  ['net.fetch', 'file:///etc/passwd'],
  ['net.fetch', 'https://user:word@example.org/'],
  ['net.fetch', 'not a url'],
  ['tool.call', ''],
])('no preset permits what cannot be judged: %s `%s`', (action, resource) => {
  for (const name of ['strict', 'permissive', 'audit', 'developer']) {
    const { effect, rules } = loadPolicy(name).decide(request(action, resource))
    expect([name, effect, rules]).toEqual([name, 'forbid', []])
  }
})
