/** Payloads are deleted by entry, by run and by age: on record first, then for good, and the chain still verifies. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FileStore } from '../../src/evidence/file-store.ts'
import { removalOf } from '../../src/evidence/files/removal.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MissingPayloads } from '../../src/evidence/missing.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import {
  finishRemoval,
  type Kept,
  ofEntries,
  ofRun,
  olderThan,
  removePayloads,
} from '../../src/evidence/redact.ts'
import { SharedPayloads } from '../../src/evidence/shared-payloads.ts'
import { intent, tempDir } from './support.ts'

const day = 24 * 3_600_000
const author = { by: 'mia', reason: 'a customer asked' }

interface Open extends Kept {
  readonly dir: string
  /** The days of the clock since it began. */
  today: number
}

function open(dir = tempDir(), segmentBytes = 3_000): Open {
  const store = FileStore.open(dir, segmentBytes)
  const opened = { dir, store, today: 0, pause: async () => void (await nextTurn()) }
  const clock = {
    now: () => 1_700_000_000_000 + opened.today * day,
    monotonic: () => 0,
    after: () => () => {},
  }
  return Object.assign(opened, { log: EvidenceLog.open({ store, clock, durability: 'process' }) })
}

/** A run of some calls, all with one program. @returns the number of its first entry */
function record({ log }: Open, run: string, calls: number, program: string, shared: SharedPayloads): number {
  const { seq } = log.append({ kind: 'spawn', run, pid: 1, program: shared.of(program) })
  for (let call = 0; call < calls; call += 1) {
    const text = `secret of ${run} ${call} ${'x'.repeat(150)}`
    const called = log.append({ ...intent(log.payload(text), call), run })
    const result = log.payload(`result of ${run} ${call}`)
    log.append({ kind: 'outcome', run, pid: 7, intent: called.seq, status: 'committed', result })
  }
  log.commit()
  return seq
}

/** Everything that lies in the folder, unpacked. */
function everything(dir: string): string {
  const files = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'latin1'))
  return [...files, ...new EvidenceFolder(dir).packs()].join('\n')
}

function missing(dir: string) {
  const evidence = new EvidenceFolder(dir)
  const counted = new MissingPayloads(evidence.packs())
  for (const entry of evidence.entries()) counted.entry(entry)
  return counted.result()
}

const redacts = (dir: string) => [...new EvidenceFolder(dir).entries({ kind: 'redact' })]

test('what two entries name is gone with its salts, the rest stays, and the record says who, why and what', async () => {
  const opened = open()
  const { dir, log, store } = opened
  const first = record(opened, 'r1', 20, 'export default 1', new SharedPayloads(log))
  const hashes = [1, 2].flatMap((nth) => {
    const entry = store.read().entry(first + nth)
    return [entry?.args, entry?.result].flatMap((ref) => (ref === undefined ? [] : [Object(ref).hash]))
  })
  const removed = await removePayloads(opened, ofEntries(store.read(), [first + 1, first + 2], author))
  expect(removed).toEqual({ payloads: 2, shared: 0, more: false })
  expect(redacts(dir)).toMatchObject([
    { ...author, payloads: 2, entries: [first + 1, first + 2], hashes: hashes.toSorted() },
  ])
  await log.close()
  const left = everything(dir)
  expect(left).not.toContain('secret of r1 0 ')
  expect(left).not.toContain('result of r1 0')
  expect(left).toContain('secret of r1 1 ')
  expect(left).toContain('export default 1')
  const evidence = new EvidenceFolder(dir)
  expect(evidence.verify()).toMatchObject({ ok: true, problems: [] })
  expect(evidence.payloads(new Set(hashes)).size).toBe(0)
  expect(missing(dir)).toEqual({ gone: 2, recorded: 2 })
})

test('what is shared stays while an entry that is kept names it, and goes with the last', async () => {
  const opened = open()
  const { dir, log, store } = opened
  const shared = new SharedPayloads(log)
  for (const run of ['r1', 'r2']) record(opened, run, 5, 'export default shared', shared)
  expect(await removePayloads(opened, ofRun(store.read(), 'r1', author))).toEqual({
    payloads: 10,
    shared: 1,
    more: false,
  })
  expect(everything(dir)).not.toContain('of r1')
  expect(everything(dir)).toContain('export default shared')
  expect(await removePayloads(opened, ofRun(store.read(), 'r2', author))).toMatchObject({ shared: 1 })
  expect(everything(dir)).toContain('export default shared')
  const spawns = [...store.read().entries({ kind: 'spawn' })].map(({ seq }) => seq)
  expect(await removePayloads(opened, ofEntries(store.read(), spawns, author))).toMatchObject({ payloads: 1 })
  expect(everything(dir)).not.toContain('export default shared')
  expect(await removePayloads(opened, ofRun(store.read(), 'r2', author))).toMatchObject({ payloads: 0 })
  expect(redacts(dir)).toHaveLength(3)
  await log.close()
})

test('by age: what old runs name goes, what a run names that goes on or was busy lately stays, however old', async () => {
  const opened = open()
  const { dir, log } = opened
  const shared = new SharedPayloads(log)
  record(opened, 'old', 5, 'export default shared', shared)
  record(opened, 'live', 5, 'export default live', shared)
  record(opened, 'busy', 5, 'export default busy', shared)
  opened.today = 20
  record(opened, 'busy', 1, 'export default busy', shared)
  record(opened, 'new', 5, 'export default shared', shared)
  opened.today = 31
  const prune = async (days: number) =>
    removePayloads(
      opened,
      await olderThan(
        opened,
        1_700_000_000_000 + (opened.today - days) * day,
        (run) => run === 'live',
        author,
      ),
    )
  expect(await prune(30)).toMatchObject({ payloads: 10, shared: 1 })
  const left = everything(dir)
  expect(left).not.toContain('of old')
  for (const kept of ['of live', 'of busy', 'of new', 'default shared', 'default live'])
    expect(left).toContain(kept)
  expect(await prune(30)).toMatchObject({ payloads: 0 })
  opened.today = 51
  expect(await prune(30)).toMatchObject({ more: false })
  for (const gone of ['of busy', 'of new', 'default shared']) expect(everything(dir)).not.toContain(gone)
  expect(everything(dir)).toContain('of live 4')
  expect(new EvidenceFolder(dir).verify()).toMatchObject({ ok: true })
  const { gone, recorded } = missing(dir)
  expect(gone).toBe(recorded)
  await log.close()
})

test('what begins while it is decided what is old is never old', async () => {
  const opened = open()
  record(opened, 'old', 3, 'export default 1', new SharedPayloads(opened.log))
  opened.today = 31
  const cut = await olderThan(opened, 1_700_000_000_000 + day, () => false, author)
  record(opened, 'fresh', 3, 'export default 2', new SharedPayloads(opened.log))
  await removePayloads(opened, cut)
  expect(everything(opened.dir)).toContain('of fresh 0')
  expect(everything(opened.dir)).not.toContain('of old 0')
  await opened.log.close()
})

test('a removal that is on record is ended at the next start, one that is not never happened', async () => {
  const opened = open()
  const { dir, log, store } = opened
  const first = record(opened, 'r1', 10, 'export default 1', new SharedPayloads(log))
  const hash: string = Object(store.read().entry(first + 1)?.args).hash
  const removal = removalOf(new Set([hash]))
  store.intend(removal)
  await log.close()
  const second = open(dir)
  await finishRemoval(second.store)
  expect(second.store.read().payloads(new Set([hash])).size).toBe(1)
  second.store.intend(removal)
  second.log.append({ kind: 'redact', ...author, payloads: 1, list: removal.list })
  await second.log.close()
  const third = open(dir)
  await finishRemoval(third.store)
  expect(third.store.read().payloads(new Set([hash])).size).toBe(0)
  expect(third.store.removal).toBeUndefined()
  await third.log.close()
})

test('a list of what is to go that somebody put there removes nothing', async () => {
  const opened = open()
  const first = record(opened, 'r1', 10, 'export default 1', new SharedPayloads(opened.log))
  const hash: string = Object(opened.store.read().entry(first + 1)?.args).hash
  await opened.log.close()
  writeFileSync(join(opened.dir, 'removal'), `${hash}\n`)
  const again = open(opened.dir)
  await finishRemoval(again.store)
  expect(again.store.read().payloads(new Set([hash])).size).toBe(1)
  await again.log.close()
})

test('payloads that nobody removed on record are told from those that somebody did', async () => {
  const opened = open(tempDir(), 1_000_000)
  record(opened, 'r1', 10, 'export default 1', new SharedPayloads(opened.log))
  await opened.log.close()
  const pack = join(opened.dir, 'pack-000001.jsonl')
  writeFileSync(pack, readFileSync(pack, 'utf8').split('\n').toSpliced(3, 2).join('\n'))
  expect(missing(opened.dir)).toEqual({ gone: 2, recorded: 0 })
})
