/** The index finds what a look at every rule would find, and not much else. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Action } from '../../src/policy/actions.ts'
import { matchesPrincipal, matchesResource } from '../../src/policy/compiled-rule.ts'
import { type Prefix, PrefixTree, prefixOf } from '../../src/policy/index-tree.ts'
import { readResource } from '../../src/policy/match.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { compilePath, readPath } from '../../src/policy/paths.ts'
import { compilePolicy } from '../../src/policy/rules.ts'
import type { RuleDocument } from '../../src/policy/types.ts'
import { documentOf } from './support.ts'

const word = fc.constantFrom('a', 'ab', 'abc', 'b', 'é', 'A', '.a')
const wild = fc.oneof(word, fc.constantFrom('*', '**', 'a*', '*b', 'a*c', 'ab*'))
const joined = (parts: readonly string[]): string => `/${parts.join('/')}`
const host = fc.constantFrom('a.org', 'b.a.org', 'c.b.a.org', 'org', '[::1]', '127.0.0.1')

interface Kind {
  readonly action: Action
  readonly pattern: fc.Arbitrary<string>
  readonly resource: fc.Arbitrary<string>
}

const kinds: readonly Kind[] = [
  {
    action: 'fs.read',
    pattern: fc.array(wild, { maxLength: 4 }).map(joined),
    resource: fc.array(fc.oneof(word, fc.constant('e\u0301')), { maxLength: 5 }).map(joined),
  },
  {
    action: 'net.fetch',
    pattern: fc
      .tuple(
        fc.constantFrom('http', 'https'),
        fc.oneof(host, fc.constantFrom('*', '*.org', '*.a.org', '*.b.a.org')),
        fc.constantFrom('', ':*', ':8080'),
        fc.array(wild, { minLength: 1, maxLength: 3 }),
      )
      .map(([scheme, name, port, parts]) => `${scheme}://${name}${port}${joined(parts)}`),
    resource: fc
      .tuple(
        fc.constantFrom('http', 'https'),
        host,
        fc.constantFrom('', ':8080'),
        fc.array(fc.oneof(word, fc.constantFrom('a%2Fb', '', '%61')), { maxLength: 4 }),
      )
      .map(([scheme, name, port, parts]) => new URL(`${scheme}://${name}${port}${joined(parts)}`).href),
  },
  {
    action: 'tool.call',
    pattern: fc.oneof(word, fc.constantFrom('*', 'a*', '*b', 'a*c', 'ab*', 'openai/*')),
    resource: fc.oneof(word, fc.constantFrom('openai/gpt', 'abbc')),
  },
]

const principal = fc.constantFrom('*', 'desk', 'reader', 'd*', 'des*')

const rulesFor = ({ action, pattern }: Kind): fc.Arbitrary<readonly RuleDocument[]> =>
  fc
    .array(
      fc.record(
        {
          effect: fc.constantFrom('permit' as const, 'ask' as const, 'forbid' as const),
          action: fc.constant(action),
          resource: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }),
          principal: fc.uniqueArray(principal, { minLength: 1, maxLength: 2 }),
        },
        { requiredKeys: ['effect', 'action'] },
      ),
      { maxLength: 15 },
    )
    .map((rules) => rules.map((rule, index) => ({ ...rule, id: `r${index}` })))

test.each(kinds)('every rule that matches is found, once, in order: $action', (kind) => {
  const asked = fc.tuple(rulesFor(kind), kind.resource, fc.constantFrom('desk', 'reader', 'other'))
  fc.assert(
    fc.property(asked, ([rules, resource, name]) => {
      const { index, rules: all } = compilePolicy(parsePolicy(JSON.stringify(documentOf(rules)), 'test'))
      const readings = readResource(kind.action, resource)
      if (typeof readings === 'string') throw new Error(readings)
      const byEffect = all.get(kind.action)
      const each = [...(byEffect?.permit ?? []), ...(byEffect?.ask ?? []), ...(byEffect?.forbid ?? [])]
      const plain = each
        .filter((rule) => matchesPrincipal(rule, name) && matchesResource(rule, readings))
        .map(({ rule }) => rule.id)
      const found = index.get(kind.action)?.matching(name, readings) ?? []
      expect(found.map(({ rule }) => rule.id)).toEqual(
        rules.map(({ id }) => id).filter((id) => plain.includes(id)),
      )
    }),
    { numRuns: 2_000 },
  )
})

test.each<readonly [pattern: readonly string[], prefix: Prefix]>([
  [['a', 'b'], { parts: ['a', 'b'], beginning: '' }],
  [['a', '**'], { parts: ['a'], beginning: '' }],
  [['a', 'b*', 'c'], { parts: ['a'], beginning: 'b' }],
  [['*'], { parts: [], beginning: '' }],
  [[], { parts: [], beginning: '' }],
])('%j begins with what comes before its first wildcard', (pattern, prefix) => {
  expect(prefixOf(pattern)).toEqual(prefix)
})

test('what begins otherwise is not looked at', () => {
  const tree = new PrefixTree<string>()
  const patterns = ['x/y', 'x/z', 'x/yy*', 'x/**', '*']
  for (const pattern of patterns) tree.add(prefixOf(pattern.split('/')), pattern)
  const found = (path: string): readonly string[] => {
    const things: string[] = []
    tree.find(path.split('/'), things)
    return things.toSorted()
  }
  expect(found('x/y')).toEqual(['*', 'x/**', 'x/y'])
  expect(found('x/yyy')).toEqual(['*', 'x/**', 'x/yy*'])
  expect(found('q')).toEqual(['*'])
})

test('the quick look at a path finds every path that has a problem', () => {
  const units = ['/', '.', 'a', '\0']
  let texts = ['']
  for (let length = 0; length < 6; length += 1) {
    texts = texts.flatMap((text) => units.map((unit) => text + unit))
    for (const text of texts) {
      const sound = ((): boolean => {
        try {
          compilePath(text)
          return true
        } catch {
          return false
        }
      })()
      expect([text, typeof readPath(text) !== 'string']).toEqual([text, sound])
    }
  }
})

test('rules about any resource are kept for as many agents as there are, each its own', () => {
  const document = documentOf([
    { id: 'own', effect: 'permit', action: 'fs.read', principal: 'agent7' },
    { id: 'pattern', effect: 'permit', action: 'fs.read', principal: 'agent*9' },
    { id: 'all', effect: 'permit', action: 'fs.read' },
  ])
  const index = compilePolicy(parsePolicy(JSON.stringify(document), 'test')).index.get('fs.read')
  const readings = readResource('fs.read', '/a')
  if (typeof readings === 'string') throw new Error(readings)
  for (let turn = 0; turn < 2; turn += 1)
    for (let number = 0; number < 2 * limits.indexedPrincipalsMax; number += 1) {
      const found = index?.matching(`agent${number}`, readings).map(({ rule }) => rule.id)
      const expected = ['all']
      if (number % 10 === 9) expected.unshift('pattern')
      if (number === 7) expected.unshift('own')
      expect(found).toEqual(expected)
    }
})
