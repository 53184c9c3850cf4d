import { createHash } from 'node:crypto'
import { setImmediate as endOfTick } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { findEvidence } from '../../src/evidence/read.ts'
import { limits } from '../../src/limits.ts'
import { inFolder, inMemory, intent, linesOf, recordCall, tempDir, tickingClock } from './support.ts'

const sha256 = (...parts: (string | Buffer)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

test('once it cannot be written, nothing is: not now, not later, and whoever listens is told once', async () => {
  const log = inMemory(1_000)
  const told: string[] = []
  log.onFailure((error) => told.push(error.code))
  log.append({ kind: 'host', what: 'fits' })
  log.commit()
  log.append({ kind: 'host', what: 'x'.repeat(1_000) })
  const full = expect.objectContaining({
    code: 'ENOSPC',
    message: expect.stringContaining('nothing more is done'),
  })
  expect(() => log.commit()).toThrow(full)
  expect(() => log.append({ kind: 'host' })).toThrow(full)
  expect(() => log.payload('x')).toThrow(full)
  expect(() => log.commit()).toThrow(full)
  await expect(log.durable()).rejects.toThrow(full)
  expect(told).toEqual(['ENOSPC'])
  expect(log.failed).toBeDefined()
  log.onFailure((error) => told.push(`late ${error.code}`))
  expect(told).toEqual(['ENOSPC', 'late ENOSPC'])
})

test('after a failure the head is where the record really ends', () => {
  const log = inMemory(1_000)
  const first = log.append({ kind: 'open' })
  log.append({ kind: 'host', what: 'x'.repeat(1_000) })
  expect(() => log.commit()).toThrow()
  expect(log.head()).toEqual({ entries: 1, hash: first.hash })
  expect(log.verify()).toMatchObject({ ok: true, entries: 1, head: first.hash })
})

test('a failure at the end of a tick reaches the listeners and not the process', async () => {
  const log = inMemory(10)
  const told = new Promise((resolve) => log.onFailure(resolve))
  log.append({ kind: 'open' })
  expect(await told).toMatchObject({ code: 'ENOSPC' })
})

test('what JSON cannot carry takes no place in the chain', () => {
  const log = inMemory()
  expect(() => log.append({ kind: 'host', value: Number.NaN })).toThrow('`value.value` is NaN')
  expect(log.append({ kind: 'open' }).seq).toBe(0)
})

test('a closed log takes nothing more', async () => {
  const log = inMemory()
  await log.close()
  await log.close()
  expect(() => log.append({ kind: 'open' })).toThrow('the evidence is closed')
  expect(() => log.commit()).toThrow('the evidence is closed')
})

test('a body cannot choose its own place, hash or time', () => {
  const log = inMemory()
  log.append({ kind: 'open', seq: 9, prev: 'x', time: 0, v: 2 })
  expect([...log.entries()]).toEqual([
    { kind: 'open', v: 1, seq: 0, prev: '0'.repeat(64), time: 1_700_000_000_001 },
  ])
})

test('every entry names the RFC 6962 leaf hash of the line before', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  const receipts = [
    log.append({ kind: 'open' }),
    log.append({ kind: 'host', what: 'ü' }),
    log.append({ kind: 'close' }),
  ]
  await log.close()
  const lines = linesOf(dir)
  const hashes = lines.map((line) => sha256(Buffer.from([0]), line))
  expect(receipts).toEqual(hashes.map((hash, seq) => ({ seq, hash })))
  expect(lines.map((line) => JSON.parse(line).prev)).toEqual(['0'.repeat(64), hashes[0], hashes[1]])
  expect(log.head()).toEqual({ entries: 3, hash: hashes[2] })
})

test('a log that is opened again goes on where it ended', async () => {
  const dir = tempDir()
  for (let round = 0; round < 3; round += 1) {
    const log = inFolder(dir, 300)
    recordCall(log, round)
    await log.close()
  }
  const log = inFolder(dir)
  expect(log.verify()).toMatchObject({ ok: true, entries: 6, unsettled: 0 })
  expect(log.head()).toMatchObject({ entries: 6, hash: log.verify().head })
  await log.close()
})

test('what is appended is with the operating system at the end of the tick, unasked', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  log.append({ kind: 'open' })
  expect(linesOf(dir)).toEqual([])
  await endOfTick()
  expect(linesOf(dir)).toHaveLength(1)
  await log.close()
})

test('a backlog is written before it grows past its limits, in lines and in length', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  for (let count = 0; count < limits.evidenceBacklogMax; count += 1) log.append({ kind: 'host' })
  expect(linesOf(dir)).toHaveLength(limits.evidenceBacklogMax)
  log.payload('x'.repeat(limits.evidenceBacklogBytes))
  expect(linesOf(dir, 'pack-000001.jsonl')).toHaveLength(1)
  await log.close()
})

test('a payload is kept with its salt, and its hash is over both', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  const ref = log.payload('{"ü":1}')
  await log.close()
  const [kept] = linesOf(dir, 'pack-000001.jsonl').map((line) => JSON.parse(line))
  expect(kept).toEqual({ hash: ref.hash, salt: expect.stringMatching(/^[0-9a-f]{32}$/), text: '{"ü":1}' })
  expect(ref).toEqual({ bytes: 8, hash: sha256(Buffer.from(kept.salt, 'hex'), '{"ü":1}') })
})

test('equal payloads have different hashes, so that neither can be guessed', () => {
  const log = inMemory()
  const hashes = Array.from({ length: 1_000 }, () => log.payload('yes').hash)
  expect(new Set(hashes).size).toBe(1_000)
})

test('half of a surrogate pair in a payload is recorded as what UTF-8 makes of it', () => {
  const log = inMemory()
  recordCall(log, 1, 'a\ud800b')
  expect(log.verify().ok).toBe(true)
  expect(log.payload('\ud800').bytes).toBe(3)
})

test('entries are picked by run, process, kind and place', () => {
  const log = inMemory()
  recordCall(log, 1)
  log.append({ kind: 'exit', run: 'r2', pid: 8 })
  const seqs = (filter: Parameters<typeof log.entries>[0]): number[] =>
    [...log.entries(filter)].map(({ seq }) => seq)
  expect(seqs({})).toEqual([0, 1, 2])
  expect(seqs({ run: 'r1' })).toEqual([0, 1])
  expect(seqs({ pid: 8 })).toEqual([2])
  expect(seqs({ kind: 'intent' })).toEqual([0])
  expect(seqs({ from: 1, pid: 7 })).toEqual([1])
  expect(seqs({ run: 'r1', pid: 8 })).toEqual([])
})

test.each(['process', 'disk'] as const)(
  'at level %s a hundred who wait at once all find their entry on record',
  async (level) => {
    const dir = tempDir()
    const log = inFolder(dir, 4_096, level)
    await Promise.all(
      Array.from({ length: 100 }, async (_, call) => {
        const { seq } = log.append(intent(log.payload(`${call}`), call))
        await log.durable()
        const found = findEvidence(dir)
        expect(found.state === 'found' && [...found.evidence.entries({ from: seq })][0]?.call).toBe(call)
      }),
    )
    expect(log.verify()).toMatchObject({ ok: true, entries: 100, unsettled: 100 })
    await log.close()
  },
)

test('a hundred who ask at once share one write, and one failure', async () => {
  class Counted extends MemoryStore {
    commits = 0
    override commit(): void {
      this.commits += 1
      super.commit()
    }
  }
  const store = new Counted(100_000)
  const log = EvidenceLog.open({ store, clock: tickingClock(), durability: 'process' })
  const all = (): Promise<PromiseSettledResult<void>[]> =>
    Promise.allSettled(
      Array.from({ length: 100 }, (_, call) => {
        log.append(intent(log.payload('null'), call))
        return log.durable()
      }),
    )
  const first = (await all()).map(({ status }) => status)
  expect(new Set(first)).toEqual(new Set(['fulfilled']))
  expect([store.commits, [...store.lines('log')].length]).toEqual([1, 100])
  const second = (await all()).map((it) => (it.status === 'rejected' ? it.reason.code : it.status))
  expect(new Set(second)).toEqual(new Set(['ENOSPC']))
})
