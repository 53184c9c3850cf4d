/** One entry in full, a record in figures, manifests and exports, as people and programs get them. */
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entryOf, recordRuns } from '../evidence/report/support.ts'
import { folderWith } from '../support/cli.ts'
import { gatehouseInside } from '../support/cli-inside.ts'

const recorded = await recordRuns()
const { dir, entries } = recorded
const [run] = recorded.runs

const evidence = (...args: readonly string[]) => gatehouseInside(['evidence', ...args])

/** A copy of the record that may be damaged. */
function copied(): string {
  const copy = join(folderWith(), 'copy')
  cpSync(dir, copy, { recursive: true })
  return copy
}

function edit(folder: string, file: string, change: (text: string) => string): void {
  const text = readFileSync(join(folder, file), 'utf8')
  expect(change(text)).not.toBe(text)
  writeFileSync(join(folder, file), change(text))
}

const log = 'log-000001.jsonl'
const pack = 'pack-000001.jsonl'

const show = async (seq: number, folder = dir) => (await evidence('show', String(seq), folder)).stdout

test('a call is shown with its decision, its texts, who approved it, and its end', async () => {
  const { seq, ask } = entryOf(entries, 'intent', { resource: 'send_email' })
  const text = await show(seq)
  expect(text).toMatch(new RegExp(`^entry ${seq}: intent, tool\\.call\\n`))
  expect(text).toMatch(new RegExp(`^  agent     writer \\(pid 1, run ${run}\\), inline, call \\d+$`, 'm'))
  expect(text).toMatch(/^ {2}decision {2}ask by test:mail \(line \d+\)$/m)
  expect(text).toMatch(/^ {2}answer {4}in entry \d+: approved by alice: she asked for it$/m)
  expect(text).toMatch(new RegExp(`^  asked     in entry ${ask}, approval \\w+$`, 'm'))
  expect(text).toMatch(/^ {2}outcome {3}in entry \d+: committed, after \d+ ms$/m)
  expect(text).toMatch(/^ {2}\| {5}"to": "alice@example\.com"$/m)
  expect(text).toMatch(/^ {2}result of entry \d+: 6 bytes, salted SHA-256 [0-9a-f]{64}\n {2}\| "sent"$/m)
})

test('an end is shown with its call, a request with what came of it, a refusal with who denied it', async () => {
  const { seq } = entryOf(entries, 'intent', { resource: 'send_email' })
  expect(await show(entryOf(entries, 'outcome', { intent: seq }).seq)).toMatch(
    new RegExp(`^  call      in entry ${seq}: tool\\.call send_email, ask by test:mail`, 'm'),
  )
  const denied = entryOf(entries, 'refusal', { resource: 'send_email' })
  expect(await show(denied.seq)).toMatch(/^ {2}answer {4}in entry \d+: denied by alice/m)
  expect(await show(Number(denied.ask))).toMatch(
    new RegExp(`^  call      in entry ${denied.seq}: tool\\.call send_email, .*refused EPERM`, 'm'),
  )
})

test('what an agent wrote cannot steer the terminal, nor pass for a line of the command', async () => {
  const { seq } = entryOf(entries, 'intent', { resource: '/mem/page', syscall: 'fs.read' })
  const text = await show(seq)
  expect(text).toContain('from elsewhere\\u001b[2J\\u{202e}')
  const refused = await show(entryOf(entries, 'refusal', { code: 'ENOSYS' }).seq)
  expect(refused).toMatch(/^entry \d+: refusal, x\\x1b\[2J$/m)
  for (const steering of ['\u001b', '\u202e']) expect(text + refused).not.toContain(steering)
  const folder = copied()
  edit(folder, log, (all) =>
    all.replaceAll('"agent":"writer"', '"agent":"w\\nentry 9: forged\\u001b[2J\u202e"'),
  )
  const forged = await show(seq, folder)
  expect(forged).toContain('w\\x0aentry 9: forged\\x1b[2J\\u{202e}')
  expect(forged).not.toMatch(/^entry 9/m)
  const { stdout } = await evidence('show', String(seq), folder, '--json')
  for (const steering of ['\u001b', '\u202e']) expect(stdout).not.toContain(steering)
  expect(JSON.parse(stdout).entry.agent).toBe('w\nentry 9: forged\u001b[2J\u202e')
})

test('neither can what a person gave as a reason', async () => {
  const folder = copied()
  edit(folder, log, (all) => all.replaceAll('she asked for it', 'yes\\n  decision  permit\\u001b[2J'))
  const { seq, ask } = entryOf(entries, 'answer')
  for (const text of [await show(seq, folder), await show(Number(ask), folder)]) {
    expect(text).toContain('yes\\x0a  decision  permit\\x1b[2J')
    expect(text).not.toMatch(/^ {2}decision {2}permit/m)
    expect(text).not.toContain('\u001b')
  }
})

test('a text that was never kept and one that was deleted are told apart', async () => {
  const quiet = entryOf(entries, 'intent', { resource: '/mem/quiet' })
  expect(await show(quiet.seq)).toMatch(
    /^ {2}args: 42 bytes, of which only the salted SHA-256 [0-9a-f]{64} was kept$/m,
  )
  const folder = copied()
  edit(folder, pack, (text) =>
    text
      .split('\n')
      .filter((line) => !line.includes('alice@'))
      .join('\n'),
  )
  const { seq } = entryOf(entries, 'intent', { resource: 'send_email' })
  expect(await show(seq, folder)).toMatch(
    /^ {2}args: 55 bytes, deleted since; its salted SHA-256 is [0-9a-f]{64}$/m,
  )
  const { stdout } = await evidence('show', String(seq), folder, '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    entry: { seq },
    payloads: { args: { state: 'deleted', bytes: 55 } },
    related: {
      answer: { entry: { answer: 'approved' } },
      outcome: { payloads: { result: { text: '"sent"' } } },
    },
  })
})

test('a call without an end, an entry past the end, and one that is no number', async () => {
  const folder = copied()
  const { seq } = entryOf(entries, 'intent')
  edit(
    folder,
    log,
    (text) =>
      `${text
        .split('\n')
        .slice(0, seq + 1)
        .join('\n')}\n`,
  )
  expect(await show(seq, folder)).toMatch(
    /^ {2}outcome {3}unsettled: whether it took effect is not on record$/m,
  )
  expect(await evidence('show', '99', folder)).toMatchObject({
    ...{ code: 3, stdout: '', stderr: `gatehouse: entry 99 is not on record; there are 0 to ${seq}\n` },
  })
  expect(await evidence('show', 'last', folder)).toMatchObject({ code: 2 })
})

test('a payload that is not what was hashed is shown to nobody', async () => {
  const folder = copied()
  edit(folder, pack, (text) => text.replaceAll('alice@example', 'carol@example'))
  const { seq } = entryOf(entries, 'intent', { resource: 'send_email' })
  const { code, stdout, stderr } = await evidence('show', String(seq), folder)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('is not what was hashed; verify it')
})

test.each([
  ['show', ['show', '0']],
  ['stats', ['stats']],
  ['manifest', ['manifest', '--run', 'x']],
  ['export', ['export', '--run', 'x', '--format', 'otel']],
])('%s without a record says so, and ends with 3', async (_what, args) => {
  const nowhere = join(folderWith(), 'none')
  const { code, stdout, stderr } = await evidence(...args, nowhere)
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toBe(`gatehouse: \`${nowhere}\` does not exist\n`)
  const { stdout: json } = await evidence(...args, nowhere, '--json')
  expect(JSON.parse(json)).toMatchObject({ verdict: 'missing' })
})

test.each([
  ['stats', ['stats', '--run', 'x']],
  ['manifest', ['manifest', '--run', 'x']],
  ['export as spans', ['export', '--run', 'x', '--format', 'otel']],
  ['export as a statement', ['export', '--run', 'x', '--format', 'in-toto', '--unsigned']],
])('%s of a run that is not there ends with 3', async (_what, args) => {
  const { code, stdout, stderr } = await evidence(...args, dir)
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toContain('run `x` is not on record; there are 2, such as')
})

test('a record in figures, whole and of one run', async () => {
  const { code, stdout } = await evidence('stats', dir)
  expect(code).toBe(0)
  expect(stdout).toMatch(
    new RegExp(`^${entries.length} entries, 20.* to 20.*\\nkernels: 1, runs: 2, processes: 3\\n`),
  )
  expect(stdout).toMatch(/^tool\.call +1 +1 +0 +1 +0$/m)
  expect(stdout).toMatch(/^test:no-vault +1$/m)
  expect(stdout).toMatch(/^files: log \d+K in 1, packs \d+K in 1$/m)
  const { stdout: one } = await evidence('stats', dir, '--run', run, '--json')
  expect(JSON.parse(one)).toMatchObject({
    ...{ run, runs: 1, processes: 2, ended: { exited: 2 } },
    entries: entries.filter((entry) => entry.run === run).length,
    files: { log: { files: 1, bytes: readFileSync(join(dir, log)).length } },
  })
})

test('a manifest is compared with the record, and the exit code says how it came out', async () => {
  const { stdout } = await evidence('manifest', dir, '--run', run)
  const file = join(folderWith({ 'run.json': stdout }), 'run.json')
  const compared = async (folder: string) => evidence('verify-manifest', file, folder)
  expect(await compared(dir)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sound /) })
  const folder = copied()
  edit(folder, pack, (text) =>
    text
      .split('\n')
      .filter((line) => !line.includes('alice@'))
      .join('\n'),
  )
  const incomplete = await compared(folder)
  expect(incomplete.code).toBe(2)
  expect(incomplete.stdout).toMatch(/^incomplete .*\n {2}\d+ of \d+ payloads were deleted since$/m)
  edit(folder, log, (text) => text.replace('"writer"', '"writes"'))
  const tampered = await compared(folder)
  expect(tampered.code).toBe(1)
  expect(tampered.stdout).toMatch(/^tampered .*\n {2}`log-000001\.jsonl` was changed: /m)
  rmSync(folder, { recursive: true })
  expect(await compared(folder)).toMatchObject({ code: 3 })
})

test.each([
  ['none', undefined, /is not there/],
  ['one that is no JSON', '{', /is not a manifest of a run: it is not JSON/],
  ['one that names other files', '{"files":[{"name":"../x"}]}', /is not a manifest of a run: /],
])('a manifest that is %s is wrong usage', async (_what, text, sentence) => {
  const folder = folderWith(text === undefined ? {} : { 'm.json': text })
  const { code, stderr } = await evidence('verify-manifest', join(folder, 'm.json'), dir)
  expect(code).toBe(2)
  expect(stderr).toMatch(sentence)
})

test('a statement is verified with nothing but a public key and the manifest', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const key = join(folderWith({ 'evidence.key': pem }), 'evidence.key')
  const { code, stdout } = await evidence('export', dir, '--run', run, '--format', 'in-toto', '--key', key)
  expect(code).toBe(0)
  const { payload, payloadType, signatures } = JSON.parse(stdout)
  const body = Buffer.from(payload, 'base64')
  const signed = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} ${body}`)
  const sig = Buffer.from(signatures[0].sig, 'base64')
  expect(verify(null, signed, createPublicKey(pem), sig)).toBe(true)
  const { stdout: manifest } = await evidence('manifest', dir, '--run', run)
  expect(JSON.parse(body.toString())).toMatchObject({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      {
        name: `run-${run}.manifest.json`,
        digest: { sha256: createHash('sha256').update(manifest).digest('hex') },
      },
    ],
    predicateType: 'urn:gatehouse:predicate:run:v1',
    predicate: {
      ...{ run, ended: true, agents: ['writer', 'helper'], approvals: { approved: 1, denied: 1 } },
      manifest: JSON.parse(manifest),
    },
  })
})

test('a statement is signed, or said not to be, and never for a record that does not verify', async () => {
  const form = ['export', dir, '--run', run, '--format', 'in-toto']
  expect(await evidence(...form)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('give --key FILE, or --unsigned'),
  })
  const bare = await evidence(...form, '--unsigned')
  expect(bare.stderr).toMatch(/^not signed: /)
  expect(JSON.parse(bare.stdout)._type).toBe('https://in-toto.io/Statement/v1')
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const folder = folderWith({
    'ec.pem': ec.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'none.pem': 'no key',
  })
  for (const file of ['ec.pem', 'none.pem'])
    expect(await evidence(...form, '--key', join(folder, file))).toMatchObject({ code: 2, stdout: '' })
  const damaged = copied()
  edit(damaged, log, (text) => text.replace('"writer"', '"writes"'))
  const refused = await evidence('export', damaged, '--run', run, '--format', 'in-toto', '--unsigned')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('the record does not verify, so nothing is said for it')
})

test('spans are exported the same each time, with texts only where they are asked for', async () => {
  const form = ['export', dir, '--run', run, '--format', 'otel']
  const { stdout } = await evidence(...form)
  expect((await evidence(...form)).stdout).toBe(stdout)
  expect(stdout).not.toContain('alice@example.com')
  const { resourceSpans } = JSON.parse(stdout)
  expect(resourceSpans[0].scopeSpans[0].spans.length).toBeGreaterThan(10)
  const { stdout: withTexts } = await evidence(...form, '--payloads')
  expect(withTexts).toContain('alice@example.com')
  expect(withTexts).not.toContain('a diagnosis')
  expect(await evidence(...form, '--key', 'k')).toMatchObject({ code: 2 })
})

test('a line that is no entry ends a reader with 1, and a sentence', async () => {
  const folder = copied()
  appendFileSync(join(folder, log), 'nonsense\n')
  const { code, stderr } = await evidence('stats', folder)
  expect(code).toBe(1)
  expect(stderr).toContain(
    `a line after entry ${entries.length - 1} of the evidence is not an entry; verify it`,
  )
})
