import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type EvidenceFolder, findEvidence } from '../../src/evidence/read.ts'
import { inFolder, recordCall, tempDir } from './support.ts'

function evidenceIn(dir: string): EvidenceFolder {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error(found.reason)
  return found.evidence
}

test('a folder that is not there, one without evidence and one that is none are told apart', () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'file'), '')
  mkdirSync(join(dir, 'folder'))
  expect(findEvidence(join(dir, 'none'))).toEqual({
    state: 'missing',
    reason: `\`${dir}/none\` does not exist`,
  })
  expect(findEvidence(join(dir, 'folder'))).toMatchObject({ state: 'empty' })
  expect(findEvidence(join(dir, 'file'))).toEqual({
    state: 'unreadable',
    reason: `\`${dir}/file\` cannot be read: it is not a folder`,
  })
})

test('evidence is read beside the kernel that writes it, as far as it is written', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 200)
  for (let call = 0; call < 5; call += 1) recordCall(log, call)
  log.commit()
  const evidence = evidenceIn(dir)
  expect(evidence.verify()).toMatchObject({ ok: true, entries: 10 })
  expect([...evidence.entries({ kind: 'outcome' })]).toHaveLength(5)
  recordCall(log, 6)
  expect(evidence.verify()).toMatchObject({ entries: 10 })
  log.commit()
  expect(evidence.verify()).toMatchObject({ ok: true, entries: 12 })
  await log.close()
})

test('a torn end is left as it is, and reported beside the result', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  recordCall(log)
  await log.close()
  appendFileSync(join(dir, 'log-000001.jsonl'), '{"torn')
  const evidence = evidenceIn(dir)
  expect(evidence.verify()).toMatchObject({ ok: true, entries: 2 })
  expect(evidence.torn).toEqual([{ file: 'log-000001.jsonl', bytes: 6 }])
})

test('what hangs on a file that is not written any more is a problem, and not a torn end', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 200)
  recordCall(log, 1)
  log.commit()
  recordCall(log, 2)
  await log.close()
  appendFileSync(join(dir, 'log-000001.jsonl'), '{"torn')
  expect(evidenceIn(dir).verify().problems[0]).toMatchObject({ entry: 2, kind: 'unparsable' })
  expect(evidenceIn(dir).torn).toEqual([])
})

test('bytes that are not UTF-8 are found, though they would read the same', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  log.append({ kind: 'host', what: 'before' })
  log.append({ kind: 'host', what: '\ufffd' })
  await log.close()
  const file = join(dir, 'log-000001.jsonl')
  const changed = Buffer.from(readFileSync(file, 'utf8').replace('\ufffd', '\u0000'), 'latin1')
  changed[changed.indexOf(0)] = 0xff
  writeFileSync(file, changed)
  expect(evidenceIn(dir).verify().problems[0]).toMatchObject({ entry: 1, kind: 'unparsable' })
})

test('an entry that cannot be read stops a reader who would leave it out', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  recordCall(log)
  await log.close()
  appendFileSync(join(dir, 'log-000001.jsonl'), 'x\n')
  expect(() => [...evidenceIn(dir).entries()]).toThrow(
    'a line after entry 1 of the evidence is not an entry; verify it',
  )
})

test('an entry is found by its place, a run by its name, and payloads by what entries say of them', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  log.append({ kind: 'spawn', run: 'other', pid: 9 })
  recordCall(log)
  const kept = log.payload('a text')
  const digest = log.digest('nothing of this')
  await log.close()
  const evidence = evidenceIn(dir)
  expect(evidence.entry(1)).toMatchObject({ kind: 'intent', seq: 1 })
  expect(evidence.entry(99)).toBeUndefined()
  expect([...evidence.run('other')]).toMatchObject([{ kind: 'spawn', pid: 9 }])
  const payloads = evidence.payloads(new Set([kept.hash, digest.hash, '0'.repeat(64)]))
  expect([...payloads.keys()].toSorted()).toEqual([kept.hash, digest.hash].toSorted())
  expect(payloads.get(kept.hash)?.text).toBe('a text')
  expect(payloads.get(digest.hash)?.text).toBeUndefined()
  const pack = join(dir, 'pack-000001.jsonl')
  writeFileSync(pack, readFileSync(pack, 'utf8').replace('a text', 'b text'))
  expect(() => evidence.payloads(new Set([kept.hash]))).toThrow(/is not what was hashed; verify it/)
})
