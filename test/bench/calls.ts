/** Spawns and calls beside the bare mechanism. */
import ivm from 'isolated-vm'
import { bareCell, bareInline } from './bare.ts'
import { governed, spawning } from './governed.ts'
import { type Contender, compare, type Round, timed } from './measure.ts'
import type { Table } from './report.ts'

export interface Comparison {
  readonly what: string
  readonly contenders: readonly Contender[]
}

const rounds = 60
const calls = 400
const wide = 100

const contender = (name: string, open: () => Promise<Round>): Contender => ({ name, open })

async function bareSpawn(): Promise<Round> {
  const once = async (): Promise<void> => {
    const isolate = new ivm.Isolate({ memoryLimit: 64 })
    const context = await isolate.createContext()
    await context.evalClosure('return 1')
    isolate.dispose()
  }
  return { run: () => timed(once), close: async () => {} }
}

export const comparisons: Readonly<Record<string, Comparison>> = {
  spawn: {
    what: 'From spawn to the first result, µs',
    contenders: [
      contender('bare isolate and context', bareSpawn),
      contender('inline', () => spawning('inline')),
      contender('cell (warm)', () => spawning('cell')),
    ],
  },
  'read-inline': {
    what: 'One governed fs.read of 1 KiB, one after another, µs a call',
    contenders: [
      contender('bare isolated-vm', () => bareInline(calls, 1)),
      contender('inline', () => governed('inline', calls, 1)),
    ],
  },
  'read-cell': {
    what: 'One governed fs.read of 1 KiB from a cell, one after another, µs a call',
    contenders: [
      contender('bare cell', () => bareCell(calls, 1)),
      contender('cell', () => governed('cell', calls, 1)),
    ],
  },
  'flight-inline': {
    what: '100 reads in flight, µs a call',
    contenders: [
      contender('bare isolated-vm', () => bareInline(calls, wide)),
      contender('inline', () => governed('inline', calls, wide)),
    ],
  },
  'flight-cell': {
    what: '100 reads in flight from a cell, µs a call',
    contenders: [
      contender('bare cell', () => bareCell(calls, wide)),
      contender('cell', () => governed('cell', calls, wide)),
    ],
  },
}

/** Measures what is compared in alternating rounds. */
export async function comparing({ contenders }: Comparison): Promise<Table> {
  const figures = await compare(contenders, rounds)
  return {
    columns: ['contender', 'p50', 'p90', 'p99', 'ratio'],
    rows: figures.map(({ name, p50, p90, p99, ratio }) => [
      name,
      ...[p50, p90, p99].map((value) => value.toFixed(1)),
      ratio.toFixed(2),
    ]),
  }
}
