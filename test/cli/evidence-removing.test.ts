/** Texts are deleted from a record by command; the record stays whole and says so. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultKeyFile, makeDefaultKey, readKeyFile } from '../../src/evidence/files/key-file.ts'
import { newKeyText, readKeyText } from '../../src/evidence/keys.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import { inFolder, recordCall, signedIn, verifierFor } from '../evidence/support.ts'
import { folderWith, gatehouse } from '../support/cli.ts'

async function recorded() {
  const folder = folderWith()
  const dir = join(folder, '.gatehouse')
  makeDefaultKey()
  const log = signedIn(dir, readKeyFile(defaultKeyFile()))
  for (const call of [1, 2, 3]) recordCall(log, call, `secret ${call}`)
  log.append({ kind: 'close' })
  await log.close()
  return { folder, dir }
}

const everything = (dir: string): string =>
  [
    ...readdirSync(dir).map((file) => readFileSync(join(dir, file), 'latin1')),
    ...new EvidenceFolder(dir).packs(),
  ].join('\n')

test('redact deletes what an entry names, says so, and leaves a sound record that counts it', async () => {
  const { folder, dir } = await recorded()
  const done = await gatehouse(folder, ['evidence', 'redact', '3', '--reason', 'an address', '--by', 'mia'])
  expect(done).toMatchObject({ code: 0, stdout: '.gatehouse: 1 payloads deleted, on record\n' })
  expect(everything(dir)).not.toContain('secret 2')
  expect(everything(dir)).toContain('secret 3')
  const [entry] = new EvidenceFolder(dir).entries({ kind: 'redact' })
  expect(entry).toMatchObject({ by: 'mia', reason: 'an address', entries: [3], payloads: 1 })
  const verified = await gatehouse(folder, ['evidence', 'verify'])
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('sound') })
  expect(verified.stdout).toContain('1 payloads are gone, 1 were deleted on record')
  expect((await gatehouse(folder, ['evidence', 'timeline'])).stdout).toContain('redact')
})

test('prune deletes what a run left, or all that is old, in the folder that is named', async () => {
  const { folder, dir } = await recorded()
  const nothing = await gatehouse(folder, ['evidence', 'prune', dir, '--older-than', '36500d'])
  expect(nothing).toMatchObject({ code: 0, stdout: expect.stringContaining(': 0 payloads deleted\n') })
  const done = await gatehouse(folder, ['evidence', 'prune', '--run', 'r1', '--json'])
  expect(JSON.parse(done.stdout)).toEqual({ dir: '.gatehouse', payloads: 6, shared: 0 })
  expect(everything(dir)).not.toContain('secret')
  const again = await gatehouse(folder, ['evidence', 'prune', '--older-than', '1s'])
  expect(again).toMatchObject({ code: 0, stdout: '.gatehouse: 0 payloads deleted\n' })
  expect((await gatehouse(folder, ['evidence', 'verify'])).code).toBe(0)
})

test('while a kernel writes there nothing is deleted, and what to do is said', async () => {
  const { folder, dir } = await recorded()
  const log = inFolder(dir)
  for (const args of [
    ['redact', '2', '--reason', 'x'],
    ['prune', '--older-than', '1s'],
  ]) {
    const { code, stderr } = await gatehouse(folder, ['evidence', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(
      `nothing is deleted in \`.gatehouse\`: a kernel writes there (process ${process.pid}); end it first`,
    )
  }
  await log.close()
  expect(everything(dir)).toContain('secret 2')
})

test('what is not understood is refused, and nothing is deleted', async () => {
  const { folder, dir } = await recorded()
  const refusals: readonly (readonly [string, readonly string[]])[] = [
    ["required option '--reason <text>' not specified", ['redact', '2']],
    ['`x` is not the number of an entry', ['redact', 'x', 'y', '--reason', 'z']],
    ['there is no entry 99', ['redact', '99', '--reason', 'z']],
    ['either `--older-than 30d` or `--run ID`', ['prune']],
    ['has no unit', ['prune', '--older-than', '30']],
    ['either `--older-than 30d` or `--run ID`', ['prune', '--older-than', '1d', '--run', 'r1']],
    ['no run `r9` is on record in `.gatehouse`', ['prune', '--run', 'r9']],
  ]
  for (const [why, args] of refusals) {
    const { code, stderr } = await gatehouse(folder, ['evidence', ...args])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(why) })
  }
  expect(everything(dir)).toContain('secret 2')
})

test('code 3 where there is no record', async () => {
  const { code } = await gatehouse(folderWith(), ['evidence', 'prune', '--older-than', '1d'])
  expect(code).toBe(3)
})

test('what is deleted from signed evidence is signed for by the same key, and by no other', async () => {
  const { folder } = await recorded()
  const key = newKeyText()
  const dir = join(folder, 'signed')
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  writeFileSync(join(folder, 'operator.pub'), verifierFor(readKeyText(key)))
  const log = signedIn(dir, readKeyText(key))
  recordCall(log, 1, 'secret 1')
  log.append({ kind: 'close' })
  await log.close()
  const redact = (...more: readonly string[]) =>
    gatehouse(folder, ['evidence', 'redact', '1', 'signed', '--reason', 'x', ...more])
  const refused = await redact()
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('signs this evidence; name it with --evidence-key')
  expect(everything(dir)).toContain('secret 1')
  expect(await redact('--evidence-key', 'key.pem')).toMatchObject({ code: 0 })
  expect(everything(dir)).not.toContain('secret 1')
  const verified = await gatehouse(folder, ['evidence', 'verify', 'signed', '--key', 'operator.pub'])
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('sound') })
})
