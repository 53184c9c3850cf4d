/** `gatehouse replay`: a recorded run does the same again, or the first difference is shown; the exit code says which. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'

const agent = `export default async () => {
  await fs.write('/tmp/a', 'one')
  const { pid } = await proc.spawn(async () => { console.log('child', Math.random()) })
  await proc.wait(pid)
  return new Date().getHours()
}`

/** A folder in which the agent has run. */
async function ran() {
  const folder = folderWith({ 'agent.js': agent })
  const { stderr } = await gatehouse(folder, [
    'run',
    'agent.js',
    '--policy',
    'permissive',
    '--isolation',
    'inline',
  ])
  const run = /, run ([0-9a-f]{12})/.exec(stderr)?.[1] ?? ''
  expect(run).not.toBe('')
  return { folder, run }
}

/** Another text in the place of one that is on record, so that every hash is right again. */
function forge(folder: string, one: string, other: string): void {
  const [pack, log] = ['pack', 'log'].map((name) => join(folder, `.gatehouse/${name}-000001.jsonl`)) as [
    string,
    string,
  ]
  const hashes = new Map<string, string>()
  const lines = readFileSync(pack, 'utf8')
    .split('\n')
    .map((line) => {
      const { hash, salt, text } = JSON.parse(line || '{}')
      if (!text?.includes(one)) return line
      const changed = text.replace(one, other)
      const now = createHash('sha256').update(Buffer.from(salt, 'hex')).update(changed).digest('hex')
      hashes.set(hash, now)
      return JSON.stringify({ hash: now, salt, text: changed })
    })
  writeFileSync(pack, lines.join('\n'))
  writeFileSync(
    log,
    readFileSync(log, 'utf8').replaceAll(/[0-9a-f]{64}/g, (hash) => hashes.get(hash) ?? hash),
  )
}

test('code 0: every process did the same again; the beginning of the id is enough', async () => {
  const { folder, run } = await ran()
  const { code, stdout } = await gatehouse(folder, ['replay', run.slice(0, 6)])
  expect(stdout).toMatch(/^equal process 1 \(agent\): \d turns, 4 calls; exited\nequal process 2 /)
  expect(stdout).toContain(
    `equal run ${run}: every call was made again, byte for byte: 6 calls of 2 processes`,
  )
  expect(code).toBe(0)
  const one = await gatehouse(folder, [
    'replay',
    run,
    '.gatehouse',
    '--pid',
    '2',
    '--isolation',
    'inline',
    '--json',
  ])
  expect(JSON.parse(one.stdout)).toMatchObject({
    ...{ dir: '.gatehouse', isolation: 'inline', run, verdict: 'equal' },
    processes: [{ pid: 2, verdict: 'equal', calls: 2 }],
  })
})

test('code 1: the first difference, with both sides and the line', async () => {
  const { folder, run } = await ran()
  forge(folder, `fs.write("/tmp/a", "one")`, `fs.write("/tmp/a", "two")`)
  const { code, stdout } = await gatehouse(folder, ['replay', run, '--isolation', 'inline'])
  expect(code).toBe(1)
  expect(stdout).toContain('recorded: call 1: fs.write {"path":"/tmp/a","text":"one"}')
  expect(stdout).toContain('replayed: call 1: fs.write {"path":"/tmp/a","text":"two"}')
  expect(stdout).toMatch(/agent code, agent\.[jt]s:\d+: await fs\.write\("\/tmp\/a", "two"\);?\n/)
})

test('code 2: the record does not suffice; a changed payload is refused', async () => {
  const { folder, run } = await ran()
  const pack = join(folder, '.gatehouse/pack-000001.jsonl')
  const lines = readFileSync(pack, 'utf8').split('\n')
  writeFileSync(pack, lines.filter((line) => !line.includes('proc.spawn(')).join('\n'))
  const gone = await gatehouse(folder, ['replay', run])
  expect(gone.stdout).toContain('its program, its arguments or its beginning was deleted')
  expect(gone.code).toBe(2)
  writeFileSync(pack, lines.map((line) => line.replace('await', 'yield')).join('\n'))
  const changed = await gatehouse(folder, ['replay', run])
  expect(changed.stderr).toContain('is not what was hashed; verify it')
  expect(changed.code).toBe(2)
})

test('code 3: no such record, run or process', async () => {
  const { folder, run } = await ran()
  for (const args of [['0'], [''], [run, 'nowhere'], [run, '.gatehouse', '--pid', '9']]) {
    const { code, stderr } = await gatehouse(folder, ['replay', ...args])
    expect([code, stderr]).toEqual([3, expect.stringMatching(/no run|does not exist|no process 9/)])
  }
})
