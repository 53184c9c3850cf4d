/** `run --resume` and `fork`: what a killed command ran goes on, and a run begins where another one was. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import { folderWith, gatehouse, start } from '../support/cli.ts'

const agent = `export default async (n) => {
  await fs.write('/mem/working/n', String(n))
  console.log('waits')
  const at = await fs.stat('/mem/working/go').then(() => 'never', () => 'later')
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  return { n: await fs.read('/mem/working/n'), at }
}`

const options = ['--isolation', 'inline', '--policy', 'permissive']

test('a command that was killed is gone on with; its run is forked with another reply', {
  timeout: 60_000,
}, async () => {
  const folder = folderWith({ 'agent.js': agent })
  const first = start(folder, ['run', 'agent.js', '--arg', '7', ...options])
  await first.until('waits')
  await new Promise((resolve) => setTimeout(resolve, 300))
  first.child.kill('SIGKILL')
  await first.ended
  const again = await gatehouse(folder, ['run', '--resume', ...options, '--json'])
  expect(JSON.parse(again.stdout)).toMatchObject({ status: 'exited', value: { n: '7', at: 'later' } })
  expect(again.code).toBe(0)
  const nothing = await gatehouse(folder, ['run', '--resume', ...options])
  expect(nothing).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing in .gatehouse goes on') })
  const evidence = new EvidenceFolder(`${folder}/.gatehouse`)
  const entries = [...evidence.entries()]
  const { run } = JSON.parse(again.stdout)
  const intent = entries.find(({ kind, syscall }) => kind === 'intent' && syscall === 'fs.stat')
  const { seq = 0 } = entries.find((entry) => entry.kind === 'outcome' && entry.intent === intent?.seq) ?? {}
  const reply = ['--reply', `${seq}={"type":"file","size":1,"modified":0}`]
  const forked = await gatehouse(folder, ['fork', `${run}@${seq}`, ...reply, ...options, '--json'])
  expect(JSON.parse(forked.stdout)).toMatchObject({ status: 'exited', value: { n: '7', at: 'never' } })
  expect(forked.code).toBe(0)
  const replayed = await gatehouse(folder, [
    'replay',
    JSON.parse(forked.stdout).run,
    '--isolation',
    'inline',
    '--json',
  ])
  expect(JSON.parse(replayed.stdout)).toMatchObject({ verdict: 'equal' })
  expect((await gatehouse(folder, ['evidence', 'verify'])).code).toBe(0)
})

test('what cannot be is said: no place, no run, options of a new run', async () => {
  const folder = folderWith({ 'agent.js': agent })
  expect(await gatehouse(folder, ['fork', 'nowhere'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('RUN@SEQ'),
  })
  expect(await gatehouse(folder, ['fork', 'abc@4'])).toMatchObject({ code: 2 })
  expect(await gatehouse(folder, ['run', 'agent.js', '--resume'])).toMatchObject({
    ...{ code: 2, stderr: expect.stringContaining('for a new run') },
  })
  expect(await gatehouse(folder, ['run', '--resume', 'nowhere'])).toMatchObject({
    ...{ code: 2, stderr: expect.stringMatching(/nothing can go on: .*`nowhere`/) },
  })
  expect(existsSync(join(folder, 'nowhere'))).toBe(false)
})
