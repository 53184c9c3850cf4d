/** Policies of other languages in a kernel that runs: boot, calls, /policy, children, reload. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from './support/cli.ts'
import { ask, boot, refusalOf } from './support/kernel.ts'
import { regoModule } from './support/rego-module.ts'

const notes = `@id("notes")
permit(principal, action in Action::"fs", resource in Path::"/mem");
@id("policy")
permit(principal, action == Action::"fs.read", resource in Path::"/policy");
@id("children")
permit(principal, action in Action::"proc", resource);
@id("small")
forbid(principal, action == Action::"fs.write", resource) when { context.args has bytes && context.args.bytes > 10 };
`

test('a kernel under a Cedar file does what it permits, and refuses by its policies', async () => {
  const kernel = boot({ policy: join(folderWith({ 'team.cedar': notes }), 'team.cedar') })
  const said = await ask(
    kernel,
    `const write = async (path, text) => ${refusalOf('fs.write(path, text)')}
    return [await write('/mem/a', 'short'), await write('/mem/a', 'far too long for it'), await write('/tmp/a', 'x'), await fs.read('/mem/a')]`,
  )
  expect(said).toEqual([
    'ok',
    expect.stringMatching(/EPERM.*forbidden by rule `small` \(team:7\)/),
    expect.stringMatching(/EPERM.*nothing in `team` \(Cedar\) permits this fs.write/),
    'short',
  ])
})

test('a process reads the policy in force, without the folder that it came from', async () => {
  const folder = folderWith({
    'team.cedar': notes,
    'gate.yaml': '{ version: 1, name: gate, engine: cedar, file: ./team.cedar }',
  })
  const kernel = boot({ policy: ['permissive', join(folder, 'gate.yaml')] })
  const [document, text, hash] = (await ask(
    kernel,
    `return [await fs.read('/policy/gate.yaml'), await fs.read('/policy/gate.cedar'), (await fs.read('/policy/hash')).trim()]`,
  )) as string[]
  expect(text).toBe(notes)
  expect(document).toContain('"file": "team.cedar"')
  expect(document).not.toContain(folder)
  expect(hash).toMatch(/^[0-9a-f]{64}$/)
})

test('the file is absent from a mount of its folder', async () => {
  const folder = folderWith({
    'team.cedar': `${notes}permit(principal, action, resource in Path::"/desk");`,
    'a.txt': 'x',
  })
  const kernel = boot({ policy: join(folder, 'team.cedar'), mounts: { '/desk': { host: folder } } })
  expect(await ask(kernel, `return (await fs.list('/desk')).map((it) => it.name ?? it)`)).toEqual(['a.txt'])
  expect(await ask(kernel, `return ${refusalOf("fs.read('/desk/team.cedar')")}`)).toMatch(
    /ENOENT|EPERM|EACCES/,
  )
})

test('what is no longer judged by the old file is judged by the new one', async () => {
  const file = join(folderWith({ 'team.cedar': notes }), 'team.cedar')
  const kernel = boot({ policy: file })
  const write = refusalOf("fs.write('/mem/a', 'x')")
  expect(await ask(kernel, `return ${write}`)).toBe('ok')
  writeFileSync(file, 'permit(principal, action, resource')
  await expect(kernel.reload(file)).rejects.toThrow(/unexpected end of input/)
  expect(await ask(kernel, `return ${write}`)).toBe('ok')
  writeFileSync(file, 'forbid(principal, action, resource);')
  await kernel.reload(file)
  expect(await ask(kernel, `return ${write}`)).toMatch(/EPERM/)
})

test.each([
  [`'./team.cedar'`],
  [`'team.wasm'`],
  [`{ version: 1, name: 'x', engine: 'cedar', file: 'team.cedar' }`],
  [`[{ version: 1, name: 'x', engine: 'rego', file: 'team.wasm', data: 'a.json' }]`],
])('an agent cannot have the kernel read %s for its child', async (policy) => {
  const kernel = boot({ policy: 'permissive' })
  const spawn = `proc.spawn('export default 1', { name: 'child', policy: ${policy} })`
  expect(await ask(kernel, `return ${refusalOf(spawn)}`)).toMatch(
    /EINVAL.*paths of the host are not read for agents/,
  )
})

test('a kernel asks a Rego module beside its own policy', async () => {
  const folder = folderWith()
  const file = join(folder, 'team.wasm')
  const act = { result: { effect: 'forbid', rules: ['no-b'], reason: 'b is for others' } }
  writeFileSync(
    file,
    await regoModule({
      'gatehouse/decision': { cases: [{ when: '"resource":"/mem/b"', act }], otherwise: { result: true } },
    }),
  )
  const kernel = boot({ policy: ['strict', file], isolation: 'inline' })
  const write = (path: string) => ask(kernel, `return ${refusalOf(`fs.write('${path}', 'x')`)}`)
  expect(await write('/mem/a')).toBe('ok')
  expect(await write('/mem/b')).toMatch(/forbidden by rule `no-b` \(team:1\): b is for others/)
  expect(await write('/other')).toMatch(/EPERM/)
})

test('a kernel does not boot under a file that is unsound', () => {
  const file = join(
    folderWith({ 'team.cedar': 'permit(principal, action == Action::"fs.raed", resource);' }),
    'team.cedar',
  )
  expect(() => boot({ policy: file })).toThrow(/unknown action/)
  expect(() => boot({ policy: ['strict', 'missing.cedar'] })).toThrow(/is not there/)
})

test('the command checks, explains and tests it', async () => {
  const folder = folderWith({
    'team.cedar': notes,
    'cases/team.yaml':
      'policy: ../team.cedar\ncases:\n  - { action: fs.write, resource: /mem/a, args: { bytes: 99 }, effect: forbid, rule: small }\n',
  })
  expect(await gatehouse(folder, ['policy', 'check', 'team.cedar'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ok team.cedar: `team`, 4 rules, cedar, mode enforce/),
  })
  expect((await gatehouse(folder, ['policy', 'test', 'team.cedar'])).stdout).toMatch(
    /1 of 1 cases hold under team/,
  )
  const asked = [
    '--principal',
    'desk',
    '--action',
    'fs.write',
    '--resource',
    '/mem/a',
    '--args',
    '{"bytes":3}',
  ]
  expect((await gatehouse(folder, ['policy', 'explain', '--policy', 'team.cedar', ...asked])).stdout).toMatch(
    /permit by `notes` \(team:1\)/,
  )
  const linted = await gatehouse(folder, ['policy', 'lint', 'team.cedar'])
  expect(linted).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot be looked through: it is written in Cedar'),
  })
}, 60_000)
