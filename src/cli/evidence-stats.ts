/** `gatehouse evidence stats`: a record in figures. */
import type { EvidenceFolder } from '../evidence/read.ts'
import { isoTime } from '../evidence/report/fields.ts'
import { recordSizes } from '../evidence/report/sizes.ts'
import { type Stats, StatsCounter } from '../evidence/report/stats.ts'
import { limits } from '../limits.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, entriesOf, reading, readingCodes } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { once, text } from './options.ts'
import type { Output } from './output.ts'
import { bytes, seconds } from './process-cells.ts'
import { tableOf } from './table.ts'

export const evidenceStats: CommandSpec = {
  name: 'stats',
  args: '[dir]',
  summary: `count what is on record in DIR (default: .gatehouse). ${readingCodes}`,
  examples: [
    ['gatehouse evidence stats', 'entries, calls by syscall and decision, refusals by rule, costs, bytes'],
    ['gatehouse evidence stats --run 3f9c2a51d0be --json', 'one run, for a program'],
  ],
  options(command) {
    command.option('--run <id>', 'only this run; `gatehouse run` prints its id', once(text))
  },
  run(out, command) {
    const { run } = command.opts<{ run?: string }>()
    const dir = dirOf(command)
    return reading(out, dir, (evidence) => {
      const stats = countAll(out, evidence, run)
      const files = recordSizes(dir)
      tell(out, stats)
      out.say(
        `\nfiles: log ${bytes(files.log.bytes)} in ${files.log.files}, packs ${bytes(files.pack.bytes)} in ${files.pack.files}`,
      )
      out.give({ dir, ...(run !== undefined && { run }), ...stats, files })
      return exitCodes.done
    })
  },
}

function countAll(out: Output, evidence: EvidenceFolder, run: string | undefined): Stats {
  const counter = new StatsCounter()
  let looked = 0
  for (const entry of run === undefined ? evidence.entries() : entriesOf(evidence, run)) {
    counter.add(entry)
    looked += 1
    if (looked % (limits.reportPace * 50) === 0) out.live(`${looked} entries counted`)
  }
  out.live('')
  return counter.result()
}

function tell(out: Output, stats: Stats): void {
  const { entries, span, kernels, runs, processes, costs, payloads } = stats
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
    if (rows.length > 0) out.say(`\n${tableOf(head, rows, out.colors)}`)
  }
  const counted = (head: string, counts: Readonly<Record<string, number>>): void =>
    table(
      [head, ''],
      Object.entries(counts).map(([name, count]) => [name, String(count)]),
    )
  out.say(`${entries} entries${span === undefined ? '' : `, ${spanText(span)}`}`)
  out.say(`kernels: ${kernels}, runs: ${runs}, processes: ${processes}`)
  out.say(
    `costs: ${seconds(costs.cpuMs)} CPU, ${costs.syscalls} calls, ${costs.tokens} tokens, ${costs.costUsd.toFixed(2)} USD`,
  )
  out.say(`payloads: ${payloads.count}, of ${bytes(payloads.bytes)}`)
  counted('entries', stats.kinds)
  table(
    ['calls', 'permit', 'ask', 'unjudged', 'forbid', 'refused'],
    Object.entries(stats.calls).map(([name, { permit, ask, unjudged, forbid, refused }]) => [
      name,
      ...[permit, ask, unjudged, forbid, refused].map(String),
    ]),
  )
  counted('outcomes', stats.outcomes)
  counted('refusals', stats.refusals)
  counted('approvals', stats.answers)
  counted('processes', stats.ended)
}

const spanText = ({ first, last }: { readonly first: number; readonly last: number }): string =>
  `${isoTime(first)} to ${isoTime(last)} (${seconds(Math.max(0, last - first))})`
