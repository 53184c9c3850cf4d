/**
 * Runs the benchmarks and prints their table: `npm run bench` for all, `npm run bench -- NAME…` for some,
 * `-- --write` to record the table in docs/benchmarks.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import ivm from 'isolated-vm'
import { bareCell, bareInline } from './bare.ts'
import { governed, spawning } from './governed.ts'
import { type Contender, compare, type Figures, type Round, timed } from './measure.ts'

interface Benchmark {
  readonly what: string
  readonly rounds: number
  readonly contenders: readonly Contender[]
}

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

const calls = 400
const wide = 100

const benchmarks: Readonly<Record<string, Benchmark>> = {
  spawn: {
    what: 'from spawn to the first result, µs',
    rounds: 60,
    contenders: [
      contender('bare isolate and context', bareSpawn),
      contender('inline', () => spawning('inline')),
      contender('cell (warm)', () => spawning('cell')),
    ],
  },
  'read-inline': {
    what: 'one governed fs.read of 1 KiB, one after another, µs a call',
    rounds: 60,
    contenders: [
      contender('bare isolated-vm', () => bareInline(calls, 1)),
      contender('inline', () => governed('inline', calls, 1)),
    ],
  },
  'read-cell': {
    what: 'the same from a cell, µs a call',
    rounds: 60,
    contenders: [
      contender('bare cell', () => bareCell(calls, 1)),
      contender('cell', () => governed('cell', calls, 1)),
    ],
  },
  'flight-inline': {
    what: '100 reads in flight, µs a call',
    rounds: 60,
    contenders: [
      contender('bare isolated-vm', () => bareInline(calls, wide)),
      contender('inline', () => governed('inline', calls, wide)),
    ],
  },
  'flight-cell': {
    what: 'the same from a cell, µs a call',
    rounds: 60,
    contenders: [
      contender('bare cell', () => bareCell(calls, wide)),
      contender('cell', () => governed('cell', calls, wide)),
    ],
  },
}

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name))
if (unknown !== undefined) {
  console.error(`no benchmark \`${unknown}\`; there are ${Object.keys(benchmarks).join(', ')}`)
  process.exit(2)
}

const results: { name: string; what: string; figures: readonly Figures[] }[] = []
for (const [name, { what, rounds, contenders }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  results.push({ name, what, figures: await compare(contenders, rounds) })
}

const machine = `Node.js ${process.version}, V8 ${process.versions.v8}, ${process.platform} ${process.arch}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
const table = [
  '| benchmark | contender | p50 | p90 | p99 | ratio |',
  '| --- | --- | ---: | ---: | ---: | ---: |',
  ...results.flatMap(({ name, what, figures }) =>
    figures.map(({ name: who, p50, p90, p99, ratio }, index) => {
      const label = index === 0 ? `\`${name}\`: ${what}` : ''
      return `| ${label} | ${who} | ${p50.toFixed(1)} | ${p90.toFixed(1)} | ${p99.toFixed(1)} | ${ratio.toFixed(2)} |`
    }),
  ),
].join('\n')

console.log(values.json ? JSON.stringify({ machine, results }, null, 2) : `${machine}\n\n${table}`)
if (values.write) {
  const file = new URL('../../docs/benchmarks.md', import.meta.url)
  const page = readFileSync(file, 'utf8')
  const [before] = page.split('<!-- figures -->')
  writeFileSync(file, `${before}<!-- figures -->\n\n${machine}\n\n${table}\n`)
}
process.exit(0)
