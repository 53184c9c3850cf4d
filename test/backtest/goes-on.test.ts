/** Records in which policies of single processes changed, and runs that go on from other ones. */
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, boot, entriesOf, exitValue, main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { evidenceIn, recordOf, tried } from './support.ts'

const rules = policyOf([{ id: 'all', effect: 'permit', action: '*' }])

test('what a process has of its own counts for its children after another policy came into force', async () => {
  const own = policyOf(
    [
      { id: 'rest', effect: 'permit', action: '*' },
      { id: 'no-write', effect: 'forbid', action: 'fs.write' },
    ],
    { name: 'own' },
  )
  const child = main(`return fs.write('/mem/x', 'x').then(() => 'ok', (error) => error.code)`)
  const evidence = await recordOf({ policy: { ...rules, name: 'before' } }, async (kernel) => {
    const source = main(`await ipc.receive()
      return (await proc.wait((await proc.spawn(${JSON.stringify(child)})).pid)).value`)
    const process = kernel.spawn({ source }, { name: 'narrow', policy: own })
    await until(() => process.state === 'waiting', 'it waits')
    await kernel.reload(rules)
    await ask(kernel, `await ipc.send('narrow', 1)`, { name: 'friend' })
    expect(exitValue(await process.exit)).toBe('EPERM')
  })
  expect(tried(evidence, rules)).toMatchObject({ rows: [], undecided: [] })
})

test('calls of a run that goes on from another one are undecided, and the rest is as it was', async () => {
  const dir = tempFolder()
  const first = boot({ policy: rules, evidence: { dir } })
  await first.spawn({ source: main(`await fs.write('/mem/a', 'a'); await fs.write('/mem/b', 'b')`) }).exit
  const [{ run = '' } = {}] = entriesOf(first, 'spawn')
  const [{ seq = 0 } = {}] = entriesOf(first, 'outcome')
  await first.shutdown()
  const copy = tempFolder()
  for (const name of readdirSync(dir))
    if (/^(log|pack)-/.test(name)) cpSync(join(dir, name), join(copy, name))
  const fork = boot({ policy: rules, evidence: { dir: copy, fork: { run, seq } } })
  for (const { exit } of fork.restored) expect(await exit).toMatchObject({ status: 'exited' })
  await fork.shutdown()
  expect(tried(evidenceIn(copy), rules)).toMatchObject({
    ...{ rows: [], runs: 2 },
    undecided: [{ because: 'process', calls: 1 }],
  })
})
