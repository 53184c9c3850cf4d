/** Calls that wait for a person, recorded and replayed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { asked, mailer, mailRules, send } from '../approvals/support.ts'
import { boot, entriesOf, main, policyOf, tempFolder } from '../support/kernel.ts'
import { expectEqual, replayAll } from './support.ts'

test('a call that is approved, one that is denied, and one whose arguments a person wrote', async () => {
  const dir = tempFolder()
  const { kernel } = mailer({ evidence: { dir } })
  const source = main(`const told = []
    for (const to of ['one', 'two', 'three']) told.push(${send('x').replace('"x"', 'to')}, Date.now())
    return told`)
  const process = kernel.spawn({ source })
  kernel.approvals.approve((await asked(kernel)).id)
  await kernel.approvals.deny((await asked(kernel)).id, 'not now')
  kernel.approvals.approve((await asked(kernel)).id, { args: { name: 'send_email', args: { to: 'four' } } })
  expect(await process.exit).toMatchObject({ status: 'exited' })
  await kernel.shutdown()
  const [run] = await replayAll(dir)
  expectEqual(run)
})

test('a process that ends before a person could be asked has its call on record, refused', async () => {
  const dir = tempFolder()
  const host = tempFolder()
  writeFileSync(join(host, 'a.txt'), 'before')
  const kernel = boot({
    evidence: { dir },
    policy: policyOf([...mailRules, { id: 'own', effect: 'ask', action: 'fs.write', resource: '/host/**' }]),
    mounts: { '/host': { host, mode: 'rw' } },
  })
  const source = main(`fs.write('/host/a.txt', 'after'); await proc.exit(1)`)
  expect(await kernel.spawn({ source }).exit).toMatchObject({ status: 'exited', value: 1 })
  await expect
    .poll(() => entriesOf(kernel, 'refusal', 'fs.write'))
    .toMatchObject([{ code: 'ECANCELED', call: 1 }])
  await kernel.shutdown()
  const [run] = await replayAll(dir)
  expectEqual(run)
})
