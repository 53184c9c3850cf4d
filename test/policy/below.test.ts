import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePath, matchesAllBelow, mayMatchBelow } from '../../src/policy/paths.ts'
import type { RuleDocument } from '../../src/policy/types.ts'
import { documentOf, setOf } from './support.ts'

const all: RuleDocument = { id: 'all', effect: 'permit', action: 'fs.*', resource: '/work/**' }
const rule = (more: Partial<RuleDocument>): RuleDocument => ({
  id: 'other',
  effect: 'forbid',
  action: 'fs.read',
  ...more,
})

const uncertain: readonly (readonly [what: string, rules: readonly RuleDocument[]])[] = [
  ['silence', []],
  ['a permit of the folder alone', [rule({ effect: 'permit', resource: '/work/a' })]],
  ['a permit of one level', [rule({ effect: 'permit', resource: ['/work/*', '/work/a/*'] })]],
  ['a permit of some names', [rule({ effect: 'permit', resource: '/work/**/*.csv' })]],
  ['a permit of another action', [rule({ effect: 'permit', action: 'fs.list', resource: '/work/**' })]],
  ['a forbid of a file in it', [all, rule({ resource: '/work/a/keep' })]],
  ['a forbid of a name anywhere', [all, rule({ resource: '/work/**/.env' })]],
  ['a forbid by wildcards', [all, rule({ resource: '/*/a*/x' })]],
  ['a forbid of anything', [all, rule({})]],
  ['a permit with a condition', [rule({ effect: 'permit', resource: '/work/**', when: 'true' })]],
  ['a permit with a limit', [rule({ effect: 'permit', resource: '/work/**', once: true })]],
  [
    'a permit with a limit beside another',
    [all, rule({ effect: 'permit', resource: '/work/a/b', once: true })],
  ],
  ['a permit with a condition beside another', [all, rule({ effect: 'permit', when: '"x" in labels' })]],
  ['a forbid with a condition', [all, rule({ resource: '/work/**', when: '"x" in labels' })]],
  ['a question', [all, rule({ effect: 'ask', resource: '/work/a/b/c' })]],
]

test.each(uncertain)('under %s nothing is certain below a folder', (_what, rules) => {
  expect(setOf(documentOf(rules)).permitsBelow('desk', ['fs.read'], '/work/a')).toBe(false)
})

test('a folder below which every enforced policy permits all is certain, for its principal', () => {
  const elsewhere = rule({ resource: ['/work/b/keep', '/work/a', '/work/*'] })
  const theirs = rule({ id: 'theirs', principal: 'other' })
  const set = setOf(documentOf([all, elsewhere, theirs]))
  expect(set.permitsBelow('desk', ['fs.read', 'fs.write'], '/work/a')).toBe(true)
  expect(set.permitsBelow('other', ['fs.read'], '/work/a')).toBe(false)
  const second = documentOf([rule({ effect: 'permit', resource: '/work/b/**' })], { name: 'second' })
  expect(setOf(documentOf([all]), second).permitsBelow('desk', ['fs.read'], '/work/a')).toBe(false)
})

const part = fc.constantFrom('a', 'b', 'ab')
const patternPart = fc.constantFrom('a', 'b', 'a*', '*', '**')
const pathOf = (parts: readonly string[]): string => `/${parts.join('/')}`

test('whatever a pattern matches below a folder, it was said that it may; what it matches all of, it does', () => {
  fc.assert(
    fc.property(
      fc.array(patternPart, { minLength: 1, maxLength: 5 }),
      fc.array(part, { maxLength: 3 }),
      fc.array(part, { minLength: 1, maxLength: 3 }),
      (patternParts, folder, rest) => {
        const pattern = pathOf(patternParts)
        const matches = compilePath(pattern)([...folder, ...rest])
        if (matches) expect(mayMatchBelow(pattern, folder)).toBe(true)
        if (matchesAllBelow(pattern, folder)) expect(matches).toBe(true)
      },
    ),
    { numRuns: 2_000 },
  )
})
