/** Entries found by place, run and kind: the same as reading everything, over many segments. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Entry } from '../../src/evidence/entry.ts'
import type { EvidenceLog } from '../../src/evidence/log.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import type { EntryFilter } from '../../src/evidence/select.ts'
import { until } from '../support/kernel.ts'
import { inFolder, tempDir } from './support.ts'

const runs = ['a1', 'b2', 'c3', 'with "quotes" and ü', 'x'.repeat(100)]
const kinds = ['spawn', 'intent', 'outcome', 'turn', 'exit', 'ask'] as const

/** Many entries of several runs, interleaved; some lines are longer than a block. */
function fill(log: EvidenceLog, count: number): void {
  for (let nth = 0; nth < count; nth += 1) {
    const kind = kinds[nth % kinds.length] ?? 'turn'
    const run = runs[(nth * 7) % runs.length] ?? ''
    const text = nth % 50 === 0 ? 'long '.repeat(3_000) : `"run":"a1" of ${nth}`
    log.append(nth % 11 === 0 ? { kind: 'host', text } : { kind, run, pid: nth % 3, text })
    if (nth % 20 === 0) log.commit()
  }
  log.commit()
}

const filters: readonly EntryFilter[] = [
  ...runs.map((run) => ({ run })),
  ...runs.map((run) => ({ run, pid: 1 })),
  ...[...kinds, 'host' as const].map((kind) => ({ kind })),
  { run: 'nobody' },
  { run: 'a1', kind: 'ask', from: 200 },
  { from: 333 },
  { from: 333, pid: 2 },
  { from: 999_999 },
  {},
]

/** What reading everything gives. */
const slowly = (entries: readonly Entry[], { run, pid, kind, from = 0 }: EntryFilter): readonly Entry[] =>
  entries.filter(
    (entry) =>
      (run ?? entry.run) === entry.run &&
      (pid ?? entry.pid) === entry.pid &&
      (kind ?? entry.kind) === entry.kind &&
      entry.seq >= from,
  )

const indexes = (dir: string) => readdirSync(dir).filter((file) => /^log.*\.index$/.test(file))

test('with indexes and without, by the kernel and from outside: what is found is what is there', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 15_000)
  fill(log, 600)
  const all = [...new EvidenceFolder(dir).lines()].map((line): Entry => JSON.parse(line))
  const check = () => {
    for (const filter of filters) {
      expect([...new EvidenceFolder(dir).entries(filter)], JSON.stringify(filter)).toEqual(
        slowly(all, filter),
      )
      expect([...log.entries(filter)], JSON.stringify(filter)).toEqual(slowly(all, filter))
    }
  }
  const segments = readdirSync(dir).filter((file) => /^log-\d+\.jsonl$/.test(file)).length
  await until(() => indexes(dir).length === segments - 1, 'all full segments have an index')
  expect(segments).toBeGreaterThan(8)
  check()
  expect(new EvidenceFolder(dir).misleading()).toEqual([])
  for (const file of indexes(dir)) rmSync(join(dir, file))
  check()
  await log.close()
})

test('every entry is found by its number, and none that is not there', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 15_000)
  fill(log, 300)
  const evidence = new EvidenceFolder(dir)
  for (let seq = 0; seq < 300; seq += 1) expect(evidence.entry(seq)?.seq).toBe(seq)
  expect(evidence.entry(300)).toBeUndefined()
  expect(evidence.entry(-1)).toBeUndefined()
  await log.close()
})

test('an index is made again at the next start where it is gone, or does not fit its segment', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 15_000)
  fill(log, 300)
  await until(() => indexes(dir).length > 2, 'segments are indexed')
  await log.close()
  const [first = '', second = ''] = indexes(dir)
  const right = readFileSync(join(dir, first))
  rmSync(join(dir, first))
  const wrong = Buffer.from(readFileSync(join(dir, second)))
  wrong.writeBigUInt64LE(5n, 8)
  writeFileSync(join(dir, second), wrong)
  const again = inFolder(dir, 15_000)
  await until(() => indexes(dir).includes(first), 'the index is there again')
  await until(() => !readFileSync(join(dir, second)).equals(wrong), 'the index fits again')
  await again.close()
  expect(readFileSync(join(dir, first))).toEqual(right)
})

test('an index that somebody made to hide entries is named', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 15_000)
  fill(log, 300)
  await until(() => indexes(dir).length > 2, 'segments are indexed')
  await log.close()
  for (const file of indexes(dir)) {
    const emptied = readFileSync(join(dir, file)).subarray(0, 24)
    emptied.writeBigUInt64LE(0n, 16)
    writeFileSync(join(dir, file), emptied)
  }
  const evidence = new EvidenceFolder(dir)
  expect([...evidence.run('a1')].length).toBeLessThan(
    [...evidence.entries()].filter(({ run }) => run === 'a1').length,
  )
  expect(evidence.misleading()).toEqual(indexes(dir))
  expect(evidence.verify().entries).toBe(300)
})
