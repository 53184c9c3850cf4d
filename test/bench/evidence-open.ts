/** A large log: how long it takes to open, for a kernel that goes on and for a reader, and to find something in it. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import type { EntryBody } from '../../src/evidence/entry.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { EvidenceFolder, findEvidence } from '../../src/evidence/read.ts'
import { denyUnanswered } from '../../src/evidence/unanswered.ts'
import { progress, shown, type Table } from './report.ts'

/** Runs that go on at the same time, and the entries that each has. */
const runsAtOnce = 50
const entriesOfRun = 40

/** Writes a log of so many entries, as a busy kernel would, and does not close it in order. */
export async function makeLargeLog(dir: string, entries: number): Promise<{ seconds: number; hash: string }> {
  const log = EvidenceLog.open({ store: FileStore.open(dir), clock: systemClock, durability: 'process' })
  const began = performance.now()
  let hash = ''
  for (let nth = 0; nth < entries; nth += 1) {
    const run = `${Math.floor(nth / (runsAtOnce * entriesOfRun)) * runsAtOnce + (nth % runsAtOnce)}`.padStart(
      12,
      '0',
    )
    const step = Math.floor(nth / runsAtOnce) % entriesOfRun
    const args = log.payload(
      JSON.stringify({ path: `/mem/working/${nth}.txt`, text: texts[nth % texts.length] }),
    )
    if (nth === Math.floor(entries / 3)) hash = args.hash
    log.append(bodyOf(run, step, nth, args))
    if (nth % 500 === 499) await nextTurn()
    if (nth % 100_000 === 99_999) progress(`${nth + 1} entries`)
  }
  log.commit()
  const seconds = (performance.now() - began) / 1_000
  await settled(dir)
  await log.close()
  return { seconds, hash }
}

const texts = [
  'short',
  'a line of some length about the weather in the north',
  'Lorem ipsum dolor sit amet. '.repeat(30),
]

function bodyOf(run: string, step: number, nth: number, args: { hash: string; bytes: number }): EntryBody {
  const caller = { run, pid: 1 + (nth % runsAtOnce), agent: 'researcher', isolation: 'cell', call: step }
  if (step === 0) return { kind: 'spawn', ...caller, args }
  if (step % 3 === 2)
    return { kind: 'turn', run, pid: caller.pid, turn: step, at: nth, replies: [nth - runsAtOnce] }
  if (step % 3 === 0)
    return {
      kind: 'outcome',
      run,
      pid: caller.pid,
      intent: nth - 2 * runsAtOnce,
      status: 'committed',
      result: args,
    }
  const decision = {
    effect: 'permit' as const,
    policy: 'a'.repeat(64),
    rules: [{ id: 'notes', line: 7, policy: 'researcher' }],
  }
  return {
    kind: 'intent',
    ...caller,
    syscall: 'fs.write',
    resource: `/mem/working/${nth}.txt`,
    args,
    decision,
  }
}

/** Waits until all full packs are compressed and indexed. */
async function settled(dir: string): Promise<void> {
  const open = (pattern: RegExp) => readdirSync(dir).filter((file) => pattern.test(file)).length
  while (open(/^pack-\d+\.jsonl$/) > 1 || open(/^log-\d+\.jsonl$/) - 1 > open(/^log-\d+\.index$/))
    await sleep(50)
}

/** @param entries how long the log is */
export async function evidenceOpen(entries: number): Promise<Table> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-large-'))
  try {
    const { seconds, hash } = await makeLargeLog(dir, entries)
    const middle = Math.floor(entries / 2)
    const run = new EvidenceFolder(dir).entry(middle)?.run ?? ''
    const rows = [
      ['made, entries a second', shown(entries / seconds)],
      ['opened by a kernel that goes on after one that died', await opened(dir)],
      ['opened by a reader', took(() => findEvidence(dir))],
      ['one entry by its number', took(() => new EvidenceFolder(dir).entry(middle))],
      [
        'the first rows from the middle on',
        took(() => [...firstOf(new EvidenceFolder(dir).entries({ from: middle }))]),
      ],
      [`a run of ${entriesOfRun} entries`, took(() => [...new EvidenceFolder(dir).run(run)])],
      ['one payload by its hash', took(() => new EvidenceFolder(dir).payloads(new Set([hash])))],
      ['bytes of the log, packs and indexes for an entry', perEntry(dir, entries)],
    ]
    return { columns: ['what', 'first time, and again'], rows }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function* firstOf<T>(items: Iterable<T>): Generator<T> {
  let left = 20
  for (const item of items) {
    yield item
    left -= 1
    if (left === 0) return
  }
}

async function opened(dir: string): Promise<string> {
  const times = []
  for (let round = 0; round < 2; round += 1) {
    const began = performance.now()
    const store = FileStore.open(dir)
    const log = EvidenceLog.open({ store, clock: systemClock, durability: 'process' })
    denyUnanswered(store, log)
    times.push(shown(performance.now() - began))
    await log.close()
  }
  return times.join(' / ')
}

function took(work: () => unknown): string {
  const times = [0, 1].map(() => {
    const began = performance.now()
    work()
    return shown(performance.now() - began)
  })
  return times.join(' / ')
}

function perEntry(dir: string, entries: number): string {
  const bytes = (pattern: RegExp): number =>
    readdirSync(dir)
      .filter((file) => pattern.test(file))
      .reduce((sum, file) => sum + statSync(join(dir, file)).size, 0)
  const parts = [/^log.*jsonl$/, /^pack.*(jsonl|zst)$/, /index$/].map(bytes)
  return parts.map((part) => shown(part / entries)).join(' / ')
}
