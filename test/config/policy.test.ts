import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { combine, loadPolicy, type PolicyRef } from '../../src/config/policy.ts'
import { KernelError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { PolicyError } from '../../src/policy/problem.ts'
import type { PolicyDocument } from '../../src/policy/types.ts'
import { request } from '../policy/support.ts'

const desk: PolicyDocument = {
  version: 1,
  name: 'desk',
  budget: { wall: '3s' },
  rules: [{ id: 'notes', effect: 'permit', action: ['fs.read', 'fs.write'], resource: '/mem/**' }],
}
const yaml = `# a comment
name: desk
version: 1
budget: { wall: 3s }
rules:
  - id: notes
    effect: permit
    action: [fs.read, fs.write]
    resource: /mem/**
`

let folder = ''
const file = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a caller without types may hand in. */
const load = (ref: unknown): unknown => Reflect.apply(loadPolicy, undefined, [ref])

function refusal(ref: unknown): string {
  try {
    load(ref)
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError)
    expect(error).toMatchObject({ code: 'EINVAL' })
    return error instanceof Error ? error.message : ''
  }
  throw new Error('it was loaded')
}

describe('is refused, and nothing is skipped:', () => {
  test('a preset that is not there', () => {
    expect(refusal('stritc')).toContain('no preset is called `stritc`; did you mean `strict`?')
    expect(refusal('schema')).toContain('there are audit, data-analyst, developer, ')
    for (const name of ['', '..', 'constructor', 'Strict', 'cases'])
      expect(refusal(name)).toContain('no preset')
  })

  test('a file that is not there', () => {
    expect(refusal('./nowhere.yaml')).toMatch(/^policy `\.\/nowhere\.yaml` is not there/)
    expect(refusal('strict.yaml')).toMatch(/^policy `strict\.yaml` is not there/)
    expect(refusal('./a\0.yaml')).toMatch(/cannot be read/)
  })

  test('a folder, a pipe, a device, a link to nothing', () => {
    const pipe = join(folder, 'pipe.yaml')
    execFileSync('mkfifo', [pipe])
    mkdirSync(join(folder, 'folder.yaml'))
    symlinkSync(join(folder, 'gone'), join(folder, 'link.yaml'))
    for (const name of ['pipe.yaml', 'folder.yaml'])
      expect(refusal(join(folder, name))).toContain('is not a regular file')
    expect(refusal('/dev/zero')).toContain('is not a regular file')
    expect(refusal(join(folder, 'link.yaml'))).toContain('is not there')
  })

  test.skipIf(process.getuid?.() === 0)('a file that may not be read', () => {
    const path = file('secret.yaml', yaml)
    chmodSync(path, 0)
    expect(refusal(path)).toContain('may not be read by this user')
  })

  test('a file that is too long, no UTF-8, or empty', () => {
    expect(refusal(file('long.yaml', '#'.repeat(limits.policyBytesMax + 1)))).toContain('is longer than')
    expect(refusal(file('latin.yaml', new Uint8Array([0x23, 0xe9, 0x0a])))).toContain('is not text in UTF-8')
    expect(refusal(file('empty.yaml', ''))).toContain('the policy is empty')
  })

  test('a policy that is not sound, under the name that the user gave', () => {
    const path = file('bad.yaml', yaml.replace('effect', 'efect'))
    expect(() => loadPolicy(path)).toThrow(PolicyError)
    expect(refusal(path)).toContain(`${path}:7:5: unknown key \`efect\`; did you mean \`effect\`?`)
  })

  test('an empty list, a list within a list, one bad member among good ones', () => {
    expect(refusal([])).toContain('the list of policies is empty')
    expect(refusal([['strict']])).toContain('not a list within a list')
    expect(refusal(['permissive', 'strikt'])).toContain('did you mean `strict`?')
    expect(refusal(Array.from({ length: limits.policiesMax + 1 }, () => 'strict'))).toContain('at most 64')
  })

  test.each([undefined, null, 5, true, () => desk])('%s', (ref) => {
    expect(refusal(ref)).toContain("a policy is a preset's name, a path, an object or one list of these")
  })

  test('an object with more than data in it, or with a key too many', () => {
    expect(refusal({ ...desk, budget: undefined })).toContain('`policy.budget` is undefined')
    expect(refusal({ ...desk, rules: [new Date(0)] })).toContain('`policy.rules[0]` is a Date')
    expect(refusal(Object.assign(Object.create({ mode: 'observe' }), desk))).toContain('only JSON')
    expect(refusal({ ...desk, rulez: [] })).toMatch(
      /^policy object as JSON:\d+:\d+: unknown key `rulez`; did you mean `rules`\?$/,
    )
  })

  test('two different policies of one name', () => {
    expect(refusal(['strict', { ...desk, name: 'strict' }])).toContain('are called `strict`')
  })
})

describe('a policy', () => {
  test('means the same as YAML, as JSON and as an object, so its hash is the same', () => {
    const forms: readonly PolicyRef[] = [
      file('desk.yaml', yaml),
      file('desk.json', JSON.stringify(desk)),
      desk,
      [desk],
    ]
    const sets = forms.map(loadPolicy)
    expect(new Set(sets.map(({ hash }) => hash)).size).toBe(1)
    expect(sets[0]?.hash).toMatch(/^[0-9a-f]{64}$/)
    for (const set of sets) expect(set.decide(request('fs.read', '/mem/a')).effect).toBe('permit')
  })

  test('keeps the text that its host wrote', () => {
    expect(loadPolicy(file('desk2.yaml', yaml)).documents).toEqual([{ name: 'desk', text: yaml }])
  })

  test('with a byte order mark is read', () => {
    expect(loadPolicy(file('bom.yaml', `\ufeff${yaml}`)).name).toBe('desk')
  })

  test('of another meaning has another hash', () => {
    expect(loadPolicy({ ...desk, mode: 'observe' }).hash).not.toBe(loadPolicy(desk).hash)
    expect(loadPolicy([desk, 'strict']).hash).not.toBe(loadPolicy(desk).hash)
  })

  test('that is listed twice counts once', () => {
    expect(loadPolicy(['strict', 'strict']).hash).toBe(loadPolicy('strict').hash)
  })

  test('is frozen', () => {
    const set = loadPolicy(desk)
    for (const part of [
      set,
      set.budget,
      set.documents,
      set.policies,
      set.policies[0],
      set.policies[0]?.rules,
    ])
      expect(Object.isFrozen(part)).toBe(true)
  })
})

describe('combined with a parent, a policy', () => {
  test('only narrows', () => {
    const parent = loadPolicy('strict')
    const child = combine(parent, 'permissive')
    expect(child.name).toBe('strict + permissive')
    expect(child.decide(request('net.fetch', 'https://example.org/')).effect).toBe('forbid')
    const grandchild = combine(child, desk)
    expect(grandchild.decide(request('fs.read', '/mem/a')).effect).toBe('permit')
    expect(grandchild.decide(request('fs.read', '/tmp/a')).effect).toBe('forbid')
    expect(grandchild.budget).toEqual({ wallMs: 3_000 })
    expect(grandchild.isolation).toBe('inline')
  })

  test('that observes takes nothing away from the parent', () => {
    const child = combine(loadPolicy('strict'), 'audit')
    expect(child.mode).toBe('enforce')
    expect(child.decide(request('tool.call', 'search')).effect).toBe('forbid')
  })

  test('that the parent has already changes nothing', () => {
    const parent = loadPolicy(['strict', desk])
    expect(combine(parent, desk)).toBe(parent)
  })

  test('that is not sound is refused', () => {
    expect(() => combine(loadPolicy('strict'), 'nonsuch')).toThrow('no preset is called `nonsuch`')
  })
})
