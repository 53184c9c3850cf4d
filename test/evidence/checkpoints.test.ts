/** When a log is signed, how it goes on after it was closed or killed, and what it refuses to go on with. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { readCheckpoint } from '../../src/evidence/checkpoint.ts'
import type { Sealing } from '../../src/evidence/checkpoints.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { checkpointFile } from '../../src/evidence/files/checkpoint-file.ts'
import { makeSigner } from '../../src/evidence/keys.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { isSignedBy, readNote, readVerifier, type Signer } from '../../src/evidence/note.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import type { Stream } from '../../src/evidence/store.ts'
import { verifyEntries } from '../../src/evidence/verify.ts'
import { limits } from '../../src/limits.ts'
import { linesOf, recordCall, signedIn, tempDir, tickingClock, verifierFor } from './support.ts'

/** A store that says how much of the log is read. */
class CountingStore extends MemoryStore {
  read = 0
  override *lines(stream: Stream, newest?: number): Iterable<string> {
    for (const line of super.lines(stream, newest)) {
      this.read += 1
      yield line
    }
  }
}

const open = (store: MemoryStore, sealing: Sealing, clock: Clock = tickingClock()): EvidenceLog =>
  EvidenceLog.open({ store, clock, durability: 'process', sealing })
const kindsOf = (log: EvidenceLog): string[] => [...log.entries()].map(({ kind }) => kind)
const checked = (store: MemoryStore, ...signers: readonly Signer[]) =>
  verifyEntries([...store.lines('log')], store.lines('pack'), { keys: signers.map(verifierFor) })

test('a log begins with its key, and ends with a checkpoint over all before it', async () => {
  const [store, signer] = [new MemoryStore(), makeSigner()]
  const log = open(store, { signer })
  log.append({ kind: 'open' })
  log.append({ kind: 'close' })
  await log.close()
  const entries = [...store.lines('log')].map((line) => JSON.parse(line))
  expect(entries.map(({ kind }) => kind)).toEqual(['key', 'open', 'close', 'checkpoint'])
  expect(entries[0].verifier).toBe(verifierFor(signer))
  expect(entries[3].time).toBe(entries[2].time)
  expect(checked(store, signer)).toMatchObject({ ok: true, covered: 3, uncovered: 0, closed: true })
})

test('a checkpoint is a note that others can read, over the tree as it is when it is asked for', async () => {
  const signer = makeSigner()
  const log = open(new MemoryStore(), { signer })
  recordCall(log)
  const note = await log.checkpoint()
  const read = readNote(note)
  const verifier = readVerifier(verifierFor(signer))
  expect(read && verifier && isSignedBy(read, verifier)).toBe(true)
  expect(readCheckpoint(read?.text ?? '')).toMatchObject({ size: 3, origin: [...log.entries()][0]?.origin })
  expect(await log.checkpoint()).toBe(note)
  recordCall(log, 2)
  expect(readCheckpoint(readNote(await log.checkpoint())?.text ?? '')?.size).toBe(6)
  expect(kindsOf(log).filter((kind) => kind === 'checkpoint')).toHaveLength(2)
})

test('after many entries it is signed by itself, and not within the call that was one too many', async () => {
  const log = open(new MemoryStore(), { signer: makeSigner() })
  for (let count = 1; count < limits.evidenceCheckpointEntries; count += 1) log.append({ kind: 'host' })
  expect(log.head().entries).toBe(limits.evidenceCheckpointEntries)
  await new Promise(setImmediate)
  expect(log.head().entries).toBe(limits.evidenceCheckpointEntries + 1)
  expect(kindsOf(log).at(-1)).toBe('checkpoint')
})

test('a while after the first entry that is not covered it is signed by itself, once', () => {
  const timers: { ms: number; then: () => void; unheld: unknown }[] = []
  const clock: Clock = {
    ...tickingClock(),
    after: (ms, then, unheld) => {
      const timer = { ms, then, unheld }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
  }
  const log = open(new MemoryStore(), { signer: makeSigner() }, clock)
  for (let count = 0; count < 10; count += 1) log.append({ kind: 'host' })
  expect(timers).toMatchObject([{ ms: limits.evidenceCheckpointMs, unheld: 'unheld' }])
  timers[0]?.then()
  expect(kindsOf(log).at(-1)).toBe('checkpoint')
  expect(timers).toEqual([])
  log.append({ kind: 'host' })
  expect(timers).toHaveLength(1)
})

test('it goes on where it ended, and reads no more than what lies behind the last checkpoint', async () => {
  const [store, signer] = [new CountingStore(), makeSigner()]
  const first = open(store, { signer })
  for (let count = 0; count < 30_000; count += 1) first.append({ kind: 'host' })
  await first.close()
  store.read = 0
  const second = open(store, { signer })
  expect(store.read).toBeLessThan(10_000)
  recordCall(second)
  await second.close()
  expect(checked(store, signer)).toMatchObject({ ok: true, checkpoints: 2, uncovered: 0 })
  expect([...store.lines('log')].filter((line) => line.includes('"kind":"key"'))).toHaveLength(1)
})

test.each([0, 1, 2, 3, 7])(
  'killed %i entries after a checkpoint, or before the first, it goes on',
  async (more) => {
    const [store, signer] = [new MemoryStore(), makeSigner()]
    for (const life of [1, 2, 3]) {
      const log = open(store, { signer })
      if (life === 2) await log.checkpoint()
      for (let count = 0; count < more; count += 1) log.append({ kind: 'host' })
      log.commit()
    }
    const last = open(store, { signer })
    await last.close()
    expect(checked(store, signer)).toMatchObject({ ok: true, uncovered: 0 })
  },
)

test('another key is on record, and the one before endorses it where it is at hand', async () => {
  const [store, old, next] = [new MemoryStore(), makeSigner(), makeSigner()]
  const first = open(store, { signer: old })
  recordCall(first)
  await first.close()
  const second = open(store, { signer: next, previous: old })
  recordCall(second)
  await second.close()
  expect(checked(store, old)).toMatchObject({
    ...{ ok: true, uncovered: 0, covered: 7 },
    keys: [
      { entry: 0, trust: 'brought', endorsed: false },
      { entry: 4, trust: 'endorsed', endorsed: true, verifier: verifierFor(next) },
    ],
  })
  expect(checked(store, next)).toMatchObject({ ok: true, uncovered: 0 })
  expect(checked(store, makeSigner()).problems).toMatchObject([{ entry: 4, kind: 'foreign-key' }])
  await open(store, { signer: next, previous: old }).close()
  expect(checked(store, old)).toMatchObject({ ok: true, keys: { length: 2 } })
})

test('another key that nobody endorsed is named to who brought the first', async () => {
  const [store, old, next] = [new MemoryStore(), makeSigner(), makeSigner()]
  await open(store, { signer: old }).close()
  await open(store, { signer: next }).close()
  expect(checked(store, old).problems).toMatchObject([{ entry: 2, kind: 'foreign-key' }])
  expect(checked(store, old, next)).toMatchObject({ ok: true, uncovered: 0 })
  expect(() => open(store, { signer: old, previous: makeSigner() })).toThrow(
    /given as the one before, is not the one by which this evidence was signed last/,
  )
})

test('a forged endorsement is found', async () => {
  const [store, old, next] = [new MemoryStore(), makeSigner(), makeSigner()]
  await open(store, { signer: old }).close()
  await open(store, { signer: next, previous: old }).close()
  const forged = [...store.lines('log')].map((line) =>
    line.replace(verifierFor(next), verifierFor(makeSigner())),
  )
  const { problems } = verifyEntries(forged, [], { keys: [verifierFor(old)] })
  expect(problems).toContainEqual(expect.objectContaining({ entry: 2, kind: 'key' }))
})

test('a signer that does not sign ends the log, and what it says stays with it', async () => {
  const { name, publicKey } = makeSigner()
  const failing = (sign: () => Uint8Array) => {
    const log = open(new MemoryStore(), { signer: { name, publicKey, sign } })
    log.append({ kind: 'open' })
    return log
  }
  const signers = [
    () => {
      throw new Error('/home/operator/module is gone')
    },
    () => Buffer.alloc(64),
    () => 'signed' as never,
  ]
  for (const sign of signers) {
    const log = failing(sign)
    const failure = await log.checkpoint().catch((error: unknown) => error)
    expect(String(failure)).toContain(`the signer \`${name}\` does not sign`)
    expect(String(failure)).not.toContain('operator')
    expect(() => log.append({ kind: 'host' })).toThrow(/evidence cannot be written, so nothing more is done/)
  }
})

test('the newest note lies beside the log, when what it covers is on the disk', async () => {
  const dir = tempDir()
  const log = signedIn(dir)
  recordCall(log)
  const note = await log.checkpoint()
  expect(readFileSync(join(dir, 'checkpoint'), 'utf8')).toBe(note)
  log.append({ kind: 'close' })
  await log.close()
  const last = JSON.parse(linesOf(dir).at(-1) ?? '')
  expect(readFileSync(join(dir, 'checkpoint'), 'utf8')).toBe(last.note)
  expect(last.note).not.toBe(note)
})

test('a log that has lost what was signed is not gone on with', async () => {
  const [dir, signer] = [tempDir(), makeSigner()]
  const file = join(dir, 'checkpoint')
  /** Signs one call more. */
  const live = async (call: number) => {
    const store = FileStore.open(dir)
    try {
      const sealing = { signer, file: checkpointFile(dir) }
      const log = EvidenceLog.open({ store, clock: tickingClock(), durability: 'process', sealing })
      recordCall(log, call)
      await log.close()
    } finally {
      await store.close().catch(() => {})
    }
  }
  await live(1)
  await live(2)
  const note = readFileSync(file, 'utf8')
  const lines = linesOf(dir)
  const write = (kept: readonly string[]) =>
    writeFileSync(join(dir, 'log-000001.jsonl'), `${kept.join('\n')}\n`)
  write(lines.slice(0, 5))
  await expect(live(3)).rejects.toThrow(/it covers 6 entries, and the log has 5: the end was cut off/)
  write(lines)
  const other = tempDir()
  const elsewhere = signedIn(other, signer)
  await elsewhere.close()
  writeFileSync(file, readFileSync(join(other, 'checkpoint')))
  await expect(live(3)).rejects.toThrow(/it is a checkpoint of another log/)
  writeFileSync(file, 'a note')
  await expect(live(3)).rejects.toThrow(/it is no checkpoint/)
  expect(linesOf(dir)).toEqual(lines)
  writeFileSync(file, note)
  await live(3)
  expect(new EvidenceFolder(dir).verify()).toMatchObject({ ok: true, uncovered: 0 })
})

test('a last checkpoint that is not sound is not gone on with', () => {
  const [store, signer] = [new MemoryStore(), makeSigner()]
  const log = open(store, { signer })
  void log.close()
  const [key = '', checkpoint = ''] = [...store.lines('log')]
  const forged = new MemoryStore()
  forged.append('log', key)
  forged.append('log', checkpoint.replace(/"frontier":\["..../, '"frontier":["0000'))
  forged.commit()
  expect(() => open(forged, { signer })).toThrow(/its last checkpoint is not sound; verify it/)
  const cut = new MemoryStore()
  cut.append('log', checkpoint.replace('"kind":"checkpoint"', '"kind":"host"'))
  cut.commit()
  expect(() => open(cut, { signer })).toThrow(/its beginning is missing; verify it/)
})
