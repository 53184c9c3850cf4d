import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actionPatterns, type actions, expandAction, isAction } from '../../src/policy/actions.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { compileMatcher, compileName, readResource } from '../../src/policy/match.ts'
import {
  type Effect,
  effects,
  type PolicyDocument,
  type Request,
  type RuleDocument,
} from '../../src/policy/types.ts'
import { documentOf, request, setOf } from './support.ts'

const permitAll: RuleDocument = { id: 'all', effect: 'permit', action: '*' }
const forbidMail: RuleDocument = { id: 'no-mail', effect: 'forbid', action: 'tool.call', resource: 'send_*' }
const askTools: RuleDocument = { id: 'ask', effect: 'ask', action: 'tool.call' }

describe('one policy', () => {
  test('silence forbids, and says what would have been permitted', () => {
    const set = setOf(
      documentOf([{ id: 'a', effect: 'permit', action: 'fs.read', resource: ['/mem/**', '/tmp/**'] }]),
    )
    expect(set.decide(request('fs.read', '/workspace/x'))).toEqual({
      effect: 'forbid',
      rules: [],
      addresses: [],
      reason: 'no rule permits it; `test` permits fs.read on `/mem/**`, `/tmp/**`',
    })
    expect(set.decide(request('fs.write', '/mem/x')).reason).toBe(
      'no rule permits it; `test` permits `desk` no fs.write',
    )
  })

  test('no rules at all forbid everything', () => {
    expect(setOf(documentOf([])).decide(request('fs.read', '/mem/x')).effect).toBe('forbid')
  })

  test('an action that nobody knows is forbidden, also by a permit for all', () => {
    const set = setOf(documentOf([permitAll]))
    for (const action of ['fs.format', 'fs.move', '*', 'fs.*', '', 'constructor', '__proto__'])
      expect(set.decide(request(action, '/a')).effect).toBe('forbid')
  })

  test('forbid beats permit, and the reason names rule, policy and line', () => {
    const set = setOf(documentOf([permitAll, forbidMail, askTools]))
    const decision = set.decide(request('tool.call', 'send_email'))
    expect(decision.effect).toBe('forbid')
    expect(decision.rules.map(({ policy, id }) => [policy, id])).toEqual([['test', 'no-mail']])
    expect(decision.reason).toMatch(/^forbidden by rule `no-mail` \(test:\d+\)$/)
  })

  test('ask beats permit', () => {
    const decision = setOf(documentOf([askTools, permitAll])).decide(request('tool.call', 'search'))
    expect(decision.effect).toBe('ask')
    expect(decision.reason).toMatch(/^a person has to approve it, by rule `ask` \(test:\d+\)$/)
  })

  test('what asks has terms of its own, and those of the permits beside it hold too', () => {
    const web = { action: 'net.fetch', resource: 'http://*/**' } as const
    const limit = { calls: 3, per: '1m' } as const
    const rules: RuleDocument[] = [
      { id: 'free', effect: 'permit', ...web, rateLimit: limit, addresses: ['private'] },
      { id: 'person', effect: 'ask', ...web, once: true, addresses: ['loopback'] },
      { id: 'idle', effect: 'permit', ...web, when: 'false', once: true },
    ]
    const decision = setOf(documentOf(rules)).decide(request('net.fetch', 'http://localhost/'))
    expect(decision).toMatchObject({
      ...{ effect: 'ask', rules: [{ id: 'person' }], addresses: ['loopback', 'private'] },
      obligations: [
        { rule: { id: 'person' }, once: true },
        { rule: { id: 'free' }, rateLimit: { calls: 3 } },
      ],
    })
    const other = documentOf([{ id: 'web', effect: 'permit', ...web, addresses: ['loopback'] }], {
      name: 'b',
    })
    expect(setOf(documentOf(rules), other).decide(request('net.fetch', 'http://localhost/'))).toMatchObject({
      effect: 'ask',
      addresses: ['loopback'],
    })
  })

  test('a forbid has no terms, whatever asks beside it', () => {
    const set = setOf(
      documentOf([
        { id: 'person', effect: 'ask', action: 'tool.call', once: true },
        { id: 'no', effect: 'forbid', action: 'tool.call' },
      ]),
    )
    expect(set.decide(request('tool.call', 'search'))).not.toHaveProperty('obligations')
  })

  test('every rule that decides is named', () => {
    const twice = { ...permitAll, id: 'again' }
    const decision = setOf(documentOf([permitAll, twice])).decide(request('tool.call', 'search'))
    expect(decision.rules.map(({ id }) => id)).toEqual(['all', 'again'])
    expect(decision.reason).toMatch(/^permitted by rule `all` \(test:\d+\) and 1 more$/)
  })

  test('a rule for a principal is for nobody else', () => {
    const set = setOf(documentOf([{ ...permitAll, principal: ['research*', 'desk-2'] }]))
    expect(set.decide(request('fs.read', '/a')).effect).toBe('forbid')
    expect(set.decide(request('fs.read', '/a', { principal: 'Researcher' })).effect).toBe('forbid')
    expect(set.decide(request('fs.read', '/a', { principal: 'researcher' })).effect).toBe('permit')
  })

  test('an isolation weaker than the floor is refused whatever the rules say', () => {
    const set = setOf(documentOf([permitAll], { isolation: 'inline' }))
    expect(set.decide(request('fs.read', '/a', { isolation: 'cell' })).effect).toBe('permit')
    expect(set.decide(request('fs.read', '/a', { isolation: 'inline' })).effect).toBe('permit')
    expect(set.decide(request('fs.read', '/a', { isolation: 'host' }))).toMatchObject({
      effect: 'forbid',
      reason: '`test` accepts isolation `inline` or stronger, and this process has `host`',
    })
  })

  test('address classes come from the permits that match, and only with a permit', () => {
    const set = setOf(
      documentOf([
        { id: 'web', effect: 'permit', action: 'net.fetch' },
        {
          id: 'dev',
          effect: 'permit',
          action: 'net.fetch',
          resource: 'http://localhost:*/**',
          addresses: ['loopback'],
        },
        { id: 'lan', effect: 'permit', action: 'net.fetch', resource: 'http://*/**', addresses: ['private'] },
        { id: 'no', effect: 'forbid', action: 'net.fetch', resource: 'http://localhost/**' },
      ]),
    )
    expect(set.decide(request('net.fetch', 'https://example.org/')).addresses).toEqual([])
    expect(set.decide(request('net.fetch', 'http://localhost:8080/')).addresses).toEqual(['loopback'])
    expect(set.decide(request('net.fetch', 'http://example.org/')).addresses).toEqual(['private'])
    expect(set.decide(request('net.fetch', 'http://localhost/')).addresses).toEqual([])
  })
})

describe('several policies', () => {
  test('all of them have to permit', () => {
    const narrow = documentOf([{ id: 'a', effect: 'permit', action: 'fs.read' }], { name: 'narrow' })
    const set = setOf(documentOf([permitAll]), narrow)
    expect(set.name).toBe('test + narrow')
    expect(set.decide(request('fs.read', '/a')).effect).toBe('permit')
    expect(set.decide(request('fs.write', '/a'))).toMatchObject({
      effect: 'forbid',
      rules: [],
      reason: 'no rule permits it; `narrow` permits `desk` no fs.write',
    })
  })

  test('budgets are the least, isolation the strongest floor, addresses what all name', () => {
    const dev = (addresses: RuleDocument['addresses']): RuleDocument => ({
      id: 'dev',
      effect: 'permit',
      action: 'net.fetch',
      ...(addresses && { addresses }),
    })
    const set = setOf(
      documentOf([dev(['loopback', 'private'])], { budget: { wall: '30m', cost: 2 } }),
      documentOf([dev(['linkLocal', 'private'])], {
        name: 'b',
        isolation: 'cell',
        budget: { wall: '3s', depth: 1 },
      }),
    )
    expect(set.budget).toEqual({ wallMs: 3_000, costUsd: 2, depth: 1 })
    expect(set.isolation).toBe('cell')
    expect(set.decide(request('net.fetch', 'http://10.0.0.1/')).addresses).toEqual(['private'])
  })

  test('two that share a name are refused, since a decision could not say which', () => {
    expect(() => setOf(documentOf([]), documentOf([permitAll]))).toThrow(
      'two policies that apply together are called `test`',
    )
  })

  test('none at all is refused', () => {
    expect(() => compilePolicies([], 'hash')).toThrow('no policy is given')
  })
})

describe('a policy that observes', () => {
  const watching = documentOf([forbidMail], {
    name: 'watch',
    mode: 'observe',
    isolation: 'cell',
    budget: { wall: '1s' },
  })

  test('refuses nothing, and says what it would have refused', () => {
    const set = setOf(documentOf([permitAll]), watching)
    expect(set.mode).toBe('enforce')
    expect(set.decide(request('tool.call', 'send_email'))).toMatchObject({
      effect: 'permit',
      observed: { effect: 'forbid', rules: [{ policy: 'watch', id: 'no-mail' }] },
    })
  })

  test('relaxes nothing that another enforces', () => {
    const lax = documentOf([permitAll], { name: 'lax', mode: 'observe' })
    const decision = setOf(documentOf([forbidMail]), lax).decide(request('tool.call', 'send_email'))
    expect(decision.effect).toBe('forbid')
    expect(decision).not.toHaveProperty('observed')
  })

  test('sets no budget and no floor', () => {
    const set = setOf(documentOf([permitAll]), watching)
    expect(set).toMatchObject({ budget: {}, isolation: 'host' })
  })

  test('alone is named as what it is: nothing is enforced, addresses stay closed', () => {
    const open = documentOf([{ id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] }], {
      mode: 'observe',
    })
    const set = setOf(open)
    expect(set.mode).toBe('observe')
    expect(set.decide(request('net.fetch', 'http://127.0.0.1/'))).toEqual({
      effect: 'permit',
      rules: [],
      addresses: [],
      reason: 'nothing is enforced: `test` only observes',
    })
    expect(set.decide(request('fs.read', '/mem/../x')).effect).toBe('forbid')
  })
})

const principals = ['desk', 'reader']
const paths = ['/mem/**', '/mem/*', '/mem/a', '/**', '/tmp/**/x']
const urls = ['https://*.example.org/**', 'https://*/a/*', 'https://a.example.org/**']
const names = ['*', 'send_*', 'search']

const resourcesFor = (pattern: string): readonly string[] => {
  if (pattern.startsWith('fs.')) return paths
  return pattern.startsWith('net.') ? urls : names
}

/** Conditions, and what each is; undefined where it cannot be judged. */
const conditions: Readonly<Record<string, (asked: Request) => boolean | undefined>> = {
  true: () => true,
  '"secret" in labels': ({ labels }) => labels?.includes('secret'),
  'principal == "desk"': ({ principal }) => principal === 'desk',
  'labels[0] == "secret"': ({ labels = [] }) => (labels.length === 0 ? undefined : labels[0] === 'secret'),
}

const ruleFor = (pattern: string): fc.Arbitrary<Omit<RuleDocument, 'id'>> => {
  const resource = fc.uniqueArray(fc.constantFrom(...resourcesFor(pattern)), { minLength: 1, maxLength: 2 })
  return fc.record(
    {
      effect: fc.constantFrom(...effects),
      action: fc.constant(pattern),
      principal: fc.constantFrom('*', 'desk', 'read*'),
      when: fc.constantFrom(...Object.keys(conditions)),
      ...(pattern !== '*' && { resource }),
    },
    { requiredKeys: ['effect', 'action'] },
  )
}

const someRules = fc
  .array(fc.constantFrom(...actionPatterns).chain(ruleFor), { maxLength: 12 })
  .map((rules): readonly RuleDocument[] => rules.map((rule, index) => ({ ...rule, id: `r${index}` })))

const someRequest: fc.Arbitrary<Request> = fc
  .record({
    principal: fc.constantFrom(...principals),
    action: fc.constantFrom<keyof typeof actions>(
      'fs.read',
      'fs.write',
      'net.fetch',
      'tool.call',
      'ipc.send',
    ),
    path: fc.constantFrom('/mem/a', '/mem/a/x', '/tmp/q/x', '/workspace', '/'),
    url: fc.constantFrom(
      'https://a.example.org/a/b',
      'https://example.org/a',
      'https://x.org/a/b',
      'https://a.example.org//a/b',
      'https://x.org/a%2Fb',
    ),
    name: fc.constantFrom('send_email', 'search', 'other'),
    labels: fc.constantFrom<readonly string[]>([], ['secret'], ['web', 'secret']),
  })
  .map(({ principal, action, path, url, name, labels }) =>
    request(action, action.startsWith('fs.') ? path : action === 'net.fetch' ? url : name, {
      principal,
      labels,
    }),
  )

/** The rule of the design, written down as plainly as can be. */
function reference({ rules }: PolicyDocument, asked: Request): string {
  const { principal, action, resource } = asked
  if (!isAction(action)) return 'forbid'
  const readings = readResource(action, resource)
  if (typeof readings === 'string') return 'forbid'
  const list = (value: string | readonly string[]): readonly string[] =>
    typeof value === 'string' ? [value] : value
  const kind = readings[0]?.kind ?? 'name'
  const applies = (rule: RuleDocument): boolean => {
    if (!list(rule.action).some((pattern) => expandAction(pattern).includes(action))) return false
    if (rule.principal !== undefined && !list(rule.principal).some((it) => compileName(it)(principal)))
      return false
    const patterns = rule.resource === undefined ? undefined : list(rule.resource)
    const hits = readings.map(
      (it) =>
        patterns === undefined ||
        patterns.some((each) => compileMatcher(kind, each).mismatch(it) === undefined),
    )
    return rule.effect === 'permit' ? !hits.includes(false) : hits.includes(true)
  }
  const said = rules.filter(applies).map(({ effect, when = 'true' }) => {
    const holds = conditions[when]?.(asked)
    return holds === undefined ? 'forbid' : holds ? effect : undefined
  })
  const found = new Set(said)
  return found.has('forbid') ? 'forbid' : found.has('ask') ? 'ask' : found.has('permit') ? 'permit' : 'forbid'
}

const strictness = (effect: Effect): number => effects.indexOf(effect)

describe('for any rules and any request', () => {
  test('the index decides as the plain rule does', () => {
    fc.assert(
      fc.property(someRules, someRequest, (rules, asked) => {
        const document = documentOf(rules)
        expect(setOf(document).decide(asked).effect).toBe(reference(document, asked))
      }),
      { numRuns: 1_000 },
    )
  })

  test('the order of rules never matters', () => {
    const shuffled = someRules.chain((rules) =>
      fc.tuple(
        fc.constant(rules),
        fc.shuffledSubarray([...rules], { minLength: rules.length, maxLength: rules.length }),
      ),
    )
    fc.assert(
      fc.property(shuffled, someRequest, ([rules, others], asked) => {
        const a = setOf(documentOf(rules)).decide(asked)
        const b = setOf(documentOf(others)).decide(asked)
        expect(b.effect).toBe(a.effect)
        expect(new Set(b.rules.map(({ id }) => id))).toEqual(new Set(a.rules.map(({ id }) => id)))
        expect(b.reason.includes('cannot be judged')).toBe(a.reason.includes('cannot be judged'))
      }),
      { numRuns: 500 },
    )
  })

  test('a forbid more never permits more', () => {
    const forbid = fc.constantFrom(...actionPatterns).chain(ruleFor)
    fc.assert(
      fc.property(someRules, forbid, someRequest, (rules, rule, asked) => {
        const before = setOf(documentOf(rules)).decide(asked)
        const after = setOf(documentOf([...rules, { ...rule, id: 'more', effect: 'forbid' }])).decide(asked)
        expect(strictness(after.effect)).toBeGreaterThanOrEqual(strictness(before.effect))
      }),
      { numRuns: 500 },
    )
  })

  test('a policy more, enforcing or observing, never permits more', () => {
    const mode = fc.constantFrom('enforce', 'observe')
    fc.assert(
      fc.property(someRules, someRules, mode, someRequest, (rules, others, own, asked) => {
        const alone = setOf(documentOf(rules)).decide(asked)
        const more = documentOf(others, { name: 'more', mode: own === 'observe' ? 'observe' : 'enforce' })
        const both = setOf(documentOf(rules), more).decide(asked)
        expect(strictness(both.effect)).toBeGreaterThanOrEqual(strictness(alone.effect))
      }),
      { numRuns: 500 },
    )
  })

  test('whatever text is asked about, there is a decision', () => {
    const set = setOf(documentOf([permitAll]))
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, fc.constantFrom('fs.read', 'net.fetch', 'tool.call'), (resource, action) => {
        expect(effects).toContain(set.decide(request(action, resource)).effect)
      }),
    )
  })
})
