/** What evidence costs beside what it is made of: bare SHA-256, append and fdatasync, in the same rounds. */
import { hash } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as endOfTick } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import type { TurnBody } from '../../src/evidence/beginnings.ts'
import type { IntentBody, OutcomeBody, PayloadRef } from '../../src/evidence/entry.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { type Durability, EvidenceLog } from '../../src/evidence/log.ts'
import { findEvidence } from '../../src/evidence/read.ts'
import { kibibyte } from './bare.ts'
import { type Contender, compare, type Figures, type Round, timed } from './measure.ts'
import type { Table } from './report.ts'

const rounds = 30
/** As many bytes as an intent has. */
const lineBytes = 512
/** Calls of one round, and how many of them come in one pass of the event loop. */
const calls = 2_000
const wide = 100
const processes = 100
const flushes = 5

const policy = hash('sha256', 'a policy')
const who = { run: 'b0a7c1d2e3f4', pid: 7 }

/** The entries of one call, as the gate makes them. */
function intentOf(call: number, args: PayloadRef): IntentBody {
  return {
    kind: 'intent',
    ...{ ...who, agent: 'reader', isolation: 'inline', call, syscall: 'fs.read' },
    resource: '/tmp/file',
    args,
    decision: { effect: 'permit', rules: [{ id: 'files', line: 3, policy: 'bench' }], policy },
  }
}

const outcomeOf = (intent: number, result: PayloadRef): OutcomeBody => ({
  kind: 'outcome',
  ...{ ...who, intent, status: 'committed', result },
})

const turnOf = (turn: number, replies: readonly number[]): TurnBody => ({
  kind: 'turn',
  ...{ ...who, turn, after: turn, at: systemClock.now(), replies },
})

function inTemporaryFolder(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

function openLog(durability: Durability): { log: EvidenceLog; dir: string; close: () => Promise<void> } {
  const { dir, remove } = inTemporaryFolder()
  const log = EvidenceLog.open({ store: FileStore.open(dir), clock: systemClock, durability })
  return { log, dir, close: () => log.close().finally(remove) }
}

async function hashing(): Promise<Round> {
  const line = Buffer.alloc(lineBytes, 'x')
  const work = async (): Promise<void> => {
    for (let count = 0; count < calls; count += 1) hash('sha256', line)
  }
  return { run: async () => (await timed(work)) / calls, close: async () => {} }
}

/** @param flushed whether each line is flushed before the next */
async function appending(count: number, flushed: boolean): Promise<Round> {
  const { dir, remove } = inTemporaryFolder()
  const fd = openSync(join(dir, 'file'), 'a')
  const line = Buffer.alloc(lineBytes, 'x')
  const work = async (): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      writeSync(fd, line)
      if (flushed) fdatasyncSync(fd)
    }
  }
  const close = async (): Promise<void> => {
    closeSync(fd)
    remove()
  }
  return { run: async () => (await timed(work)) / count, close }
}

/** Entries alone: every second an intent, each other its outcome. */
async function chained(): Promise<Round> {
  const { log, close } = openLog('process')
  const ref = log.payload('null')
  const work = async (): Promise<void> => {
    for (let call = 0; call < calls; call += 1) {
      const { seq } = log.append(intentOf(call, ref))
      log.append(outcomeOf(seq, ref))
      if (call % wide === 0) await endOfTick()
    }
    log.commit()
  }
  return { run: async () => (await timed(work)) / (calls * 2), close }
}

async function payloads(): Promise<Round> {
  const { log, close } = openLog('process')
  const work = async (): Promise<void> => {
    for (let call = 0; call < calls; call += 1) {
      log.payload(kibibyte)
      if (call % wide === 0) await endOfTick()
    }
    log.commit()
  }
  return { run: async () => (await timed(work)) / calls, close }
}

/** All that a call puts on record: two entries, two payloads, and its share of a turn. */
function recordCall(log: EvidenceLog, call: number): number {
  const { seq } = log.append(intentOf(call, log.payload('{"path":"/tmp/file"}')))
  return log.append(outcomeOf(seq, log.payload(kibibyte))).seq
}

async function wholeCalls(width: number): Promise<Round> {
  const { log, close } = openLog('process')
  let turn = 1
  const work = async (): Promise<void> => {
    for (let done = 0; done < calls; done += width) {
      const ends = Array.from({ length: width }, (_, index) => recordCall(log, done + index))
      turn += 1
      log.append(turnOf(turn, ends))
      await endOfTick()
    }
  }
  return { run: async () => (await timed(work)) / calls, close }
}

/** A hundred processes, each of which waits until its intent has been flushed. */
async function grouped(durability: Durability): Promise<Round> {
  const { log, close } = openLog(durability)
  const each = calls / processes
  const one = async (): Promise<void> => {
    for (let call = 0; call < each; call += 1) {
      const { seq } = log.append(intentOf(call, log.payload('{"path":"/out/file"}')))
      await log.durable()
      log.append(outcomeOf(seq, log.payload('null')))
    }
  }
  const work = (): Promise<unknown> => Promise.all(Array.from({ length: processes }, one))
  return { run: async () => (await timed(work)) / (calls * 2), close }
}

/** Reads a folder from disk and verifies all of it: entries, and payloads where each has its own. */
async function verifying(own: boolean): Promise<Round> {
  const { log, dir, close } = openLog('process')
  const shared = log.payload('null')
  for (let call = 0; call < calls; call += 1) {
    if (own) recordCall(log, call)
    else log.append(outcomeOf(log.append(intentOf(call, shared)).seq, shared))
  }
  log.commit()
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error('there is no evidence to verify')
  const entries = calls * 2
  const work = async (): Promise<void> => {
    const verified = found.evidence.verify()
    if (!verified.ok || verified.entries !== entries) throw new Error('what was written does not verify')
  }
  return { run: async () => (await timed(work)) / entries, close }
}

const contender = (name: string, open: () => Promise<Round>): Contender => ({ name, open })

const contenders: readonly Contender[] = [
  contender(`bare SHA-256 of ${lineBytes} bytes`, hashing),
  contender(`bare append of ${lineBytes} bytes`, () => appending(calls, false)),
  contender('bare append and fdatasync', () => appending(flushes, true)),
  contender('an entry, chained', chained),
  contender('a payload of 1 KiB', payloads),
  contender('a call: two entries, two payloads, a turn', () => wholeCalls(1)),
  contender('a call, 100 of which share a turn', () => wholeCalls(wide)),
  contender('an entry at level `process`, 100 processes', () => grouped('process')),
  contender('an entry at level `disk`, 100 processes', () => grouped('disk')),
  contender('an entry verified', () => verifying(false)),
  contender('an entry verified, with a payload of its own', () => verifying(true)),
]

/** Measures all of it in alternating rounds. */
export async function evidence(): Promise<Table> {
  const figures = await compare(contenders, rounds)
  return {
    columns: ['what', 'a second', 'p50, µs', 'p90, µs', 'beside one SHA-256'],
    rows: figures.map(row),
    notes: [
      `Each is one of ${calls.toLocaleString('en')} in a round, on disk, ${wide} in one pass of the event loop; the rounds alternate, so that noise hits all alike. A call has arguments of 20 bytes and a result of 1 KiB. At a level, each process waits until its intent is durable before it goes on to the outcome; all who wait at once share a write, and a flush.`,
    ],
  }
}

const row = ({ name, p50, p90, ratio }: Figures): readonly string[] => [
  name,
  Math.round(1e6 / p50).toLocaleString('en'),
  ...[p50, p90].map((value) => value.toFixed(2)),
  ratio.toFixed(1),
]
