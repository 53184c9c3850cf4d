/** Memory of the kernel and its cells over many short processes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KernelSpace } from '../../src/index.ts'
import { liveCells } from '../support/children.ts'
import { alone } from './alone.ts'
import { everything, type Place } from './metered.ts'
import { mebibytes, progress, shown, type Table } from './report.ts'

/** In bytes. */
interface Memory {
  readonly kernel: number
  readonly heap: number
  readonly cells: number
}

interface Churned {
  readonly start: Memory
  readonly warm: Memory
  readonly end: Memory
  /** Spawns between `warm` and `end`. */
  readonly spawns: number
  readonly spawnsPerSecond: number
  readonly failed: number
  readonly verified: boolean
}

const atOnce = 8
const settleMs = 500
/** Growth that is bounded is in the warm-up: the kernel keeps rows of the last 1,000 processes that ended. */
const warmUpOf = (spawns: number): number => Math.ceil(Math.max(spawns / 4, Math.min(1_200, spawns * 0.6)))
const pageBytes = 4_096

const residentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes

async function memory(): Promise<Memory> {
  // What has ended is let go of in later turns of the loop.
  for (let times = 0; times < 2; times += 1) {
    await sleep(settleMs)
    // The flavour that also gives back what V8 keeps for later.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { kernel: rss, heap: heapUsed, cells: liveCells().reduce((sum, pid) => sum + residentOf(pid), 0) }
}

/** Spawns processes that return at once. @returns how many did not */
async function spawnAll(kernel: KernelSpace, count: number): Promise<number> {
  let left = count
  let failed = 0
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const { exit } = kernel.spawn(
        { source: 'export default (n) => n + 1' },
        { name: 'short', args: [left] },
      )
      if ((await exit).status !== 'exited') failed += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return failed
}

/** @returns the memory at three moments of the life of one kernel */
export async function measureChurn(place = 'cell', spawns = '2000'): Promise<Churned> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const kernel = new KernelSpace({ isolation: place as Place, policy: everything, evidence: { dir } })
  let failed = await spawnAll(kernel, atOnce)
  const start = await memory()
  const warmUp = warmUpOf(Number(spawns))
  failed += await spawnAll(kernel, warmUp)
  const warm = await memory()
  const rest = Number(spawns) - warmUp
  const beganAt = performance.now()
  const steps = 10
  for (let step = 1; step <= steps; step += 1) {
    failed += await spawnAll(
      kernel,
      Math.floor((rest * step) / steps) - Math.floor((rest * (step - 1)) / steps),
    )
    progress(`  ${place}: ${step * 10} %, rss ${mebibytes(process.memoryUsage().rss)} MiB`)
  }
  const spawnsPerSecond = (rest * 1_000) / (performance.now() - beganAt)
  const end = await memory()
  await kernel.shutdown()
  const { ok } = kernel.evidence.verify()
  rmSync(dir, { recursive: true, force: true })
  return { start, warm, end, spawns: rest, spawnsPerSecond, failed, verified: ok }
}

async function rowsOf(place: Place, spawns: number): Promise<readonly (readonly string[])[]> {
  const { result, end } = await alone<Churned>('churn', [place, spawns])
  if (result === undefined) throw new Error(`the process of the kernel ended with ${end}`)
  const { start, warm, end: last, failed, verified, spawnsPerSecond } = result
  if (failed > 0 || !verified) progress(`  ${place}: ${failed} FAILED, evidence verifies: ${verified}`)
  const row = (what: string, key: keyof Memory): readonly string[] => [
    `${place}: ${what}`,
    ...[start, warm, last].map((at) => mebibytes(at[key])),
    `${Math.round((last[key] - warm[key]) / result.spawns)}`,
    (last[key] / warm[key]).toFixed(2),
    shown(spawnsPerSecond),
  ]
  const own = [row('kernel, resident', 'kernel'), row("kernel, V8's heap after collection", 'heap')]
  return place === 'cell' ? [...own, row('cells, resident', 'cells')] : own
}

/** @param spawns in each place; 100,000 are what a busy day brings */
export async function churn(spawns: number): Promise<Table> {
  return {
    columns: [
      'memory of',
      'start, MiB',
      'after the warm-up, MiB',
      'end, MiB',
      'bytes a spawn after it',
      'ratio, end to warm-up',
      'spawns a second',
    ],
    rows: [...(await rowsOf('cell', spawns)), ...(await rowsOf('inline', spawns))],
    notes: [
      'Each figure of the kernel is taken after a collection. What is on record last is kept in memory, up to 32 MiB: that is full after some 20,000 spawns, and until then the heap grows by it.',
    ],
  }
}
