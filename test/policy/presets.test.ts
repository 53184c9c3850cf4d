import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { listPresets, loadPolicy } from '../../src/config/policy.ts'
import { effects, isolations } from '../../src/policy/types.ts'
import { request } from './support.ts'

const folder = new URL('../../policies/', import.meta.url)

const Cases = z.strictObject({
  policy: z.string(),
  cases: z
    .array(
      z.strictObject({
        principal: z.string(),
        action: z.string(),
        resource: z.string(),
        isolation: z.enum(isolations).default('cell'),
        effect: z.enum(effects),
        /** The rule that decides; none where silence forbids or nothing is enforced. */
        rule: z.string().optional(),
        /** What the observed rules would have said, where that is not permit. */
        observed: z.enum(effects).optional(),
        addresses: z.array(z.string()).optional(),
      }),
    )
    .min(12),
})

test('the presets are these', () => {
  expect(listPresets()).toEqual(['audit', 'permissive', 'read-only', 'researcher', 'strict'])
})

describe.each(listPresets())('%s', (name) => {
  const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8')
  const { policy, cases } = Cases.parse(parse(readFileSync(new URL(`cases/${name}.yaml`, folder), 'utf8')))
  const set = loadPolicy(name)

  test('opens with whom it is for, and is called as its file', () => {
    expect(text).toMatch(/^# For /)
    expect(set.policies[0]?.document.for).toBeTruthy()
    expect([set.name, policy]).toEqual([name, name])
  })

  test('states its refusals first', () => {
    const firstPermit = cases.findIndex(
      ({ effect, observed }) => effect === 'permit' && observed === undefined,
    )
    expect(cases.slice(firstPermit).every(({ effect, observed }) => effect === 'permit' && !observed)).toBe(
      true,
    )
  })

  test.each(cases)('$principal: $action $resource in $isolation is $effect', (each) => {
    const { principal, action, resource, isolation, effect, rule, observed, addresses } = each
    const decision = set.decide(request(action, resource, { principal, isolation }))
    expect(decision.effect).toBe(effect)
    expect(decision.rules.map(({ id }) => id)).toEqual(rule === undefined ? [] : [rule])
    expect(decision.observed?.effect).toBe(observed)
    if (addresses !== undefined) expect(decision.addresses).toEqual(addresses)
  })

  test('every rule decides a case', () => {
    const used = new Set(cases.map(({ rule }) => rule))
    const rules = set.mode === 'observe' ? [] : (set.policies[0]?.rules ?? [])
    expect(rules.map(({ id }) => id).filter((id) => !used.has(id))).toEqual([])
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
