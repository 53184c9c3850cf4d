/** What part of a governed call is evidence, and how many bytes it leaves on disk: by a profile of kernels at work. */
import { readdirSync, statSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { governed } from './governed.ts'
import type { Round } from './measure.ts'
import { shown, type Table } from './report.ts'

const calls = 2_000
const wide = 100
const rounds = 12
const warmUp = 4
const samplingMicros = 500

interface Bytes {
  readonly log: number
  readonly pack: number
}

/** How long the agent waited, what the kernel's thread did in that time, and how much of that for evidence. */
interface Spent {
  waited: number
  busy: number
  evidence: number
}

interface Contender {
  readonly name: string
  readonly round: Round & { readonly dir: string }
  readonly before: Bytes
  /** Of all rounds, µs. */
  readonly spent: Spent
}

async function open(name: string, isolation: 'inline' | 'cell', width: number): Promise<Contender> {
  const round = await governed(isolation, calls, width)
  for (let index = 0; index < warmUp; index += 1) await round.run()
  return { name, round, before: bytesIn(round.dir), spent: { waited: 0, busy: 0, evidence: 0 } }
}

/** Measures all of it in alternating rounds. */
export async function evidenceShare(): Promise<Table> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: samplingMicros })
  const contenders = [
    await open('inline, one after another', 'inline', 1),
    await open(`inline, ${wide} in flight`, 'inline', wide),
    await open('cell, one after another', 'cell', 1),
    await open(`cell, ${wide} in flight`, 'cell', wide),
  ]
  for (let index = 0; index < rounds; index += 1) {
    for (const contender of contenders) await profiled(session, contender)
  }
  session.disconnect()
  const rows = contenders.map(row)
  for (const { round } of contenders) await round.close()
  return {
    columns: [
      'what',
      'a call, µs',
      'kernel, µs',
      'evidence, µs',
      'of the call',
      'log, bytes',
      'packs, bytes',
    ],
    rows,
    notes: [
      `One governed fs.read of 1 KiB, with its evidence on disk: ${rounds} alternating rounds of ${calls.toLocaleString('en')} calls. A call takes as long as its agent waits for it, with what the agent does itself and what passes between threads or processes. The kernel's thread is sampled each ${samplingMicros} µs, which makes all of it slower. Evidence is what runs in \`src/evidence/\` and \`src/gate/record.ts\`, what that calls, and as much of the garbage collection as it has of the other work.`,
    ],
  }
}

async function profiled(session: Session, { round, spent }: Contender): Promise<void> {
  await session.post('Profiler.start')
  const from = micros()
  spent.waited += (await round.run()) * calls
  const to = micros()
  const { profile } = await session.post('Profiler.stop')
  const { busy, evidence } = timeIn(profile, from, to)
  spent.busy += busy
  spent.evidence += evidence
}

function row({ name, round, before, spent }: Contender): readonly string[] {
  const after = bytesIn(round.dir)
  const count = rounds * calls
  return [
    name,
    shown(spent.waited / count),
    shown(spent.busy / count),
    shown(spent.evidence / count),
    `${Math.round((spent.evidence / spent.waited) * 100)} %`,
    ...(['log', 'pack'] as const).map((stream) =>
      Math.round((after[stream] - before[stream]) / count).toString(),
    ),
  ]
}

/** On the clock of the profiler. */
const micros = (): number => Number(process.hrtime.bigint() / 1_000n)

/** @returns what the thread did between two times, in µs */
function timeIn(profile: Profiler.Profile, from: number, to: number): Omit<Spent, 'waited'> {
  const { nodes, samples = [], timeDeltas = [] } = profile
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]))
  const ofEvidence = evidenceNodes(nodes)
  let at = profile.startTime
  const spent = { busy: 0, evidence: 0, collecting: 0 }
  for (const [index, id] of samples.entries()) {
    const before = at
    at += timeDeltas[index] ?? 0
    if (before < from || at > to) continue
    if (nameOf.get(id) === '(garbage collector)') spent.collecting += at - before
    else if (nameOf.get(id) !== '(idle)') spent.busy += at - before
    if (ofEvidence.has(id)) spent.evidence += at - before
  }
  const { busy, evidence, collecting } = spent
  return { busy: busy + collecting, evidence: evidence * (1 + collecting / Math.max(1, busy)) }
}

function evidenceNodes(nodes: readonly Profiler.ProfileNode[]): ReadonlySet<number> {
  const found = new Set<number>()
  // A node comes after the one that holds it.
  for (const { id, callFrame, children = [] } of nodes) {
    if (/\/evidence\/[^/]|\/gate\/record\./.test(callFrame.url)) found.add(id)
    if (found.has(id)) for (const child of children) found.add(child)
  }
  return found
}

function bytesIn(dir: string): Bytes {
  const of = (stream: string): number =>
    readdirSync(dir)
      .filter((file) => file.startsWith(`${stream}-`))
      .reduce((sum, file) => sum + statSync(join(dir, file)).size, 0)
  return { log: of('log'), pack: of('pack') }
}
