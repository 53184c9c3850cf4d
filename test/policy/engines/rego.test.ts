import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadPolicy, policyFiles } from '../../../src/config/policy.ts'
import { limits } from '../../../src/limits.ts'
import { coverage, runCases } from '../../../src/policy/cases.ts'
import { explain } from '../../../src/policy/explain.ts'
import { lint } from '../../../src/policy/lint.ts'
import type { Decision, Request } from '../../../src/policy/types.ts'
import { type Act, type Entrypoint, regoModule } from '../../support/rego-module.ts'
import { request } from '../support.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-rego-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a module and says what a policy of it decides. */
async function decider(entrypoints: Readonly<Record<string, Entrypoint>>, name = 'team') {
  const file = join(folder, `${name}.wasm`)
  writeFileSync(file, await regoModule(entrypoints))
  const set = loadPolicy(file)
  return (asked: Request): Decision => set.decide(asked)
}

const always = (otherwise: Act) => decider({ 'gatehouse/decision': { otherwise } })

const read = (more: Partial<Request> = {}): Request => request('fs.read', '/mem/a', { labels: [], ...more })

describe('what a module answers', () => {
  test('true permits and false forbids, by the entrypoint', async () => {
    const rules = [{ policy: 'team', id: 'gatehouse.decision', line: 1 }]
    expect((await always({ result: true }))(read())).toEqual({
      effect: 'permit',
      rules,
      addresses: [],
      reason: 'permitted by rule `gatehouse.decision` (team:1)',
    })
    expect((await always({ result: false }))(read())).toMatchObject({
      effect: 'forbid',
      rules,
      reason: 'forbidden by rule `gatehouse.decision` (team:1)',
    })
  })

  test('an object names the effect, the rules and the reason', async () => {
    const decide = await always({ result: { effect: 'ask', rules: ['mail', 'size'], reason: 'it is large' } })
    const decision = decide(read())
    expect(decision).toMatchObject({
      effect: 'ask',
      reason: 'a person has to approve it, by rule `mail` (team:1): it is large',
    })
    expect(decision.rules.map(({ id }) => id)).toEqual(['mail', 'size'])
  })

  test.each<[string, Act, RegExp]>([
    ['nothing', 'undefined', /is undefined for it/],
    ['several results', { text: '[{"result":true},{"result":true}]' }, /neither true, false nor an object/],
    ['a text', { result: 'permit' }, /neither true, false nor an object/],
    ['one', { result: 1 }, /neither true, false nor an object/],
    ['a list', { result: [true] }, /neither true, false nor an object/],
    ['null', { result: null }, /neither true, false nor an object/],
    ['no effect', { result: { allow: true } }, /unknown key `allow`/],
    [
      'an unknown effect',
      { result: { effect: 'allow' } },
      /gives no effect; it is one of permit, ask, forbid/,
    ],
    ['a key too many', { result: { effect: 'permit', obligations: [] } }, /unknown key `obligations`/],
    ['rules that are no list', { result: { effect: 'permit', rules: 'a' } }, /`rules` is no list/],
    ['rules that are no names', { result: { effect: 'permit', rules: ['a b'] } }, /no name/],
    ['a reason that is no text', { result: { effect: 'permit', reason: 1 } }, /a reason that is no text/],
    ['no list of results', { text: '{"result":true}' }, /a form that we do not know/],
    ['what is no JSON', { text: 'true }' }, /cannot judge it/],
    ['a trap', 'trap', /unreachable/],
    ['an abort', 'abort', /opa: out of luck/],
    ['more memory than it may have', 'hoard', /unreachable/],
  ])('%s forbids, and says why', async (_what, act, why) => {
    const decision = (await always(act))(read())
    expect(decision.effect).toBe('forbid')
    expect(decision.reason).toMatch(/^`team` \(Rego\) cannot judge it: /)
    expect(decision.reason).toMatch(why)
  })

  test('one that fails for one call judges the next', async () => {
    const decide = await decider({
      'gatehouse/decision': { cases: [{ when: '/mem/a', act: 'trap' }], otherwise: { result: true } },
    })
    expect(decide(read()).effect).toBe('forbid')
    expect(decide(read({ resource: '/mem/b' })).effect).toBe('permit')
  })

  test('one that comes too late forbids', async () => {
    const decision = (await always('spin'))(read())
    expect(decision).toMatchObject({ effect: 'forbid', rules: [] })
    expect(decision.reason).toMatch(/it took \d+ ms, and at most 1000 are given/)
  }, 60_000)
})

describe('what a module is asked', () => {
  /** Whether a text stands in the input. */
  async function sees(when: string, asked: Request): Promise<boolean> {
    const decide = await decider({
      'gatehouse/decision': { cases: [{ when, act: { result: true } }], otherwise: { result: false } },
    })
    return decide(asked).effect === 'permit'
  }

  test.each([
    '"principal":"desk","action":"fs.read","resource":"/mem/a","path":["mem","a"]',
    '"isolation":"cell"',
    '"labels":["untrusted"]',
    '"args":{"path":"/mem/a","offset":3}',
    '"budget":{"syscalls":7}',
  ])('a call has %s', async (part) => {
    const args = { path: '/mem/a', offset: 3 }
    const asked = read({ labels: ['untrusted'], args, budget: () => ({ syscalls: 7 }) })
    expect(await sees(part, asked)).toBe(true)
    expect(await sees(`${part}x`, asked)).toBe(false)
  })

  test('a URL comes in its parts', async () => {
    const url =
      '"resource":"https://example.org:444/a?q=1","url":{"scheme":"https","host":"example.org","port":444,"path":"/a","query":"q=1"}'
    expect(await sees(url, request('net.fetch', 'https://EXAMPLE.org:444/a?q=1', { labels: [] }))).toBe(true)
  })

  test('a URL that servers read in two ways is asked about in both, and the stricter answer counts', async () => {
    const decide = await decider({
      'gatehouse/decision': {
        cases: [{ when: '"path":"/a/b"', act: { result: false } }],
        otherwise: { result: true },
      },
    })
    const asked = (path: string) => request('net.fetch', `https://example.org${path}`, { labels: [] })
    expect(decide(asked('/a/c')).effect).toBe('permit')
    expect(decide(asked('/a%2Fb')).effect).toBe('forbid')
  })

  test('numbers are as JSON has them, null stays null, and text beyond ASCII arrives', async () => {
    const args = { a: 1.5, b: null, c: 1e300, d: 'größer 😀' }
    const asked = request('tool.call', 'send', { labels: [], args })
    expect(await sees(`"args":${JSON.stringify(args)}`, asked)).toBe(true)
  })

  test('what is not told, or too much, forbids before the module is asked', async () => {
    const decide = await always({ result: true })
    const { labels: _none, ...untold } = read()
    expect(decide(untold).reason).toMatch(/the labels of the process are not told/)
    const call = (args: Request['args']) => decide(request('tool.call', 'send', { labels: [], args })).reason
    expect(call({ a: 'x'.repeat(limits.engineTextMax) })).toMatch(/is longer than 262144 characters/)
    expect(call({ a: new Array(limits.engineValuesMax).fill(1) })).toMatch(/more than 1000 values/)
    expect(call({ a: 'x' })).toMatch(/^permitted/)
  })
})

describe('a document', () => {
  const write = (name: string, document: object): string => {
    const file = join(folder, name)
    writeFileSync(file, JSON.stringify(document))
    return file
  }

  beforeAll(async () => {
    const module = await regoModule({
      'desk/decision': { otherwise: { result: false } },
      'gatehouse/decision': {
        cases: [{ when: 'data:"open":true', act: { result: true } }],
        otherwise: { result: false },
      },
    })
    writeFileSync(join(folder, 'two.wasm'), module)
    writeFileSync(join(folder, 'data.json'), '{"open":true}')
  })

  test('names the entrypoint and the data', () => {
    const base = { version: 1, name: 'gate', engine: 'rego', file: 'two.wasm' }
    const decide = (name: string, document: object) => loadPolicy(write(name, document)).decide(read()).effect
    const chosen = { ...base, entrypoint: 'gatehouse/decision' }
    expect(decide('a.yaml', chosen)).toBe('forbid')
    expect(decide('b.yaml', { ...chosen, data: 'data.json' })).toBe('permit')
    expect(decide('c.yaml', { ...chosen, entrypoint: 'desk/decision', data: 'data.json' })).toBe('forbid')
    expect(() => loadPolicy(write('d.yaml', base))).toThrow(
      /several entrypoints \(desk\/decision, gatehouse\/decision\)/,
    )
    expect(() => loadPolicy(write('e.yaml', { ...base, entrypoint: 'x' }))).toThrow(
      /no entrypoint `x`; there are desk/,
    )
    expect(() => loadPolicy(join(folder, 'two.wasm'))).toThrow(/several entrypoints/)
  })

  test('decides where its budget, its mode and its isolation say so, and is hashed with what its files hold', () => {
    const base = { version: 1, name: 'gate', engine: 'rego', file: 'two.wasm', entrypoint: 'desk/decision' }
    const file = write('f.yaml', { ...base, mode: 'observe', budget: { depth: 1 } })
    const set = loadPolicy(['permissive', file])
    expect(set.decide(read())).toMatchObject({ effect: 'permit', observed: { effect: 'forbid' } })
    const floor = loadPolicy(write('g.yaml', { ...base, isolation: 'cell', data: 'data.json' }))
    expect(floor.decide(read({ isolation: 'inline' })).reason).toMatch(/accepts isolation `cell`/)
    const { hash } = floor
    writeFileSync(join(folder, 'data.json'), '{"open":false}')
    expect(loadPolicy(join(folder, 'g.yaml')).hash).not.toBe(hash)
    writeFileSync(join(folder, 'data.json'), '{"open":true}')
    expect(loadPolicy(join(folder, 'g.yaml')).hash).toBe(hash)
    expect(policyFiles(join(folder, 'g.yaml'))).toEqual(
      ['g.yaml', 'two.wasm', 'data.json'].map((it) => join(folder, it)),
    )
    const [shown] = floor.documents
    expect(shown?.text).toMatch(/"entrypoint": "desk\/decision"/)
    expect(shown?.text).not.toContain(folder)
  })

  test('is refused where the module is none', () => {
    writeFileSync(join(folder, 'text.wasm'), 'not a module')
    expect(() => loadPolicy(join(folder, 'text.wasm'))).toThrow(/is no module that `opa build -t wasm` makes/)
    writeFileSync(join(folder, 'empty.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    expect(() => loadPolicy(join(folder, 'empty.wasm'))).toThrow(
      /is no module that `opa build -t wasm` makes/,
    )
    expect(() => loadPolicy(join(folder, 'policy.rego'))).toThrow(/compile it: `opa build -t wasm -e NAME`/)
    expect(existsSync(join(folder, 'policy.rego'))).toBe(false)
  })
})

describe('the tools for authors', () => {
  test('explain says what the module says; cases hold; what needs to read rules refuses', async () => {
    const file = join(folder, 'desk.wasm')
    writeFileSync(
      file,
      await regoModule({
        'gatehouse/decision': { otherwise: { result: { effect: 'permit', rules: ['notes'] } } },
      }),
    )
    const set = loadPolicy(file)
    const [policy] = explain(set, read()).policies
    expect(policy).toMatchObject({
      name: 'desk',
      effect: 'permit',
      nearest: [],
      matching: [{ id: 'notes', decided: true }],
    })
    const asked = {
      line: 1,
      request: read(),
      effect: 'permit',
      rules: ['notes'],
      observed: undefined,
      addresses: undefined,
      label: undefined,
    } as const
    const results = runCases(set, [asked])
    expect(results.map(({ wrong }) => wrong)).toEqual([[]])
    expect(() => lint(set)).toThrow(/the rules of `desk` cannot be looked through: it is written in Rego/)
    expect(() => coverage(set, results)).toThrow(/cannot be counted/)
    expect(set.permitsBelow('desk', ['fs.read'], '/mem')).toBe(false)
  })
})
