/** Policies are checked, listed and asked from the command line. */
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'

const good = `version: 1
name: good
rules:
  - id: notes
    effect: permit
    action: [fs.read, fs.write]
    resource: /mem/**
  - id: no-secrets
    effect: forbid
    action: fs.read
    resource: /mem/secret/**
`
const bad = `version: 1
name: bad
rules:
  - id: notes
    effekt: permit
    action: fs.raed
`
const ask = (resource: string, ...more: readonly string[]) => [
  ...['policy', 'explain', '--policy', 'good.yaml', '--principal', 'agent'],
  ...['--action', 'fs.read', '--resource', resource, ...more],
]

test('a bad policy is refused with file, line and column of each problem, beside good ones', async () => {
  const folder = folderWith({ 'good.yaml': good, 'bad.yaml': bad })
  const { code, stdout, stderr } = await gatehouse(folder, [
    'policy',
    'check',
    'bad.yaml',
    'good.yaml',
    'none.yaml',
  ])
  expect(code).toBe(2)
  expect(stdout).toMatch(/^ok good\.yaml: `good`, 2 rules, mode enforce, hash [0-9a-f]{16}\n$/)
  expect(stderr).toMatch(/^bad\.yaml:5:5: .*effekt/m)
  expect(stderr).toMatch(/^policy `none\.yaml` is not there/m)
  expect(stderr).not.toMatch(/^ +at /m)
})

test('a check in JSON names every problem by line and column', async () => {
  const { code, stdout } = await gatehouse(folderWith({ 'good.yaml': good, 'bad.yaml': bad }), [
    ...['policy', 'check', 'good.yaml', 'bad.yaml', '--json'],
  ])
  const { policies } = JSON.parse(stdout)
  expect(code).toBe(2)
  expect(policies[0]).toEqual({
    ...{ policy: 'good.yaml', ok: true, name: 'good', mode: 'enforce', rules: 2 },
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(policies[1]).toMatchObject({ policy: 'bad.yaml', ok: false, problems: expect.anything() })
  expect(policies[1].problems).toContainEqual({
    line: 5,
    column: 5,
    message: expect.stringContaining('effekt'),
  })
})

test('good policies and presets pass', async () => {
  const { code, stderr } = await gatehouse(folderWith({ 'good.yaml': good }), [
    'policy',
    'check',
    'good.yaml',
    'strict',
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test.each([
  ['an unknown action', ['--action', 'fs.raed'], /unknown action `fs\.raed`; did you mean `fs\.read`\?/],
  ['a pattern of actions', ['--action', 'fs.*'], /`fs\.\*` covers several actions; ask about one of them/],
  [
    'an unknown isolation',
    ['--action', 'fs.read', '--isolation', 'cel'],
    /there are cell, inline, host; did you mean `cell`\?/,
  ],
])('%s is wrong usage', async (_what, options, sentence) => {
  const { code, stdout, stderr } = await gatehouse(folderWith(), [
    ...['policy', 'explain', '--policy', 'strict', '--principal', 'a', '--resource', '/x', ...options],
  ])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(sentence)
})

test('a refusal is explained by what beats what, with the lines of the rules', async () => {
  const { code, stdout } = await gatehouse(folderWith({ 'good.yaml': good }), ask('/mem/secret/key'))
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^forbidden `agent` fs\.read `\/mem\/secret\/key` in isolation `cell`: forbidden by rule `no-secrets` \(good:8\)/,
  )
  expect(stdout).toContain('* forbid by `no-secrets` (good:8): no stricter rule matches')
  expect(stdout).toContain('- permit by `notes` (good:4): forbid beats permit')
})

test('silence is explained by the rules that came nearest', async () => {
  const { stdout } = await gatehouse(folderWith({ 'good.yaml': good }), ask('/workspace/a.csv'))
  expect(stdout).toContain('no rule matches; nearest to permitting it:')
  expect(stdout).toContain('- permit by `notes` (good:4): the path is not that of `/mem/**`')
})

test('an explanation in JSON is the decision itself', async () => {
  const folder = folderWith({ 'good.yaml': good })
  const { stdout } = await gatehouse(folder, ask('/mem/a', '--isolation', 'inline', '--json'))
  expect(JSON.parse(stdout)).toMatchObject({
    request: { principal: 'agent', action: 'fs.read', resource: '/mem/a', isolation: 'inline' },
    decision: { effect: 'permit', rules: [{ policy: 'good', id: 'notes', line: 4 }] },
    policies: [{ name: 'good', effect: 'permit' }],
  })
})

test('several policies have to agree', async () => {
  const folder = folderWith({ 'good.yaml': good })
  const { stdout } = await gatehouse(folder, [...ask('/mem/a'), '--policy', 'researcher', '--json'])
  expect(JSON.parse(stdout).policies.map(({ name }: { name: string }) => name)).toEqual([
    'good',
    'researcher',
  ])
})

test('the presets are listed with whom each is for', async () => {
  const { code, stdout } = await gatehouse(folderWith(), ['policy', 'list'])
  expect(code).toBe(0)
  for (const preset of ['audit', 'permissive', 'read-only', 'researcher', 'strict'])
    expect(stdout).toMatch(new RegExp(`^${preset} +\\S`, 'm'))
  const listed = JSON.parse((await gatehouse(folderWith(), ['policy', 'list', '--json'])).stdout)
  expect(listed.presets).toContainEqual({
    ...{ name: 'strict', for: 'code that nobody has read', mode: 'enforce', isolation: 'inline' },
  })
})

test('a condition is explained with what has been seen and done', async () => {
  const guarded = `version: 1
name: guarded
rules:
  - id: known
    effect: permit
    action: tool.call
    resource: send
    when: origin(args.to) == "trusted" && history.run.count("tool.call", "read_*") == 0
`
  const folder = folderWith({ 'guarded.yaml': guarded })
  const why = (...more: readonly string[]) =>
    gatehouse(folder, [
      ...['policy', 'explain', '--policy', 'guarded.yaml', '--principal', 'agent', '--action', 'tool.call'],
      ...['--resource', 'send', '--args', '{"to":"bob@corp.com"}', ...more],
    ])
  const seen = ['--seen', 'trusted=Bob@corp.com', '--seen', 'untrusted=a=b']
  expect((await why(...seen)).stdout).toMatch(/^permitted /)
  expect((await why()).stdout).toMatch(/^forbidden /)
  expect((await why(...seen, '--done', 'tool.call=write_mail')).stdout).toMatch(/^permitted /)
  expect((await why(...seen, '--done', 'tool.call=read_mail')).stdout).toMatch(/^forbidden /)
  expect(await why('--seen', 'unknown=x')).toMatchObject({ code: 2 })
  expect(await why('--done', 'tool.cal=x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean'),
  })
})

test('a condition is explained with the arguments and labels that are given', async () => {
  const guarded = `version: 1
name: guarded
rules:
  - id: small
    effect: permit
    action: fs.write
    when: args.path == "/mem/a" && args.bytes < 10 && !("web" in labels)
`
  const folder = folderWith({ 'guarded.yaml': guarded })
  const why = (...more: readonly string[]) =>
    gatehouse(folder, [
      ...['policy', 'explain', '--policy', 'guarded.yaml', '--principal', 'agent'],
      ...['--action', 'fs.write', '--resource', '/mem/a', ...more],
    ])
  expect((await why('--args', '{"bytes": 3}')).stdout).toMatch(/^permitted /)
  expect((await why('--args', '{"bytes": 30}')).stdout).toContain('its condition does not hold')
  expect((await why('--args', '{"bytes": 3}', '--label', 'web')).stdout).toContain(
    'its condition does not hold',
  )
  expect((await why()).stdout).toContain('cannot be judged: no such key: bytes')
  expect(await why('--args', '[1]')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('JSON object'),
  })
})

test('explain asks about what a call holds, and a policy that only narrows is checked alone and asked beside another', async () => {
  const folder = folderWith({ 'good.yaml': good })
  const about = async (...more: readonly string[]) =>
    (await gatehouse(folder, ask('/mem/a', '--policy', 'no-secrets', ...more))).stdout
  expect(await about()).toMatch(/^permitted/)
  const write = [
    'policy',
    'explain',
    '--policy',
    'good.yaml',
    '--policy',
    'no-secrets',
    '--principal',
    'agent',
  ]
  const content = ['--content', 'password = "correct7horse8battery9"']
  const held = await gatehouse(folder, [...write, '--action', 'fs.write', '--resource', '/mem/a', ...content])
  expect(held.stdout).toMatch(/^forbidden .* by rule `not-kept` \(no-secrets:\d+\), since it holds/)
  expect((await gatehouse(folder, ['policy', 'check', 'no-secrets'])).stdout).toMatch(/^ok no-secrets: /)
  const alone = await gatehouse(folder, [
    'policy',
    'explain',
    '--policy',
    'no-secrets',
    ...ask('/a').slice(4),
  ])
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('narrows what stands beside it')])
})
