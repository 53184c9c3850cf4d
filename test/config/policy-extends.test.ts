/** A policy that extends another: what it adds forbids or asks, and the other permits. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadPolicy, namedFiles, narrow, policyFiles } from '../../src/config/policy.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { explain } from '../../src/policy/explain.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { effects, type PolicyDocument, type RuleDocument } from '../../src/policy/types.ts'
import { request } from '../policy/support.ts'
import { ask, boot } from '../support/kernel.ts'

let folder = ''
const file = (name: string, document: PolicyDocument): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(document))
  return path
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-extends-'))
  mkdirSync(join(folder, 'sub'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const base: PolicyDocument = {
  version: 1,
  name: 'base',
  isolation: 'inline',
  budget: { wall: '10s', syscalls: 5 },
  rules: [
    { id: 'files', effect: 'permit', action: 'fs.*', resource: ['/mem/**', '/tmp/**', '/workspace/**'] },
    { id: 'dev', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
    { id: 'once', effect: 'permit', action: 'tool.call', once: true },
  ],
}
const extending = (rules: readonly RuleDocument[], more: Partial<PolicyDocument> = {}): PolicyDocument => ({
  version: 1,
  name: 'own',
  extends: './base.json',
  ...more,
  rules,
})
const noRemove: RuleDocument = { id: 'keep', effect: 'forbid', action: 'fs.remove', resource: '/mem/keep/**' }

describe('what it says nothing about', () => {
  test('is decided by the other, with its rules, addresses and obligations', () => {
    file('base.json', base)
    const set = loadPolicy(file('own.json', extending([noRemove], { budget: { wall: '3s' } })))
    expect(set).toMatchObject({
      name: 'base + own',
      isolation: 'inline',
      budget: { wallMs: 3_000, syscalls: 5 },
    })
    expect(set.decide(request('fs.read', '/mem/a'))).toMatchObject({
      effect: 'permit',
      rules: [{ policy: 'base', id: 'files' }],
      reason: expect.stringContaining('permitted by rule `files` (base:'),
    })
    expect(set.decide(request('net.fetch', 'http://localhost/')).addresses).toEqual(['loopback'])
    expect(set.decide(request('tool.call', 't')).obligations).toMatchObject([
      { rule: { id: 'once' }, once: true },
    ])
    expect(set.decide(request('fs.read', '/etc/a'))).toMatchObject({
      effect: 'forbid',
      reason: expect.stringMatching(/^no rule permits it; `base` permits fs\.read on/),
    })
    expect(set.permitsBelow('desk', ['fs.remove'], '/tmp/a')).toBe(true)
    expect(set.permitsBelow('desk', ['fs.remove'], '/mem')).toBe(false)
    expect(set.permitsBelow('desk', ['fs.remove'], '/etc')).toBe(false)
  })

  test('is not held against it in an explanation', () => {
    file('base.json', base)
    const set = loadPolicy(file('own.json', extending([noRemove])))
    const { policies } = explain(set, request('fs.read', '/mem/a'))
    expect(policies).toMatchObject([
      { name: 'base', effect: 'permit' },
      { name: 'own', effect: 'permit', matching: [], nearest: [] },
    ])
  })
})

test('what it forbids or asks is forbidden or asked', () => {
  file('base.json', base)
  const asks: RuleDocument = { id: 'ask', effect: 'ask', action: 'fs.write', when: 'args.bytes > 10' }
  const set = loadPolicy(file('own.json', extending([noRemove, asks])))
  expect(set.decide(request('fs.remove', '/mem/keep/a'))).toMatchObject({
    effect: 'forbid',
    rules: [{ id: 'keep' }],
  })
  const write = (bytes: number) => request('fs.write', '/mem/a', { args: { path: '/mem/a', bytes } })
  expect(set.decide(write(11)).effect).toBe('ask')
  expect(set.decide(write(9)).effect).toBe('permit')
})

describe('is found', () => {
  test('as a preset', () => {
    const set = loadPolicy(extending([], { extends: 'strict' }))
    expect(set.policies.map(({ name }) => name)).toEqual(['strict', 'own'])
  })

  test('as a file beside the one that names it, and so on', () => {
    file('base.json', base)
    file('sub/middle.json', extending([noRemove], { name: 'middle', extends: '../base.json' }))
    const path = file('own.json', extending([], { extends: './sub/middle.json' }))
    const set = loadPolicy(path)
    expect(set.policies.map(({ name }) => name)).toEqual(['base', 'middle', 'own'])
    expect(set.decide(request('fs.remove', '/mem/keep/a')).effect).toBe('forbid')
    expect(policyFiles(path)).toEqual(
      ['base.json', 'sub/middle.json', 'own.json'].map((it) => join(folder, it)),
    )
    expect(namedFiles(path)).toEqual([path])
    expect(namedFiles([extending([]), 'strict', extending([], { extends: 'strict' })])).toEqual([
      './base.json',
    ])
  })
})

describe('is refused', () => {
  const refused = (document: PolicyDocument): string => {
    try {
      loadPolicy(file('own.json', document))
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
    throw new Error('it was loaded')
  }

  test('where it permits', () => {
    expect(refused(extending([{ id: 'more', effect: 'permit', action: 'fs.read' }]))).toMatch(
      /:1:\d+: a policy that extends `\.\/base\.json` only narrows it/,
    )
  })

  test('where the other is not there, or extends it in turn', () => {
    expect(refused(extending([], { extends: 'stritc' }))).toContain('did you mean `strict`?')
    expect(refused(extending([], { extends: './gone.yaml' }))).toContain('gone.yaml` is not there')
    expect(refused(extending([], { extends: './gone.yaml' }))).toMatch(
      /own\.json` names it, and a relative path/,
    )
    expect(refused(extending([], { extends: 'stritc' }))).toMatch(/own\.json: no preset/)
    expect(refused(extending([], { extends: './own.json' }))).toContain('or in a circle')
  })

  test('where the other only observes', () => {
    expect(refused(extending([], { extends: 'audit' }))).toContain('which only observes')
  })

  test('where two of one name meet', () => {
    file('base.json', base)
    expect(refused(extending([], { name: 'base' }))).toContain('are called `base`')
  })

  test('alone, since its silence would then permit', () => {
    const own = parsePolicy(JSON.stringify(extending([noRemove])), 'own.json')
    expect(() => compilePolicies([own], 'hash')).toThrow(
      'extends `./base.json`, which is not in force beside it',
    )
  })
})

test('whatever it says, it never permits more than what it extends', () => {
  const rule = fc.record({
    effect: fc.constantFrom('ask' as const, 'forbid' as const),
    action: fc.constantFrom('fs.read', 'fs.*', 'net.fetch', '*'),
    when: fc.constantFrom('true', '"x" in labels', 'labels[0] == "y"'),
  })
  const asked = fc.tuple(
    fc.constantFrom('fs.read', 'fs.write', 'net.fetch', 'tool.call', 'ipc.send'),
    fc.constantFrom('/mem/a', '/etc/a', 'https://example.org/'),
    fc.constantFrom<readonly string[]>([], ['x'], ['y']),
  )
  const alone = loadPolicy(file('base.json', base))
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), asked, (rules, [action, resource, labels]) => {
      const own = extending(rules.map((each, index) => ({ ...each, id: `r${index}` })))
      const set = loadPolicy({ ...own, extends: join(folder, 'base.json') })
      const question = request(action, resource, { labels })
      const strictness = (it: typeof set): number => effects.indexOf(it.decide(question).effect)
      expect(strictness(set)).toBeGreaterThanOrEqual(strictness(alone))
      expect(strictness(narrow(alone, set))).toBe(strictness(set))
    }),
  )
})

test('in a kernel the files that are extended are as hidden as the policy itself', async () => {
  file('base.json', base)
  const path = file('own.json', extending([{ id: 'none', effect: 'forbid', action: 'fs.mkdir' }]))
  writeFileSync(join(folder, 'seen.txt'), 'x')
  const kernel = boot({
    policy: [path, 'permissive'],
    mounts: { '/workspace': { host: folder, mode: 'ro' } },
  })
  const names = await ask(kernel, 'return (await fs.list("/workspace")).map(({ name }) => name)')
  expect(names).toContain('seen.txt')
  expect(names).not.toContain('own.json')
  expect(names).not.toContain('base.json')
})
