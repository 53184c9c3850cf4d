/**
 * Runs the benchmarks and prints their tables: `npm run bench` for all, `npm run bench -- NAME…` for some, `-- --write`
 * to put the tables of those into docs/benchmarks.md. `--rounds`, `--guests`, `--spawns`, `--seconds`, `--decisions`,
 * `--kills` and `--entries` say how much.
 */
import { parseArgs } from 'node:util'
import { backtesting } from './backtest.ts'
import { comparing, comparisons } from './calls.ts'
import { churn } from './churn.ts'
import { corpus } from './corpus.ts'
import { evidence } from './evidence.ts'
import { evidenceKills } from './evidence-kills.ts'
import { evidenceOpen } from './evidence-open.ts'
import { evidenceShare } from './evidence-share.ts'
import { flood } from './flood.ts'
import { programLoops, programStarts } from './programs.ts'
import { replay } from './replay.ts'
import { progress, type Section, sectionText, type Table, writeSections } from './report.ts'
import { resuming } from './resume.ts'
import { shutdown } from './shutdown.ts'
import { pairs, signals } from './signals.ts'
import { webRuntime } from './web-runtime.ts'

interface Benchmark {
  readonly what: string
  run(): Promise<Table>
}

const { values, positionals } = parseArgs({
  options: {
    write: { type: 'boolean' },
    json: { type: 'boolean' },
    rounds: { type: 'string', default: '40' },
    guests: { type: 'string', default: '1000' },
    spawns: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '20' },
    decisions: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '40' },
    entries: { type: 'string', default: '200000' },
  },
  allowPositionals: true,
})

const benchmarks: Readonly<Record<string, Benchmark>> = {
  ...Object.fromEntries(
    Object.entries(comparisons).map(([name, comparison]) => [
      name,
      { what: comparison.what, run: () => comparing(comparison) },
    ]),
  ),
  signals: {
    what: 'Freezing, resuming and killing a guest, ms, p50 / p90 / p99',
    run: () => signals(Number(values.rounds)),
  },
  pairs: { what: 'SIGSTOP and SIGCONT in pairs, all at once, to guests that spin', run: pairs },
  corpus: { what: 'Every attack of the corpus', run: corpus },
  replay: { what: 'Every run of the corpus, replayed in cells, byte for byte', run: replay },
  shutdown: {
    what: `The end of a kernel with ${values.guests} live guests: a third spinning, a third waiting in a driver, a third frozen`,
    run: () => shutdown(Number(values.guests)),
  },
  churn: {
    what: `${values.spawns} short processes one after another, eight at once, and the memory that is left`,
    run: () => churn(Number(values.spawns)),
  },
  programs: {
    what: 'An agent’s loop of 100 calls of a tool that takes 5 ms, governed and not, in alternating rounds',
    run: programLoops,
  },
  'program-starts': {
    what: 'From the spawn of an agent made of real packages to its first request',
    run: programStarts,
  },
  evidence: { what: 'What evidence costs beside what it is made of', run: evidence },
  'evidence-share': {
    what: 'What part of a governed call is evidence, and what it leaves on disk',
    run: evidenceShare,
  },
  flood: {
    what: 'One guest floods beside 200 processes of four other agents that make one call a second each, ms',
    run: () => flood(Number(values.seconds)),
  },
  backtest: {
    what: 'A policy tried on a record on disk, decisions a second on one core',
    run: () => backtesting(Number(values.decisions)),
  },
  'evidence-open': {
    what: `A log of ${values.entries} entries: opened, and looked things up in, ms`,
    run: () => evidenceOpen(Number(values.entries)),
  },
  resume: {
    what: `A killed kernel gone on with after up to ${values.entries} entries, with a snapshot of its state and without`,
    run: () => resuming(Number(values.entries)),
  },
  'web-runtime': {
    what: 'What the web runtime costs a guest that touches none of it, and what the first touch of each family costs',
    run: () => webRuntime(Number(values.rounds)),
  },
  'evidence-kills': {
    what: `${values.kills} writers of evidence killed at random points, half of them at each level of durability`,
    run: () => evidenceKills(Number(values.kills)),
  },
}

const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name))
if (unknown !== undefined) {
  console.error(`no benchmark \`${unknown}\`; there are ${Object.keys(benchmarks).join(', ')}`)
  process.exit(2)
}

const sections: Section[] = []
for (const [name, { what, run }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  progress(`${name} …`)
  const section = { name, what, ...(await run()) }
  sections.push(section)
  if (!values.json) console.log(`\n${sectionText(section)}`)
  // What was measured is kept, whatever becomes of the next one.
  if (values.write) writeSections([section], Object.keys(benchmarks))
}
if (values.json) console.log(JSON.stringify(sections, null, 2))
process.exit(0)
