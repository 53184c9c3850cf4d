/** What others notice of one guest that floods the kernel. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alone } from './alone.ts'
import { percentile } from './measure.ts'
import { MeteredKernel, type Spawned } from './metered.ts'
import { mebibytes, progress, shown, type Table } from './report.ts'

interface Flooded {
  /** Latencies of the others, in ms. */
  readonly calls: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Calls of the flooding guest that reached the kernel, and how often it ended and was started anew. */
  readonly flood: number
  readonly floodCallsPerSecond: number
  readonly ends: Readonly<Record<string, number>>
  readonly rssMax: number
}

const floods: Readonly<Record<string, string>> = {
  'calls in one turn': `export default () => { for (let n = 0; ; n += 1) fs.stat('/tmp/' + n).catch(() => {}) }`,
  'calls in many turns': `export default async () => {
    for (let n = 0; ; n += 1) { for (let at = 0; at < 500; at += 1) fs.stat('/tmp/' + n + '.' + at).catch(() => {}); await proc.self() } }`,
  printing: `export default () => { const line = 'x'.repeat(100); for (;;) console.log(line) }`,
  'calls of 1 MiB': `export default async () => { const text = 'x'.repeat(2 ** 20)
    for (let n = 0; ; n += 1) { for (let at = 0; at < 20; at += 1) fs.write('/tmp/' + n, text).catch(() => {}); await proc.self() } }`,
}
const quiet = 'nobody'

const agents = 4
const processesOfEach = 50
const startedAtOnce = 20

const other = `export default async (delay) => {
  console.log('begun')
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  for (await sleep(delay); ; await sleep(1_000)) await fs.list('/tmp')
}`

async function startOthers(kernel: MeteredKernel): Promise<readonly Spawned[]> {
  const all: Spawned[] = []
  const count = agents * processesOfEach
  while (all.length < count) {
    const batch = Array.from({ length: startedAtOnce }, (_, index) => {
      const number = all.length + index
      return kernel.spawn(`other-${number % agents}`, other, [Math.round((number * 1_000) / count)])
    })
    await Promise.all(batch.map((guest) => kernel.begun(guest)))
    all.push(...batch)
  }
  return all
}

/** A guest that floods until it is over, and then the next one, until `goesOn` says no. */
async function keepFlooding(kernel: MeteredKernel, source: string, goesOn: () => boolean) {
  const ends: Record<string, number> = {}
  let calls = 0
  while (goesOn()) {
    const guest = kernel.spawn('flood', source)
    let isOver = false
    void guest.process.exit.then(() => {
      isOver = true
    })
    while (!isOver && goesOn()) await sleep(20)
    if (isOver) {
      const { signal, reason = '' } = await guest.process.exit
      const end = `${signal ?? ''} ${reason}`.trim()
      ends[end] = (ends[end] ?? 0) + 1
      await sleep(20)
    } else guest.process.kill('SIGKILL', 'measured')
    calls += guest.meter().calls
    kernel.forget(guest)
  }
  return { calls, ends }
}

/** @returns the latencies of the others beside one kind of flood */
export async function measureFlood(kind = quiet, seconds = '20'): Promise<Flooded> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const kernel = new MeteredKernel('cell', { evidence: { dir } })
  const others = await startOthers(kernel)
  await sleep(1_500)
  for (const { meter } of others) meter().callMs.length = 0
  const endsAt = performance.now() + Number(seconds) * 1_000
  let rssMax = 0
  const watch = setInterval(() => {
    rssMax = Math.max(rssMax, process.memoryUsage.rss())
  }, 100)
  const goesOn = (): boolean => performance.now() < endsAt
  const source = floods[kind]
  const flood =
    source === undefined
      ? await sleep(Number(seconds) * 1_000, { calls: 0, ends: {} })
      : await keepFlooding(kernel, source, goesOn)
  const latencies = others.flatMap(({ meter }) => meter().callMs)
  clearInterval(watch)
  await kernel.close()
  rmSync(dir, { recursive: true, force: true })
  return {
    calls: latencies.length,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: Math.max(0, ...latencies),
    flood: flood.calls,
    floodCallsPerSecond: flood.calls / Number(seconds),
    ends: flood.ends,
    rssMax,
  }
}

/** @param seconds how long each kind of flood goes on */
export async function flood(seconds: number): Promise<Table> {
  const rows: string[][] = []
  let base = 0
  for (const kind of [quiet, ...Object.keys(floods)]) {
    const { result, end } = await alone<Flooded>('flood', [kind, seconds])
    if (result === undefined) {
      rows.push([kind, `the kernel's process ended with ${end}`, '', '', '', '', '', ''])
      continue
    }
    const { p50, p99, max, calls, floodCallsPerSecond, rssMax, ends } = result
    if (kind === quiet) base = p99
    progress(`  ${kind}: p99 ${shown(p99)} ms; ${JSON.stringify(ends)}`)
    const ended = Object.values(ends).reduce((sum, count) => sum + count, 0)
    rows.push([
      kind,
      ...[p50, p99, max].map(shown),
      (p99 / base).toFixed(2),
      `${calls} of ${seconds * agents * processesOfEach}`,
      `${Math.round(floodCallsPerSecond)} / ${ended}`,
      mebibytes(rssMax),
    ])
  }
  return {
    columns: [
      'who floods, by',
      'p50',
      'p99',
      'max',
      'p99, ratio to nobody',
      'calls of the others',
      'flooding calls a second / ends',
      "kernel's memory at most, MiB",
    ],
    rows,
    notes: [
      'A latency begins with the delivery that wakes a process, and ends when it has run on with the answer to its one call. A flooding guest that comes to its end by its own limits is started again.',
    ],
  }
}
