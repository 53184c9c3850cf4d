/** Cases beside a policy, from the command line. */
import { describe, expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'

const policy = `version: 1
name: desk
rules:
  - id: notes
    effect: permit
    action: fs.write
    resource: /mem/**
    when: args.bytes < 10 && !("web" in labels)
  - id: local
    effect: permit
    action: net.fetch
    resource: http://localhost:*/**
    addresses: [loopback]
    when: args.method == "GET"
  - id: never
    effect: forbid
    action: tool.call
`
const cases = `# what the desk may do
policy: ../desk.yaml
cases:
  - { action: fs.write, resource: /mem/a, args: { bytes: 3 }, effect: permit, rule: notes }
  - { action: fs.write, resource: /mem/a, args: { bytes: 30 }, effect: forbid }
  - { action: fs.write, resource: /mem/a, args: { bytes: 3 }, labels: [web], effect: forbid }
  - { action: net.fetch, resource: "http://localhost:80/", effect: permit, rule: [local], addresses: [loopback] }
  - { action: net.fetch, resource: "http://localhost:80/", args: { method: POST }, effect: forbid }
`
const files = (more: string) => folderWith({ 'desk.yaml': policy, 'cases/desk.yaml': cases + more })

describe('gatehouse policy test', () => {
  test('cases that hold, found by their own name or by that of the policy', async () => {
    for (const file of ['cases/desk.yaml', 'desk.yaml'])
      expect(await gatehouse(files(''), ['policy', 'test', file])).toMatchObject({
        code: 0,
        stdout: 'ok cases/desk.yaml: 5 of 5 cases hold under desk\n',
        stderr: '',
      })
  })

  test('each case that does not hold, with its line, what was expected and what is', async () => {
    const folder = files(`  - { action: tool.call, resource: t, effect: permit, rule: notes }
  - { action: net.fetch, resource: "http://localhost/", effect: permit, rule: local, addresses: [] }
`)
    const { code, stdout } = await gatehouse(folder, ['policy', 'test', 'desk.yaml'])
    expect([code, stdout.split('\n')]).toEqual([
      1,
      [
        'wrong cases/desk.yaml:9: `agent` tool.call `t`: expected permit, and it is forbid; expected `notes` to decide, and it is `never` (forbidden by rule `never` (desk:15))',
        'wrong cases/desk.yaml:10: `agent` net.fetch `http://localhost/`: expected no addresses, and there are `loopback` (permitted by rule `local` (desk:9))',
        'failed cases/desk.yaml: 5 of 7 cases hold under desk',
        '',
      ],
    ])
  })

  test('cases that say what has been seen and done', async () => {
    const payments = `version: 1
name: payments
rules:
  - { id: to-known, effect: permit, action: tool.call, resource: pay, when: 'origin(args.to) in ["task", "trusted"]' }
  - { id: few, effect: forbid, action: tool.call, when: 'history.run.count("tool.call", "pay", "10m") >= 2' }
  - { id: apart, effect: forbid, action: tool.call, when: 'principal in history.everyone.agents("tool.call", "draft", "24h")' }
`
    const tried = `policy: ../payments.yaml
cases:
  - { action: tool.call, resource: pay, args: { to: bob }, origins: { task: [pay bob] }, effect: permit, rule: to-known }
  - { action: tool.call, resource: pay, args: { to: bob }, origins: { untrusted: [pay bob] }, effect: forbid }
  - action: tool.call
    resource: pay
    args: { to: bob }
    origins: { trusted: [{ name: bob }] }
    history: [{ action: tool.call, resource: pay, in: run, times: 2 }]
    effect: forbid
    rule: few
  - action: tool.call
    resource: pay
    args: { to: bob }
    origins: { trusted: [{ name: bob }] }
    history:
      - { action: tool.call, resource: pay, ago: 10m, times: 5 }
      - { action: tool.call, resource: pay, in: other, times: 5 }
      - { action: tool.call, resource: draft, in: other, agent: clerk }
    effect: permit
    rule: to-known
  - { principal: clerk, action: tool.call, resource: pay, args: { to: bob }, history: [{ action: tool.call, resource: draft, in: other, ago: 1h }], effect: forbid, rule: apart }
`
    const folder = folderWith({ 'payments.yaml': payments, 'cases/payments.yaml': tried })
    expect(await gatehouse(folder, ['policy', 'test', 'payments.yaml'])).toMatchObject({
      code: 0,
      stdout: 'ok cases/payments.yaml: 5 of 5 cases hold under payments\n',
    })
    expect(await gatehouse(folder, ['policy', 'coverage', 'payments.yaml'])).toMatchObject({ code: 0 })
    expect(await gatehouse(folder, ['policy', 'lint', 'payments.yaml'])).toMatchObject({ code: 0 })
  })

  test('the same for a program', async () => {
    const { stdout } = await gatehouse(files(''), ['policy', 'test', 'desk.yaml', '--json'])
    expect(JSON.parse(stdout).files).toMatchObject([
      {
        file: 'cases/desk.yaml',
        policy: 'desk',
        cases: [{ line: 4, wrong: [], decision: { effect: 'permit' } }, {}, {}, {}, {}],
      },
    ])
  })

  test.each<readonly [what: string, text: string, message: string]>([
    [
      'a misspelt key',
      'policy: strict\ncases:\n  - { actoin: fs.read, resource: /a, effect: permit }\n',
      'cases/desk.yaml:3:5: `cases.0`: unknown key `actoin`; did you mean `action`?',
    ],
    [
      'an effect that is none',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /a, effect: allow }\n',
      'cases/desk.yaml:3:46: `cases.0.effect`: `allow` is not permit, ask or forbid',
    ],
    [
      'a misspelt action',
      'policy: strict\ncases:\n  - { action: fs.raed, resource: /a, effect: forbid }\n',
      'desk.yaml:3:15: unknown action `fs.raed`; did you mean `fs.read`?',
    ],
    [
      'something done that is no action',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /a, effect: forbid, history: [{ action: fs.*, resource: /a }] }\n',
      'cases/desk.yaml:3:74: `cases.0.history.0.action`: `fs.*` covers several actions; name one of them',
    ],
    [
      'a time that is none',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /a, effect: forbid, history: [{ action: fs.read, resource: /a, ago: 3 d }] }\n',
      '`cases.0.history.0.ago`: `3 d` is not a duration',
    ],
    [
      'a place that is none',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /a, effect: forbid, origins: { tsak: [x] } }\n',
      '`cases.0.origins`: unknown key `tsak`; did you mean `task`?',
    ],
    ['no cases', 'policy: strict\ncases: []\n', 'cases/desk.yaml:2:8: `cases`: it is empty'],
    [
      'a policy that is not there',
      'policy: ./gone.yaml\ncases:\n  - { action: fs.read, resource: /a, effect: forbid }\n',
      'cases/desk.yaml:1: policy `cases/gone.yaml` is not there',
    ],
    [
      'a label that is none',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /a, effect: forbid, labels: [Untrusted] }\n',
      'cases/desk.yaml:3:63: `cases.0.labels.0`: `Untrusted` is no label',
    ],
    ['no YAML', 'policy: [\n', 'cases/desk.yaml:'],
    [
      'an effect that is missing',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /a }\n',
      'cases/desk.yaml:3:5: `cases.0.effect`: is missing; it is permit, ask or forbid',
    ],
    [
      'several actions',
      'policy: strict\ncases:\n  - { action: fs.*, resource: /a, effect: forbid }\n',
      'cases/desk.yaml:3:15: `fs.*` covers several actions; name one of them',
    ],
    [
      'an action that no policy knows',
      'policy: strict\ncases:\n  - { action: shell.run, resource: /a, effect: forbid }\n',
      'cases/desk.yaml:3:15: unknown action `shell.run`',
    ],
    [
      'a resource that is no path',
      'policy: strict\ncases:\n  - { action: fs.read, resource: notes.txt, effect: forbid }\n',
      'so no policy can judge `notes.txt`; the resource of fs.read is an absolute path, such as `/mem/notes.txt`',
    ],
    [
      'a resource that is no URL',
      'policy: strict\ncases:\n  - { action: net.fetch, resource: example.org, effect: forbid }\n',
      'so no policy can judge `example.org`; the resource of net.fetch is a whole URL, such as `https://',
    ],
    [
      'a path that is not normalised',
      'policy: strict\ncases:\n  - { action: fs.read, resource: /mem/../a, effect: forbid }\n',
      'cases/desk.yaml:3:34: ',
    ],
  ])('is wrong usage for %s', async (_what, text, message) => {
    const folder = folderWith({ 'desk.yaml': policy, 'cases/desk.yaml': text })
    const { code, stderr } = await gatehouse(folder, ['policy', 'test', 'desk.yaml'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  test('a policy in Cedar is found from where the cases lie', async () => {
    const cases =
      'policy: own.cedar\ncases:\n  - { action: fs.read, resource: /mem/a, effect: permit, rule: memory }\n'
    const own = '@id("memory") permit(principal, action in Action::"fs", resource in Path::"/mem");'
    const folder = folderWith({ 'cases/own.cedar': own, 'cases/a.yaml': cases })
    expect((await gatehouse(folder, ['policy', 'test', 'cases/a.yaml'])).stdout).toContain(
      '1 of 1 cases hold',
    )
  })

  test('and for a policy without cases', async () => {
    const { code, stderr } = await gatehouse(folderWith({ 'desk.yaml': policy }), [
      'policy',
      'test',
      'desk.yaml',
    ])
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('belong into `cases/desk.yaml`, which is not there; `gatehouse policy init`'),
    ])
    const preset = await gatehouse(folderWith(), ['policy', 'test', 'no-pii'])
    expect([preset.code, preset.stderr]).toEqual([2, expect.stringContaining('`no-pii` is a preset')])
  })
})

describe('gatehouse policy coverage', () => {
  test('names the rules that decide no case', async () => {
    const { code, stdout } = await gatehouse(files(''), ['policy', 'coverage', 'desk.yaml'])
    expect([code, stdout]).toEqual([1, expect.stringMatching(/desk:15\s+never\s+0/)])
    expect(stdout).toContain('2 of 3 rules of desk decide a case')
  })

  test('is complete when every rule decides one', async () => {
    const folder = files('  - { action: tool.call, resource: t, effect: forbid, rule: never }\n')
    expect(await gatehouse(folder, ['policy', 'coverage', 'cases/desk.yaml'])).toMatchObject({ code: 0 })
  })
})
