/** How long a kernel takes to leave while a thousand guests of every kind live. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { liveCells } from '../support/children.ts'
import { alone } from './alone.ts'
import { MeteredKernel, type Spawned } from './metered.ts'
import { progress, shown, type Table } from './report.ts'

interface Leaving {
  readonly live: number
  readonly states: Readonly<Record<string, number>>
  readonly startMs: number
  readonly shutdownMs: number
  readonly verifyMs: number
  readonly entries: number
  readonly verified: boolean
  readonly orphans: number
}

/** Always runnable; a turn ends now and then, so that none takes longer than a turn may. */
const spinner = `export default async () => {
  console.log('begun')
  for (let calls = 0; ; calls += 1) { for (let n = 0; n < 2e7; n += 1); await fs.stat('/tmp') }
}`
const waiter = `export default async () => { console.log('begun'); await tools.wait({}) }`

const wait = {
  description: 'answers when it is aborted',
  parameters: { type: 'object' },
  // All of them wait until the kernel ends, however long the start takes.
  timeoutMs: 3_600_000,
  execute: (_args: never, { signal }: { readonly signal: AbortSignal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    }),
}

/** Starts so many at a time; a machine of two cores does not start a thousand at once in reasonable time. */
const atOnce = 16

async function start(kernel: MeteredKernel, name: string, source: string, count: number): Promise<Spawned[]> {
  const all: Spawned[] = []
  while (all.length < count) {
    const batch = Array.from({ length: Math.min(atOnce, count - all.length) }, () =>
      kernel.spawn(name, source),
    )
    await Promise.all(batch.map((guest) => kernel.begun(guest)))
    all.push(...batch)
  }
  return all
}

async function freezeAll(kernel: MeteredKernel, count: number): Promise<void> {
  for (let done = 0; done < count; done += atOnce) {
    const batch = await start(kernel, 'frozen', spinner, Math.min(atOnce, count - done))
    const waiting = new Set(batch.map(({ process }) => process.pid))
    const { promise, resolve } = Promise.withResolvers<void>()
    const off = kernel.system.observers.on('state', ({ pid, to }) => {
      if (to === 'stopped' && waiting.delete(pid) && waiting.size === 0) resolve()
    })
    for (const { process } of batch) process.signal('SIGSTOP', 'by the benchmark')
    await promise
    off()
  }
}

/** @returns what a kernel with so many guests did, in a process that then ends by itself */
export async function measureShutdown(guests = '1000'): Promise<Leaving> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const third = Math.floor(Number(guests) / 3)
  const kernel = new MeteredKernel(
    'cell',
    { evidence: { dir }, tools: { wait } },
    { processes: 64, max: 32, spare: 1 },
  )
  const beganAt = performance.now()
  await start(kernel, 'waiting', waiter, third)
  progress(`  ${third} wait`)
  await freezeAll(kernel, third)
  progress(`  ${third} are frozen`)
  await start(kernel, 'spinning', spinner, Number(guests) - 2 * third)
  progress(`  ${Number(guests) - 2 * third} spin`)
  const states: Record<string, number> = {}
  for (const { state } of kernel.system.table.live()) states[state] = (states[state] ?? 0) + 1
  const live = kernel.system.table.live().length
  const downAt = performance.now()
  await kernel.close()
  const verifyAt = performance.now()
  const { ok, entries } = kernel.system.log.verify()
  const endAt = performance.now()
  const orphans = liveCells().length
  rmSync(dir, { recursive: true, force: true })
  return {
    ...{ live, states, orphans, verified: ok, entries, startMs: downAt - beganAt },
    ...{ shutdownMs: verifyAt - downAt, verifyMs: endAt - verifyAt },
  }
}

/** @param guests how many live when the kernel shuts down */
export async function shutdown(guests: number): Promise<Table> {
  const { result, end } = await alone<Leaving>('shutdown', [guests])
  if (result === undefined) throw new Error(`the process of the kernel ended with ${end}`)
  const { live, states, startMs, shutdownMs, verifyMs, entries, verified, orphans } = result
  return {
    columns: ['figure', 'value'],
    rows: [
      ['guests alive', String(live)],
      [
        'their states',
        Object.entries(states)
          .map(([state, count]) => `${count} ${state}`)
          .join(', '),
      ],
      ['time to start them, s', shown(startMs / 1_000)],
      ['until `shutdown()` resolves, ms', shown(shutdownMs)],
      ['evidence verifies', verified ? `yes, ${entries} entries in ${shown(verifyMs)} ms` : 'NO'],
      ['cells left', String(orphans)],
      ["exit code of the kernel's process", end],
    ],
  }
}
