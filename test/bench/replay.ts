/** Every attack of the corpus, recorded in its arena and replayed: runs that do the same again, and what it takes. */
import { findEvidence } from '../../src/evidence/read.ts'
import { CellPool } from '../../src/isolate/cell-pool.ts'
import { readRun } from '../../src/replay/recorded-run.ts'
import { type ReplayedProcess, replayRun } from '../../src/replay/replay.ts'
import { families as escapes } from '../escape/families.ts'
import { families as hostile } from '../hostile/families.ts'
import { Arena } from '../support/corpus.ts'
import { alone } from './alone.ts'
import { progress, shown, type Table } from './report.ts'

interface Tally {
  readonly processes: number
  readonly equal: number
  readonly incomplete: number
  readonly calls: number
  readonly replayMs: number
  readonly diverged: readonly string[]
}

const families = [...escapes, ...hostile]

/** Records one family in an arena of its own, and replays each run. */
export async function measureReplay(isolation = '', family = ''): Promise<Tally> {
  const arena = await Arena.open(isolation === 'inline' ? 'inline' : 'cell')
  const attacks = families
    .filter(({ name }) => name === family)
    .flatMap((each) => each.attacks)
    .filter(({ notInline }) => isolation !== 'inline' || notInline === undefined)
  // What is not contained the corpus's own benchmark tells.
  for (const attack of attacks) await arena.run(attack).catch(() => undefined)
  let tally: Tally | undefined
  await arena.close(async (dir) => {
    tally = await replayed(dir)
  })
  if (tally === undefined) throw new Error('the arena did not close')
  return tally
}

async function replayed(dir: string): Promise<Tally> {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error(found.reason)
  const source = found.evidence
  const space = new CellPool({ spare: 0 })
  const processes: ReplayedProcess[] = []
  const beganAt = performance.now()
  const ids = new Set([...source.entries({ kind: 'spawn' })].map(({ run }) => run ?? ''))
  for (const id of ids) processes.push(...(await replayRun(readRun(source, id), { source, space })).processes)
  const replayMs = performance.now() - beganAt
  await space.close()
  const ofVerdict = (verdict: string) => processes.filter((process) => process.verdict === verdict)
  return {
    ...{ processes: processes.length, equal: ofVerdict('equal').length, replayMs },
    incomplete: ofVerdict('incomplete').length,
    calls: processes.reduce((sum, { calls }) => sum + calls, 0),
    diverged: ofVerdict('diverged').map(({ pid, agent, divergence }) =>
      JSON.stringify({ pid, agent, ...divergence }),
    ),
  }
}

async function tallyOf(isolation: 'cell' | 'inline'): Promise<readonly string[]> {
  const sum = { processes: 0, equal: 0, incomplete: 0, diverged: 0, calls: 0, replayMs: 0, lost: 0 }
  for (const { name } of families) {
    const { result, end } = await alone<Tally>('replay', [isolation, name])
    if (result === undefined) {
      sum.lost += 1
      progress(`  ${isolation} ${name}: its process ended with ${end}`)
      continue
    }
    const { diverged, ...counts } = result
    for (const key of ['processes', 'equal', 'incomplete', 'calls', 'replayMs'] as const)
      sum[key] += counts[key]
    sum.diverged += diverged.length
    progress(`  ${isolation} ${name}: ${counts.equal} of ${counts.processes} equal, ${counts.calls} calls`)
    for (const text of diverged) progress(`    DIVERGED ${text}`)
  }
  const { processes, equal, incomplete, diverged, calls, replayMs, lost } = sum
  return [
    isolation,
    ...[processes, equal, diverged, incomplete, lost, calls].map(String),
    shown(replayMs / 1e3),
  ]
}

export async function replay(): Promise<Table> {
  return {
    columns: [
      'recorded in',
      'processes',
      'equal',
      'diverged',
      'incomplete',
      'families lost',
      'calls compared',
      'time, s',
    ],
    rows: [await tallyOf('cell'), await tallyOf('inline')],
    notes: [
      'The bystanders, the probes and all children are among the processes. Incomplete: the record does not suffice, and says why.',
    ],
  }
}
