/** A policy tried on a record, from the command line. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordOf } from '../backtest/support.ts'
import { folderWith, gatehouse } from '../support/cli.ts'
import { ask } from '../support/kernel.ts'

const policy = (name: string, rules: string): string => `version: 1\nname: ${name}\nrules:\n${rules}`
const files = {
  'old.yaml': policy('desk', '  - { id: all, effect: permit, action: "*" }\n'),
  'new.yaml': policy(
    'desk',
    '  - { id: all, effect: permit, action: "*" }\n  - { id: no, effect: forbid, action: [fs.stat, ipc.send] }\n',
  ),
}

/** A folder with both policies, and a record of what was done under the first. */
async function recorded(): Promise<{ readonly folder: string; readonly dir: string }> {
  const folder = folderWith(files)
  const { dir } = await recordOf({ policy: join(folder, 'old.yaml') }, (kernel) =>
    ask(kernel, "await fs.stat('/tmp/a').catch(() => {}); await ipc.send('b\\u001b[2J', 1).catch(() => {})", {
      name: 'clerk',
    }),
  )
  return { folder, dir }
}

test('what changes is shown by rule, with examples, and the command ends with 1', async () => {
  const { folder, dir } = await recorded()
  const { code, stdout } = await gatehouse(folder, ['policy', 'backtest', 'new.yaml', '--evidence', dir])
  expect(code).toBe(1)
  const lines = stdout.trimEnd().split('\n')
  expect(lines[1]).toMatch(/^permit +forbid +2 +1 +no \(desk:5\)$/)
  expect(lines[2]).toMatch(
    /^permit → forbid: entry 4, run \w{12}, clerk: fs.stat `\/tmp\/a`: forbidden by rule `no`/,
  )
  expect(stdout).not.toContain('\u001b')
  expect(lines.at(-2)).toBe(
    '2 decisions: 0 the same, 0 by other rules, 2 changed (1 after a change in their run), 0 undecidable',
  )
})

test('where nothing changes it ends with 0, and gives the same as data', async () => {
  const { folder, dir } = await recorded()
  const { code, stdout } = await gatehouse(folder, [
    ...['policy', 'backtest', 'old.yaml', '--evidence', dir, '--verify', '--json'],
  ])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    dir,
    policy: { name: 'desk', mode: 'enforce' },
    decisions: 2,
    same: { calls: 2 },
    runs: 1,
    rows: [],
  })
})

test('a record that is not there, not whole or without the run, and a policy that does not load, are refused', async () => {
  const { folder, dir } = await recorded()
  const under = (...args: readonly string[]) => gatehouse(folder, ['policy', 'backtest', ...args])
  expect(await under('old.yaml', '--evidence', 'none')).toMatchObject({
    code: 3,
    stderr: 'gatehouse: `none` does not exist\n',
  })
  expect(await under('old.yaml', 'zz', '--evidence', dir)).toMatchObject({
    code: 2,
    stderr: 'gatehouse: no run whose id begins with `zz` is on record\n',
  })
  expect((await under('older.yaml', '--evidence', dir)).code).toBe(2)
  const log = join(dir, 'log-000001.jsonl')
  const text = readFileSync(log, 'utf8')
  writeFileSync(log, text.replace('"agent":"clerk"', '"agent":"clark"'))
  expect(await under('old.yaml', '--evidence', dir, '--verify')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the record is not whole: entry \d+/),
  })
  writeFileSync(log, text.replace('{"agent"', '"agent"'))
  expect(await under('old.yaml', '--evidence', dir)).toMatchObject({
    code: 2,
    stderr: 'gatehouse: line 2 of the evidence is not an entry; verify it\n',
  })
})
