/** How long a cell takes until it is ready for guests: bare, with what is taken from every cell, and in a jail. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { findCellFiles } from '../../src/isolate/cell-files.ts'
import { type Jail, jails } from '../../src/isolate/jail.ts'
import { launchCell } from '../../src/isolate/launch.ts'

const runs = 15

const bare = () =>
  spawn(process.execPath, ['--no-node-snapshot', findCellFiles().entry], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })

const ways: readonly (readonly [name: string, start: () => ReturnType<typeof bare>])[] = [
  ['bare', bare],
  ...jails.map(
    (jail: Jail) => [`jail ${jail}`, () => launchCell({ jail }).child as ReturnType<typeof bare>] as const,
  ),
]

const times = new Map(ways.map(([name]): [string, number[]] => [name, []]))
// In turn, so that what else the machine does falls on all of them alike.
for (let run = 0; run < runs; run += 1)
  for (const [name, start] of ways) {
    const since = performance.now()
    const child = start()
    await once(child.stdio[3] as Readable, 'data')
    times.get(name)?.push(performance.now() - since)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
for (const [name, all] of times) {
  const sorted = all.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0)
  console.log(`${name.padEnd(16)} ready after p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, of ${runs}`)
}
