/** A kernel that was killed, gone on with: how long that takes by what is on record before, with a snapshot and without. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { KernelSpace } from '../../src/index.ts'
import { percentile } from './measure.ts'
import { progress, shown, type Table } from './report.ts'

const rounds = 5

/** Agents write files, run after run; one process waits that began near the end. */
async function busyKernel(dir: string, entries: number): Promise<KernelSpace> {
  const kernel = new KernelSpace({
    ...{ policy: 'permissive', isolation: 'inline', control: false },
    evidence: { dir },
  })
  const work = `export default async (n) => {
    for (let i = 0; i < 60; i += 1) {
      await fs.write('/mem/working/f' + (n * 60 + i) % 900, 'text '.repeat(20) + n)
      if (i % 20 === 0) await fs.append('/mem/log', n + ';')
    }
  }`
  for (let n = 0; kernel.evidence.head().entries < entries; n += 1)
    await kernel.spawn({ source: work }, { name: `agent${n % 10}`, args: [n] }).exit
  const keeper = kernel.spawn({ source: 'export default () => ipc.receive()' }, { name: 'keeper' })
  while (keeper.state !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 5))
  await kernel.evidence.checkpoint()
  return kernel
}

const copyOf = (dir: string, pattern: RegExp): string => {
  const copy = mkdtempSync(join(tmpdir(), 'gatehouse-resume-'))
  mkdirSync(copy, { recursive: true })
  for (const name of readdirSync(dir)) if (pattern.test(name)) cpSync(join(dir, name), join(copy, name))
  return copy
}

/** @returns ms until its state is there and its process waits again */
async function goesOn(from: string, pattern: RegExp): Promise<number> {
  const dir = copyOf(from, pattern)
  const began = performance.now()
  const kernel = new KernelSpace({
    ...{ policy: 'permissive', isolation: 'inline', control: false },
    evidence: { dir, resume: true, snapshotEvery: 0 },
  })
  const [keeper] = kernel.restored
  if (keeper === undefined) throw new Error('nothing went on')
  while (!kernel.inspect(keeper.pid).live?.inFlight.length)
    await new Promise((resolve) => setImmediate(resolve))
  const took = performance.now() - began
  await kernel.shutdown()
  rmSync(dir, { recursive: true, force: true })
  return took
}

/** @param most entries of the longest record */
export async function resuming(most: number): Promise<Table> {
  const rows: string[][] = []
  for (const entries of [most / 8, most / 4, most / 2, most]) {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-resume-'))
    try {
      const delays = monitorEventLoopDelay({ resolution: 1 })
      delays.enable()
      const kernel = await busyKernel(dir, entries)
      delays.disable()
      const { entries: written } = kernel.evidence.head()
      const times: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round += 1) {
        times[0].push(await goesOn(dir, /^(log|pack)-/))
        times[1].push(await goesOn(dir, /^(log|pack|snapshot)-/))
      }
      const [without, withOne] = times.map((all) => percentile(all, 0.5)) as [number, number]
      rows.push([shown(written), shown(without), shown(withOne), shown(without / withOne)])
      progress(
        `${written} entries; the longest stop of the thread while they were made: ${shown(delays.max / 1e6)} ms`,
      )
      await kernel.shutdown()
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
  return {
    columns: ['entries on record', 'without a snapshot, ms', 'with one, ms', 'times as fast'],
    rows,
    notes: [
      'Ten agents write 900 files each over and over; the process that goes on began when all of that was done.',
      'The median of five, in turn; the time ends when that process waits again.',
    ],
  }
}
