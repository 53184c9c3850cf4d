/** Rules that look for data: where they apply, and when anybody looks. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { Content } from '../../src/policy/content.ts'
import { diff } from '../../src/policy/diff.ts'
import { explain } from '../../src/policy/explain.ts'
import { lint } from '../../src/policy/lint.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Effect, PolicySet, RuleDocument } from '../../src/policy/types.ts'
import { documentOf, request, setOf } from './support.ts'

const card = '4111 1111 1111 1111'
const all: RuleDocument = { id: 'all', effect: 'permit', action: '*' }
const looking = (effect: Effect, more: Partial<RuleDocument> = {}): RuleDocument => ({
  id: 'looks',
  effect,
  action: 'tool.call',
  contains: ['card', 'iban'],
  ...more,
})
const ask = (set: PolicySet, content?: Content) =>
  set.decide(request('tool.call', 'pay', { ...(content !== undefined && { content }) }))

const unscannable = [
  ['too large', Content.of('x'.repeat(limits.scanMax))],
  ['with NUL', Content.of(`a\0${card}`)],
  ['of which nobody has told', undefined],
] as const

describe('a rule that looks for data', () => {
  test.each([
    ['forbid', card, 'forbid'],
    ['forbid', 'GB29NWBK60161331926819', 'forbid'],
    ['forbid', 'nothing', 'permit'],
    ['ask', card, 'ask'],
    ['ask', 'nothing', 'permit'],
  ] as const)('that %ss, of a call with `%s`: %s', (effect, text, expected) => {
    expect(ask(setOf(documentOf([all, looking(effect)])), Content.of({ a: [text] })).effect).toBe(expected)
  })

  test('that permits applies only where there is some', () => {
    const set = setOf(documentOf([looking('permit')]))
    expect(ask(set, Content.of(card)).effect).toBe('permit')
    expect(ask(set, Content.of('none'))).toMatchObject({
      effect: 'forbid',
      reason:
        'no rule permits it; rule `looks` (test:1) permits it only where the call holds data of the kind card, iban',
    })
  })

  test.each(unscannable)('of a call %s: forbids and asks apply, permits do not', (_what, content) => {
    expect(ask(setOf(documentOf([all, looking('forbid')])), content)).toMatchObject({
      effect: 'forbid',
      rules: [{ id: 'looks' }],
      sensitive: ['card', 'iban'],
    })
    expect(ask(setOf(documentOf([all, looking('ask')])), content).effect).toBe('ask')
    expect(ask(setOf(documentOf([looking('permit')])), content).effect).toBe('forbid')
  })

  test('has a condition too, and applies where both hold', () => {
    const set = setOf(documentOf([all, looking('forbid', { when: '"untrusted" in labels' })]))
    const decide = (labels: readonly string[], text: string) =>
      set.decide(request('tool.call', 'pay', { labels, content: Content.of(text) })).effect
    expect(decide(['untrusted'], card)).toBe('forbid')
    expect(decide([], card)).toBe('permit')
    expect(decide(['untrusted'], 'none')).toBe('permit')
  })

  test('says so in its refusal, which names what is not to be kept', () => {
    const set = setOf(documentOf([all, looking('forbid', { contains: ['card'] })]))
    const decision = ask(set, Content.of(card))
    expect(decision.reason).toMatch(
      /^forbidden by rule `looks` .*, since it holds, or may hold, data of the kind card$/,
    )
    expect(decision.sensitive).toEqual(['card'])
    expect(ask(set, Content.of('none'))).not.toHaveProperty('sensitive')
  })
})

describe('nobody looks', () => {
  const never = new Content(() => {
    throw new Error('somebody has looked')
  })

  test.each([
    ['where no rule looks for data', [all]],
    ['where the rule is about another action', [all, looking('forbid', { action: 'net.fetch' })]],
    ['where it is about another resource', [all, looking('forbid', { resource: 'send_*' })]],
    ['where it is for another agent', [all, looking('forbid', { principal: 'other' })]],
    ['where its condition does not hold', [all, looking('forbid', { when: '"x" in labels' })]],
    [
      'for a permit where the call is forbidden anyway',
      [{ ...all, effect: 'forbid' as const }, looking('permit')],
    ],
  ])('%s', (_what, rules) => {
    expect(() => ask(setOf(documentOf(rules)), never)).not.toThrow()
  })

  test('twice: the rules of all policies share one look', () => {
    let looks = 0
    const content = new Content(() => {
      looks += 1
      return card
    })
    const set = setOf(
      documentOf([all, looking('ask'), looking('ask', { id: 'again' })], { name: 'a' }),
      documentOf([all, looking('forbid')], { name: 'b' }),
    )
    for (let again = 0; again < 3; again += 1) expect(ask(set, content).effect).toBe('forbid')
    expect(looks).toBe(1)
  })
})

describe('what it is made of', () => {
  const refusals: readonly (readonly [what: string, more: object, message: RegExp])[] = [
    ['an unknown kind', { contains: ['crad'] }, /did you mean `card`/],
    ['an empty list', { contains: [] }, /`contains` is an empty list/],
    ['a kind twice', { contains: ['card', 'card'] }, /names the same thing twice/],
    ['a text', { contains: 'card' }, /`contains` is `card`; it has to be a list/],
    ['an unknown kind to take out', { redact: ['emial'] }, /did you mean `email`/],
    ['a word for `log` that is none', { log: 'none' }, /`log` is `none`/],
    [
      '`redact` on a forbid',
      { effect: 'forbid', redact: ['card'] },
      /`redact` belongs to rules that permit or ask/,
    ],
    ['`log` on a forbid', { effect: 'forbid', log: 'digest' }, /`log` belongs to rules that permit or ask/],
    [
      '`once` on a rule that forbids',
      { effect: 'forbid', once: true },
      /`once` belongs to rules that permit or ask, /,
    ],
  ]
  test.each(refusals)('not %s', (_what, more, message) => {
    const text = JSON.stringify(documentOf([{ ...all, ...more } as RuleDocument]))
    expect(() => parsePolicy(text, 'test')).toThrow(message)
  })

  test.each(['permit', 'ask'] as const)('`redact` and `log` on rules that %s', (effect) => {
    const text = JSON.stringify(documentOf([{ ...all, effect, redact: ['card'], log: 'digest' }]))
    expect(parsePolicy(text, 'test').rules[0]?.demands).toEqual({ redact: ['card'], log: 'digest' })
  })
})

describe('the tools for authors', () => {
  test('lint does not take a permit for idle because a rule that looks for data is stricter', () => {
    const set = setOf(documentOf([{ ...all, action: 'tool.call', resource: 'pay' }, looking('forbid')]))
    expect(lint(set).findings).toEqual([])
  })

  test('diff shows a call that holds what is let through, and says that data is only sampled', () => {
    const before = setOf(documentOf([all, looking('forbid')]))
    const { differences, sampled } = diff(before, setOf(documentOf([all])))
    expect(differences.map(({ request }) => request.content?.sample)).toEqual([card])
    expect(sampled).toContain('the data that tool.call holds')
  })

  test('diff says what is no longer taken out, and what is kept now', () => {
    const whats = (more: Partial<RuleDocument>): readonly string[] =>
      diff(setOf(documentOf([{ ...all, ...more }])), setOf(documentOf([all]))).differences.map(
        ({ what }) => what,
      )
    expect(new Set(whats({ redact: ['card', 'email'] }))).toEqual(
      new Set(['shows data of the kind card, email, which was taken out']),
    )
    expect(new Set(whats({ log: 'digest' }))).toEqual(new Set(['is recorded in full']))
    expect(new Set(whats({ once: true, redact: ['card'] }))).toEqual(
      new Set(['is permitted as often as it is asked', 'shows data of the kind card, which was taken out']),
    )
  })

  test('explain says that a rule found nothing', () => {
    const set = setOf(documentOf([all, looking('forbid')]))
    const [policy] = explain(set, request('tool.call', 'pay', { content: Content.of('x') })).policies
    expect(policy?.matching.map(({ id, why }) => [id, why])).toEqual([
      ['looks', 'the call holds no data of the kind card, iban'],
      ['all', 'no stricter rule matches'],
    ])
  })

  test('a folder is not taken as a whole where a rule looks for data, or takes it out', () => {
    const below = (rule: Partial<RuleDocument>): boolean =>
      setOf(documentOf([{ ...all, ...rule }])).permitsBelow('desk', ['fs.read'], '/tmp')
    expect(below({})).toBe(true)
    expect(below({ log: 'digest' })).toBe(true)
    expect(below({ redact: ['card'] })).toBe(false)
    expect(below({ contains: ['card'] })).toBe(false)
  })
})

describe('a policy that extends `*`', () => {
  const narrowing = documentOf([looking('forbid'), { ...all, redact: ['card'] }], {
    name: 'narrow',
    extends: '*',
  })

  test('narrows whatever stands beside it, and permits nothing by itself', () => {
    const base = documentOf([{ ...all, action: 'fs.read' }], { name: 'base' })
    const set = setOf(base, narrowing)
    expect(set.decide(request('fs.write', '/tmp/a')).effect).toBe('forbid')
    expect(set.decide(request('fs.read', '/tmp/a'))).toMatchObject({
      effect: 'permit',
      obligations: [{ redact: ['card'] }],
    })
    expect(ask(setOf(documentOf([all], { name: 'base' }), narrowing), Content.of(card)).effect).toBe('forbid')
  })

  test('is nothing alone, or beside what only observes', () => {
    const message =
      'policy `narrow` narrows what stands beside it, and nothing that is enforced does; name both in a list, such as [developer, narrow]'
    expect(() => setOf(narrowing)).toThrow(expect.objectContaining({ message }))
    const watching = documentOf([all], { name: 'watch', mode: 'observe' })
    expect(() => setOf(watching, narrowing)).toThrow(expect.objectContaining({ message }))
  })

  test.each([
    ['a permit that demands nothing', { id: 'p', effect: 'permit', action: 'fs.read' }],
    ['one that only looks', { id: 'p', effect: 'permit', action: 'fs.read', contains: ['card'] }],
    [
      'one that opens addresses',
      { id: 'p', effect: 'permit', action: 'net.fetch', redact: ['card'], addresses: ['private'] },
    ],
  ] as const)('does not load with %s', (_what, rule) => {
    const text = JSON.stringify(documentOf([rule as RuleDocument], { extends: '*' }))
    expect(() => parsePolicy(text, 'test')).toThrow(/only narrows it/)
  })
})
