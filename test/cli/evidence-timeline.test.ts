/** What happened, as people and programs read it from a record. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inFolder, intent, recordCall } from '../evidence/support.ts'
import { commandLine, folderWith, gatehouse, runCommand } from '../support/cli.ts'
import { gatehouseInside } from '../support/cli-inside.ts'

const log = '.gatehouse/log-000001.jsonl'

/** A folder whose `.gatehouse` holds so many calls of run `r1`, and one of `r2` that did not end. */
async function recorded(calls = 3): Promise<string> {
  const folder = folderWith()
  const record = inFolder(join(folder, '.gatehouse'))
  for (let call = 1; call <= calls; call += 1) recordCall(record, call)
  record.append({ ...intent(record.payload('{}'), 9), run: 'r2', pid: 8 })
  record.append({ kind: 'close' })
  await record.close()
  return folder
}

const timeline = (folder: string, ...args: readonly string[]) =>
  gatehouseInside(['evidence', 'timeline', join(folder, '.gatehouse'), ...args])

test.each([
  ['an unknown kind', ['--kind', 'refusals'], /there are open, spawn, .*did you mean `refusal`\?/],
  ['an unknown decision', ['--decision', 'allow'], /there are permit, ask, forbid, unjudged/],
  ['a pid that is none', ['--pid', 'one'], /write a whole number from 1 on/],
  ['no rows at all', ['--limit', '0'], /write a whole number from 1 on/],
  ['both ends', ['--limit', '1', '--last', '1'], /give one of them/],
  ['a time that is none', ['--after', 'yesterday'], /write a time such as/],
  ['a unit that is none', ['--before', '2d'], /units are ms, s, m, h/],
])('a timeline of %s is wrong usage', async (_what, args, sentence) => {
  const { code, stdout, stderr } = await timeline(folderWith(), ...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(sentence)
})

test('a timeline of nothing, or of what cannot be read, is refused', async () => {
  const nothing = await gatehouse(folderWith(), ['evidence', 'timeline'])
  expect(nothing).toEqual({ code: 3, stdout: '', stderr: 'gatehouse: `.gatehouse` does not exist\n' })
  const folder = await recorded()
  appendFileSync(join(folder, log), 'x\u001b[2J\n')
  const damaged = await timeline(folder)
  expect(damaged.code).toBe(1)
  expect(damaged.stderr).toMatch(
    /^gatehouse: `.*`: a line after entry \d+ of the evidence is not an entry; verify it\n$/,
  )
})

test('a timeline has one row for each call and event, with the rule and the outcome', async () => {
  const folder = folderWith({
    'agent.ts': `export default async () => {
      await fs.write('/mem/note.txt', 'x')
      await fs.read('/etc/passwd').catch(() => {})
      await sys('x\\u001b[2J', {}).catch(() => {})
      await fs.read('/mem/none').catch(() => {})
    }`,
  })
  await gatehouse(folder, ['run', 'agent.ts'])
  const { code, stdout } = await timeline(folder)
  expect(code).toBe(0)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/).slice(2))
  expect(lines[0]).toEqual(['pid', 'agent', 'what', 'resource', 'decision', 'outcome'])
  const own = ['1', 'agent']
  const permit = 'permit by strict:own-memory'
  expect(lines).toContainEqual([...own, 'fs.write', '/mem/note.txt', permit, 'committed'])
  expect(lines).toContainEqual([...own, 'fs.read', '/mem/none', permit, 'failed ENOENT'])
  expect(stdout).toMatch(/fs\.read +\/etc\/passwd +forbid +refused EPERM: no rule permits it/)
  expect(stdout).toMatch(/agent +x\\x1b\[2J +refused ENOSYS: no such syscall/)
  expect(stdout).not.toContain('\u001b')
  expect(stdout).not.toContain('turn')
  expect(stdout).toMatch(/ exit .* exited\n/)
})

test('a timeline is narrowed, and cut at either end', async () => {
  const folder = await recorded()
  const entries = async (...args: readonly string[]) => {
    const { stdout } = await timeline(folder, '--json', ...args)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).seq)
  }
  expect(await entries('--run', 'r2')).toEqual([6])
  expect(await entries('--pid', '7', '--kind', 'outcome')).toEqual([1, 3, 5])
  expect(await entries('--limit', '2')).toEqual([0, 1])
  expect(await entries('--last', '2')).toEqual([6, 7])
  expect(await entries('--syscall', 'fs.*', '--last', '2', '--before', '2023-11-14T22:14:00Z')).toEqual([
    5, 6,
  ])
  expect(await entries('--after', '1h')).toEqual([])
  expect((await timeline(folder, '--last', '2')).stderr).toBe('3 earlier are left out\n')
  expect((await timeline(folder, '--limit', '2')).stderr).toBe('there is more after these 2\n')
  expect((await timeline(folder, '--label', 'none')).stderr).toBe('nothing on record fits\n')
})

test('the lines of --json are the entries of the record', async () => {
  const folder = await recorded()
  const { stdout } = await timeline(folder, '--json')
  expect(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ).toEqual(
    readFileSync(join(folder, log), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  )
})

test('a run that is not on record is told, with the one that was meant', async () => {
  const folder = await recorded()
  writeFileSync(
    join(folder, log),
    readFileSync(join(folder, log), 'utf8').replaceAll('"kind":"intent"', '"kind":"spawn"'),
  )
  expect(await timeline(folder, '--run', 'r3')).toMatchObject({
    code: 3,
    stderr: 'gatehouse: run `r3` is not on record; did you mean `r1`?\n',
  })
  const { stderr } = await timeline(folder, '--run', 'something else\u001b[2J')
  expect(stderr).toBe('gatehouse: run `something else\\x1b[2J` is not on record; there are 2, such as `r2`\n')
})

test('a long record is read as far as somebody reads, and no further', async () => {
  const folder = await recorded(5_000)
  appendFileSync(join(folder, log), 'no entry\n')
  const command = `${commandLine.map((word) => `'${word}'`).join(' ')} evidence timeline`
  const head = await runCommand(['bash', '-c', `set -o pipefail; ${command} | head -n 3`], folder)
  expect(head).toMatchObject({ code: 0, stderr: '' })
  expect(head.stdout.split('\n')).toHaveLength(4)
  const lines = await runCommand(['bash', '-c', `set -o pipefail; ${command} --json | head -n 3`], folder)
  expect(lines).toMatchObject({ code: 0, stderr: '' })
})
