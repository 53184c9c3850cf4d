/** `gatehouse evidence timeline`: what happened, line by line, as it is on record. */
import { Option } from 'commander'
import { type EntryKind, entryKinds } from '../evidence/entry.ts'
import { findEvidence } from '../evidence/read.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, missing } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { count, once, oneOf, text } from './options.ts'
import { tableOf } from './table.ts'
import { shortened } from './terminal.ts'
import { readTimeline, type TimelineRow } from './timeline.ts'

interface Options {
  readonly run?: string
  readonly pid?: number
  readonly kind?: EntryKind
  readonly limit?: number
}

/** Rows that are shown unless `--limit` says otherwise. */
const rowsUsual = 100
/** Longer texts are cut in the table; `--json` has them whole. */
const cellMax = 60

export const evidenceTimeline: CommandSpec = {
  name: 'timeline',
  args: '[dir]',
  summary:
    'show what is on record in DIR (default: .gatehouse), the latest last. Exit code 3: no record there',
  examples: [
    ['gatehouse evidence timeline', `the latest ${rowsUsual} events`],
    ['gatehouse evidence timeline --kind refusal', 'only what was refused'],
    ['gatehouse evidence timeline --run 3f9c2a51d0be --limit 20', 'the latest 20 of one run'],
  ],
  options(command) {
    command
      .option('--run <id>', 'only this run; `gatehouse run` prints its id', once(text))
      .option('--pid <number>', 'only this process', once(count))
      .addOption(
        new Option('--kind <kind>', `only one kind: ${entryKinds.join(', ')}`).argParser(
          once(oneOf(entryKinds)),
        ),
      )
      .option('--limit <rows>', `at most so many, the latest (default: ${rowsUsual})`, once(count))
  },
  run(out, command) {
    const { limit = rowsUsual, ...filter } = command.opts<Options>()
    const dir = dirOf(command)
    const found = findEvidence(dir)
    if (found.state !== 'found') return missing(out, dir, found.reason)
    const { rows, earlier } = readTimeline(found.evidence.entries(), filter, limit)
    if (earlier > 0) out.note(`${earlier} earlier; --limit ${rows.length + earlier} shows all`)
    out.say(
      tableOf(
        ['time', 'pid', 'agent', 'what', 'resource', 'decision', 'outcome'],
        rows.map(cells),
        out.colors,
      ),
    )
    out.give({ dir, earlier, rows })
    return exitCodes.done
  },
}

const cells = ({ time, pid, agent, what, resource, decision, outcome }: TimelineRow): readonly string[] =>
  [time, String(pid ?? ''), agent, what, resource, decision, outcome].map((cell) => shortened(cell, cellMax))
