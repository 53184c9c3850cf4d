/** A record is verified and read from outside; what is wrong with it is named, and told by the exit code. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSigner, newKeyText } from '../../src/evidence/keys.ts'
import { intent, recordCall, signedIn, verifierFor } from '../evidence/support.ts'
import { folderWith, gatehouse, start } from '../support/cli.ts'

const log = '.gatehouse/log-000001.jsonl'
const pack = '.gatehouse/pack-000001.jsonl'

/** A folder whose `.gatehouse` holds three calls, and what `more` puts after them. */
async function recorded(
  more: (log: ReturnType<typeof signedIn>) => void = (it) => it.append({ kind: 'close' }),
) {
  const folder = folderWith()
  const record = signedIn(join(folder, '.gatehouse'))
  for (const call of [1, 2, 3]) recordCall(record, call)
  more(record)
  await record.close()
  return folder
}

function edit(folder: string, file: string, change: (text: string) => string): void {
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')))
}

const withoutLine = (text: string, index: number): string => text.split('\n').toSpliced(index, 1).join('\n')

const verify = async (folder: string, ...args: readonly string[]) => {
  const { code, stdout, stderr } = await gatehouse(folder, ['evidence', 'verify', ...args])
  return { code, text: stdout + stderr }
}

test.each([
  ['there is no folder', undefined, '`.gatehouse` does not exist'],
  ['the folder holds no log', {}, '`.gatehouse` holds no evidence'],
])('code 3 when %s', async (_what, files, reason) => {
  const folder = folderWith()
  if (files !== undefined) mkdirSync(join(folder, '.gatehouse'))
  const { code, text } = await verify(folder)
  expect(code).toBe(3)
  expect(text).toContain(`gatehouse: ${reason}`)
  const { stdout } = await gatehouse(folder, ['evidence', 'verify', '--json'])
  expect(JSON.parse(stdout)).toEqual({
    dir: '.gatehouse',
    verdict: 'missing',
    reason: expect.stringContaining(reason),
  })
})

test('code 3 when it is a file', async () => {
  expect(await verify(folderWith({ kept: '' }), 'kept')).toEqual({
    ...{ code: 3, text: 'gatehouse: `kept` cannot be read: it is not a folder\n' },
  })
})

test.each([
  ['edited', log, (text: string) => text.replace('"fs.read"', '"fs.list"'), 'chain'],
  ['deleted', log, (text: string) => withoutLine(text, 2), 'sequence'],
  ['doubled', log, (text: string) => text.replace(/^(.*\n)/, '$1$1'), 'sequence'],
  ['made unreadable', log, (text: string) => text.replace('{', '['), 'unparsable'],
  ['rewritten in another form', log, (text: string) => text.replace('{', '{ '), 'not-canonical'],
  ['an edited payload', pack, (text: string) => text.replace('\\"call\\":1', '\\"call\\":9'), 'payload'],
] as const)('code 1 when an entry is %s', async (_what, file, change, kind) => {
  const folder = await recorded()
  edit(folder, file, change)
  const { code, text } = await verify(folder)
  expect(code).toBe(1)
  expect(text).toMatch(/^tampered \.gatehouse: \d+ entries/)
  expect(text).toMatch(new RegExp(`^ {2}${kind}: `, 'm'))
})

test('code 1 when a file of the log is gone, and what is damaged cannot steer the terminal', async () => {
  const folder = await recorded()
  writeFileSync(join(folder, '.gatehouse/log-000002.jsonl'), readFileSync(join(folder, log)))
  unlinkSync(join(folder, log))
  edit(folder, '.gatehouse/log-000002.jsonl', (text) => `\u001b[2J${withoutLine(text, 0)}`)
  const { code, text } = await verify(folder)
  expect(code).toBe(1)
  expect(text).not.toContain('\u001b')
})

test('code 2 for a torn tail, which is named and left as it is', async () => {
  const folder = await recorded()
  appendFileSync(join(folder, log), '{"half":')
  const size = statSync(join(folder, log)).size
  const { code, text } = await verify(folder)
  expect(code).toBe(2)
  expect(text).toMatch(/^incomplete /)
  expect(text).toMatch(/^ {2}torn: `log-000001\.jsonl` ends with 8 bytes of a line that was not finished/m)
  expect(statSync(join(folder, log)).size).toBe(size)
})

test('code 2 for a call whose end is not on record, which is named', async () => {
  const folder = await recorded((record) => {
    record.append(intent(record.payload('{}'), 4))
    record.append({ kind: 'close' })
  })
  const { code, text } = await verify(folder)
  expect(code).toBe(2)
  expect(text).toMatch(
    /^ {2}unsettled: entry 7, process 7, fs\.read `\/mem\/working\/notes\.txt`: whether it took effect/m,
  )
  expect(text).not.toContain('unclosed')
})

test('code 2 for a record that does not end with its end', async () => {
  const folder = await recorded(() => {})
  const { code, text } = await verify(folder)
  expect(code).toBe(2)
  expect(text).toMatch(/^ {2}unclosed: .* a kernel still writes it, was killed, or its end was cut off/m)
})

test('code 2 after the kernel was killed, and what had happened is there', async () => {
  const folder = folderWith({
    'agent.ts':
      "export default async () => { console.log('up'); await new Promise((r) => setTimeout(r, 60_000)) }",
  })
  const { child, ended, until } = start(folder, ['run', 'agent.ts'])
  await until('up\n')
  child.kill('SIGKILL')
  await ended
  const { stdout, code } = await gatehouse(folder, ['evidence', 'verify', '--json'])
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'incomplete',
    ok: true,
    gaps: expect.arrayContaining([
      expect.stringMatching(/^unsettled: /),
      expect.stringMatching(/^unclosed: /),
    ]),
  })
  const { stdout: rows } = await gatehouse(folder, ['evidence', 'timeline'])
  expect(rows).toMatch(/ unsettled$/m)
})

test('code 0 for a sound record, with its head, and what that does not prove', async () => {
  const folder = await recorded()
  const { code, text } = await verify(folder)
  expect(code).toBe(0)
  expect(text).toMatch(
    /^sound \.gatehouse: 9 entries, head [0-9a-f]{64}\n {2}signed: the first 8 entries are covered .*\n {2}key: gatehouse-[0-9a-f]{8}\+\S+ from entry 0 on, which only the record names\nthe key came from the record itself, .* not who wrote it: /,
  )
  const { stdout } = await gatehouse(folder, ['evidence', 'verify', '.gatehouse', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ verdict: 'sound', ok: true, entries: 9, unsettled: 0, problems: [], gaps: [] },
    proves: expect.stringContaining('not who wrote it'),
  })
})

test('with the key that was handed out, and a checkpoint that was kept, it says what that shows', async () => {
  const signer = makeSigner()
  const folder = folderWith({ 'operator.pub': `# our operator\n${verifierFor(signer)}\n` })
  const record = signedIn(join(folder, '.gatehouse'), signer)
  recordCall(record)
  writeFileSync(join(folder, 'kept'), await record.checkpoint())
  recordCall(record, 2)
  record.append({ kind: 'close' })
  await record.close()
  const { code, text } = await verify(folder, '--key', 'operator.pub', '--since', 'kept')
  expect(code).toBe(0)
  expect(text).toContain('which you brought')
  expect(text).toContain('the key you brought signed these entries')
  expect(text).toContain('nothing before the checkpoint you kept was changed')
  const other = folderWith({ 'other.pub': verifierFor(makeSigner()) })
  const { code: foreign, text: why } = await verify(folder, '--key', join(other, 'other.pub'))
  expect(foreign).toBe(1)
  expect(why).toMatch(/^ {2}foreign-key: entry 0: `gatehouse-[0-9a-f]{8}` signs from here on/m)
})

test('a record that was rolled back is told by the checkpoint that was kept, and by the file beside the log', async () => {
  const folder = await recorded()
  const lines = readFileSync(join(folder, log), 'utf8').split('\n').slice(0, 5)
  writeFileSync(join(folder, 'kept'), readFileSync(join(folder, '.gatehouse/checkpoint')))
  writeFileSync(join(folder, log), `${lines.join('\n')}\n`)
  const rolledBack = 'covers 8 entries, and there are 5: the end was cut off'
  const beside = await verify(folder)
  expect(beside.code).toBe(1)
  expect(beside.text).toContain(`rollback: entry 4: the file \`checkpoint\` beside the log ${rolledBack}`)
  unlinkSync(join(folder, '.gatehouse/checkpoint'))
  expect((await verify(folder)).code).toBe(2)
  const since = await verify(folder, '--since', 'kept')
  expect(since.code).toBe(1)
  expect(since.text).toContain(`rollback: entry 4: the checkpoint that was kept ${rolledBack}`)
})

test.each([
  ['a private key', '--key', newKeyText(), 'is a private key, which nobody who verifies should have'],
  ['what is no key', '--key', 'operator\n', 'holds no keys: write one a line'],
  ['an empty file', '--key', '# nothing\n', 'holds no keys'],
  ['what is no checkpoint', '--since', 'a note\n', 'is no checkpoint'],
])('bringing %s is wrong usage', async (_what, option, content, sentence) => {
  const folder = await recorded()
  writeFileSync(join(folder, 'brought'), content)
  const { code, text } = await verify(folder, option, 'brought')
  expect(code).toBe(2)
  expect(text).toContain(sentence)
  expect(text).not.toContain('sound')
})

test('the public form of a key is printed, and one that is not there is not made', async () => {
  const folder = folderWith({ 'evidence.key': newKeyText() })
  const key = (...args: readonly string[]) =>
    gatehouse(folder, ['evidence', 'key', ...args], { XDG_CONFIG_HOME: join(folder, 'config') })
  expect(await key()).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('gatehouse init'),
  })
  expect(readdirSync(folder)).toEqual(['evidence.key'])
  chmodSync(join(folder, 'evidence.key'), 0o644)
  expect((await key('--file', 'evidence.key')).stderr).toContain('others can read it (its mode is 644)')
  chmodSync(join(folder, 'evidence.key'), 0o600)
  const { stdout } = await key('--file', 'evidence.key')
  expect(stdout).toMatch(/^gatehouse-[0-9a-f]{8}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\n$/)
  const init = await gatehouse(folder, ['init', '--json'], { XDG_CONFIG_HOME: join(folder, 'config') })
  const made = JSON.parse(init.stdout).key
  expect(made).toMatchObject({ made: true, file: join(folder, 'config/gatehouse/evidence.key') })
  expect((await key()).stdout).toBe(`${made.verifier}\n`)
  expect(statSync(made.file).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder, 'config/gatehouse')).mode & 0o777).toBe(0o700)
})

test('verifying changes nothing in the folder', async () => {
  const folder = await recorded()
  const before = readdirSync(join(folder, '.gatehouse'))
  await verify(folder)
  expect(readdirSync(join(folder, '.gatehouse'))).toEqual(before)
})

test('one entry is proven to somebody who has the key and not the log', async () => {
  const signer = makeSigner()
  const folder = folderWith({ 'operator.pub': verifierFor(signer), 'other.pub': verifierFor(makeSigner()) })
  const record = signedIn(join(folder, '.gatehouse'), signer)
  recordCall(record)
  record.append({ kind: 'close' })
  await record.close()
  const line = readFileSync(join(folder, log), 'utf8').split('\n')[2] ?? ''
  const { stdout, code } = await gatehouse(folder, ['evidence', 'prove', '2'])
  expect(code).toBe(0)
  writeFileSync(join(folder, 'proof.json'), stdout)
  const check = (...args: readonly string[]) =>
    gatehouse(folder, ['evidence', 'verify-proof', 'proof.json', ...args])
  expect(await check('--key', 'operator.pub')).toMatchObject({ code: 0, stdout: `proven ${line}\n` })
  expect((await check('--key', 'other.pub')).code).toBe(1)
  expect((await check()).code).toBe(2)
  expect((await gatehouse(folder, ['evidence', 'prove', '4'])).stderr).toContain(
    'entry 4 is not among the first 4',
  )
  expect((await gatehouse(folder, ['evidence', 'prove', 'x'])).code).toBe(2)
})
