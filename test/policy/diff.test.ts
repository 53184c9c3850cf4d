import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diff } from '../../src/policy/diff.ts'
import { type Effect, effects, type PolicyDocument, type RuleDocument } from '../../src/policy/types.ts'
import { documentOf, request, setOf } from './support.ts'

const rule = (more: Partial<RuleDocument>): RuleDocument => ({
  id: 'r',
  effect: 'permit',
  action: 'fs.read',
  ...more,
})
const between = (
  before: readonly RuleDocument[],
  after: readonly RuleDocument[],
  more: Partial<PolicyDocument> = {},
) => diff(setOf(documentOf(before)), setOf(documentOf(after, more)))
const shown = ({ differences }: ReturnType<typeof diff>): readonly string[] =>
  differences.map(
    ({ direction, request: { action, resource, principal }, what }) =>
      `${direction === 'wider' ? '+' : '-'} ${action} ${resource} ${principal}: ${what}`,
  )

describe('what is wider, and what is narrower, has a witness', () => {
  test.each<readonly [what: string, before: RuleDocument[], after: RuleDocument[], witness: string[]]>([
    [
      'a folder',
      [rule({ resource: '/mem/*' })],
      [rule({ resource: '/mem/**' })],
      ['+ fs.read /mem x: is permitted, and was forbidden'],
    ],
    [
      'less',
      [rule({ resource: '/mem/**' })],
      [rule({ resource: ['/mem/*', '/mem/a/b'] })],
      ['- fs.read /mem x: is forbidden, and was permitted'],
    ],
    ['nothing', [rule({ resource: '/mem/**' })], [rule({ id: 'other', resource: '/mem/**' })], []],
    [
      'a question where nothing was to be had',
      [],
      [rule({ action: 'tool.call', effect: 'ask', resource: 'send_email' })],
      ['+ tool.call send_email x: is asked, and was forbidden'],
    ],
    [
      'a question more',
      [rule({ action: 'tool.call', resource: 'send_email' })],
      [rule({ action: 'tool.call', effect: 'ask', resource: 'send_email' })],
      ['- tool.call send_email x: is asked, and was permitted'],
    ],
    [
      'a question that is put no more, and a refusal in its place',
      [rule({ action: 'tool.call', effect: 'ask', resource: ['a', 'b'] })],
      [rule({ action: 'tool.call', resource: 'a' })],
      ['+ tool.call a x: is permitted, and was asked', '- tool.call b x: is forbidden, and was asked'],
    ],
    [
      'a hole in a forbid',
      [rule({}), rule({ id: 'no', effect: 'forbid', resource: '/**/*.pem' })],
      [rule({}), rule({ id: 'no', effect: 'forbid', resource: '/*/*.pem' })],
      ['+ fs.read /.pem x: is permitted, and was forbidden'],
    ],
    [
      'a question less',
      [rule({ action: 'tool.call', effect: 'ask', resource: 'send_*' })],
      [rule({ action: 'tool.call', resource: 'send_email' })],
      [
        '+ tool.call send_email x: is permitted, and was asked',
        '- tool.call send_ x: is forbidden, and was asked',
      ],
    ],
    [
      'an agent',
      [rule({ principal: 'desk' })],
      [rule({ principal: ['desk', 'reader*'] })],
      ['+ fs.read / reader: is permitted, and was forbidden'],
    ],
    [
      'a site',
      [rule({ action: 'net.fetch', resource: 'https://*.a.org/x/**' })],
      [rule({ action: 'net.fetch', resource: 'https://*.a.org:*/x/**' })],
      ['+ net.fetch https://other.a.org:4321/x x: is permitted, and was forbidden'],
    ],
    [
      'a class of addresses',
      [rule({ action: 'net.fetch', resource: 'http://localhost/**' })],
      [rule({ action: 'net.fetch', resource: 'http://localhost/**', addresses: ['loopback'] })],
      ['+ net.fetch http://localhost/ x: may lead to loopback addresses'],
    ],
    [
      'how often',
      [rule({ action: 'tool.call', once: true })],
      [rule({ action: 'tool.call' })],
      ['+ tool.call x x: is permitted as often as it is asked'],
    ],
    [
      'how often in a time',
      [rule({ action: 'tool.call', rateLimit: { calls: 3, per: '1m' } })],
      [rule({ action: 'tool.call', rateLimit: { calls: 4, per: '1m' } })],
      ['+ tool.call x x: may be done more often'],
    ],
    [
      'how often, the other way',
      [rule({ action: 'tool.call', rateLimit: { calls: 3, per: '1m' } })],
      [rule({ action: 'tool.call', once: true })],
      ['- tool.call x x: may be done less often'],
    ],
    [
      'a label that is lost',
      [rule({ action: 'tool.call', label: ['untrusted'] })],
      [rule({ action: 'tool.call', label: ['other'] })],
      [
        '+ tool.call x x: comes back without the label untrusted',
        '- tool.call x x: comes back with the label other',
      ],
    ],
  ])('%s', (_what, before, after, witness) => {
    const found = between(before, after)
    expect(shown(found)).toEqual(witness)
    expect(found.sampled).toEqual([])
  })

  test('limits that are wider are named', () => {
    const before = setOf(
      documentOf([], { budget: { wall: '1s', syscalls: 5 }, isolation: 'cell', cell: 'own' }),
    )
    const after = setOf(documentOf([], { budget: { wall: '2s', syscalls: 4 } }))
    expect(diff(before, after).limits).toEqual([
      { direction: 'wider', what: 'the budget of wallMs is 2000, and was 1000' },
      { direction: 'wider', what: 'a cell is shared, and was a process’s own' },
      { direction: 'narrower', what: 'the budget of syscalls is 4, and was 5' },
    ])
    expect(diff(after, before).limits).toMatchObject([
      { direction: 'wider', what: 'the budget of syscalls is 5, and was 4' },
      { direction: 'narrower' },
      { direction: 'narrower', what: 'a cell is a process’s own, and was shared' },
    ])
    const watched = setOf(documentOf([], { signals: { SIGLOOP: 'stop' }, budget: { bits: 3 } }))
    expect(diff(setOf(documentOf([])), watched).limits).toEqual([
      { direction: 'wider', what: 'the budget of bits is 3, and was 0' },
      { direction: 'narrower', what: 'SIGLOOP does stop, and did record' },
    ])
  })

  test('a weaker isolation is a difference of its own', () => {
    const found = diff(setOf(documentOf([rule({})], { isolation: 'cell' })), setOf(documentOf([rule({})])))
    expect(found.differences.map(({ request: { isolation } }) => isolation)).toEqual(['inline', 'host'])
  })
})

test('conditions are tried with what they name, and that is said', () => {
  const bytes = (max: number): readonly RuleDocument[] => [
    rule({ action: 'fs.write', when: `args.bytes < ${max}` }),
  ]
  const found = between(bytes(10), bytes(20))
  expect(found.differences).toMatchObject([{ request: { action: 'fs.write', args: { bytes: 10 } } }])
  expect(found.sampled).toEqual(['the conditions on fs.write'])
  expect(between(bytes(20), bytes(10)).differences).toMatchObject([
    { direction: 'narrower', request: { action: 'fs.write' } },
  ])
  const labels = between([rule({ when: '!("web" in labels)' })], [rule({})])
  expect(labels.differences).toMatchObject([{ request: { labels: ['web'] } }])
})

test('conditions on origin and history are tried with each origin, and with each count', () => {
  const of = (...origins: readonly string[]) => [
    rule({ action: 'tool.call', when: `origin(args.to) in ${JSON.stringify(origins)}` }),
  ]
  const found = between(of('task'), of('task', 'untrusted')).differences
  expect(found).toMatchObject([{ request: { supposed: 'values are of origin untrusted' } }])
  expect(between(of('task', 'untrusted'), of('task')).differences).toMatchObject([{ direction: 'narrower' }])
  const calls = (max: number) => [
    rule({ action: 'tool.call', when: `history.run.count("tool.call", "*", "10m") < ${max}` }),
  ]
  expect(between(calls(3), calls(5)).differences).toMatchObject([
    { request: { supposed: 'the agent has done what is counted 3 times' } },
  ])
  expect(between(calls(5), calls(3)).differences).toMatchObject([{ direction: 'narrower' }])
  const apart = [rule({ effect: 'forbid', when: 'principal in history.run.agents("tool.call", "pay")' })]
  expect(
    between([rule({}), ...apart.map((it) => ({ ...it, id: 'apart' }))], [rule({})]).differences,
  ).toHaveLength(1)
})

test('a query is a sample', () => {
  const url = (query: string) => [rule({ action: 'net.fetch', resource: `https://a.org/s${query}` })]
  expect(between(url('?q=*'), url('')).sampled).toHaveLength(1)
})

/** The higher, the stricter. */
const rank = (effect: Effect): number => effects.indexOf(effect)

const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'c'), { maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)
const pattern = fc
  .array(fc.constantFrom('a', 'b', 'a*', '*', '**', '*b'), { maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`)
const rules = fc
  .array(
    fc.record({
      effect: fc.constantFrom('permit' as const, 'permit' as const, 'ask' as const, 'forbid' as const),
      resource: fc.uniqueArray(pattern, { minLength: 1, maxLength: 2 }),
      principal: fc.constantFrom('*', 'desk', 'd*'),
    }),
    { maxLength: 5 },
  )
  .map((each) => each.map((it, index) => rule({ ...it, id: `r${index}` })))

test('where any request is permitted more, a difference is found; and every difference is true', () => {
  fc.assert(
    fc.property(
      rules,
      rules,
      path,
      fc.constantFrom('desk', 'dog', 'cat'),
      (before, after, resource, principal) => {
        const [old, now] = [setOf(documentOf(before)), setOf(documentOf(after))]
        const { differences, sampled } = diff(old, now)
        expect(sampled).toEqual([])
        const asked = request('fs.read', resource, { principal })
        const change = rank(now.decide(asked).effect) - rank(old.decide(asked).effect)
        const isFound = (direction: string): boolean => differences.some((it) => it.direction === direction)
        if (change < 0) expect(isFound('wider')).toBe(true)
        if (change > 0) expect(isFound('narrower')).toBe(true)
        for (const { direction, request: witness } of differences) {
          const shift = rank(now.decide(witness).effect) - rank(old.decide(witness).effect)
          expect(Math.sign(shift)).toBe(direction === 'wider' ? -1 : 1)
        }
      },
    ),
    { numRuns: 500 },
  )
})
