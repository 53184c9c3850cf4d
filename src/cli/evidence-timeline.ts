/** `gatehouse evidence timeline`: what happened, line by line, as it is on record. */
import { type Command, Option } from 'commander'
import { systemClock } from '../clock.ts'
import { type EntryKind, entryKinds } from '../evidence/entry.ts'
import type { EvidenceFolder } from '../evidence/read.ts'
import type { EntryQuery } from '../evidence/report/query.ts'
import { EntryPicker } from '../evidence/report/select.ts'
import { Timeline, type TimelineRow } from '../evidence/report/timeline.ts'
import { limits } from '../limits.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, entriesOf, reading, readingCodes } from './evidence-dir.ts'
import { exitCodes, UsageError } from './failure.ts'
import { count, each, moment, once, oneOf, text } from './options.ts'
import { jsonLine, type Output } from './output.ts'
import { TablePages } from './table.ts'
import { shortened } from './terminal.ts'

interface Options extends Omit<EntryQuery, 'kinds' | 'effect'> {
  readonly kind?: readonly EntryKind[]
  readonly decision?: string
  readonly limit?: number
  readonly last?: number
}

/** Longer texts are cut in the table; `--json` has them whole. */
const cellMax = 60
/** Rows that are laid out together. */
const pageRows = 200

const effects = ['permit', 'ask', 'forbid', 'unjudged'] as const

export const evidenceTimeline: CommandSpec = {
  name: 'timeline',
  args: '[dir]',
  summary: `show what is on record in DIR (default: .gatehouse), the latest last. ${readingCodes}`,
  examples: [
    ['gatehouse evidence timeline --last 50', 'the latest 50 events'],
    ['gatehouse evidence timeline --kind refusal --after 2h', 'what was refused in the last two hours'],
    ['gatehouse evidence timeline --run 3f9c2a51d0be --rule no-mail', 'what one rule decided in one run'],
    ['gatehouse evidence timeline --json | head', 'the entries themselves, one a line'],
  ],
  options(command) {
    const now = systemClock.now
    command
      .option('--run <id>', 'only this run; `gatehouse run` prints its id', once(text))
      .option('--pid <number>', 'only this process', once(count))
      .addOption(
        new Option('--kind <kind>', `only this kind; repeat it for more: ${entryKinds.join(', ')}`).argParser(
          each(oneOf(entryKinds)),
        ),
      )
      .addOption(
        new Option(
          '--decision <effect>',
          `only calls on which this was decided: ${effects.join(', ')}`,
        ).argParser(once(oneOf(effects))),
      )
      .option('--rule <id>', 'only calls that this rule decided: its id, or policy:id', once(text))
      .option('--label <label>', 'only what carried this label', once(text))
      .option('--syscall <name>', 'only calls of this syscall, or of a family, such as fs.*', once(text))
      .option('--agent <name>', 'only this agent', once(text))
      .option(
        '--after <time>',
        'only from this time on: ISO 8601 (UTC), or how long ago, as 2h',
        once(moment(now)),
      )
      .option('--before <time>', 'only before this time', once(moment(now)))
      .option('--turns', 'show turns of guests too, which are many (and are in --kind turn)')
      .option('--limit <number>', 'stop after so many', once(count))
      .option('--last <number>', 'only so many, the latest', once(count))
  },
  run(out, command) {
    const { limit, last, query } = wanted(command)
    return reading(out, dirOf(command), async (evidence) => {
      const taken = new Taken(limit, last)
      await out.pour(out.json ? linesOf(evidence, query, taken) : pagesOf(out, evidence, query, taken))
      if (!out.json) tellMore(out, taken)
      return exitCodes.done
    })
  },
}

function wanted(command: Command): { query: EntryQuery; limit?: number; last?: number } {
  const { kind, decision, limit, last, ...rest } = command.opts<Options>()
  if (limit !== undefined && last !== undefined)
    throw new UsageError('--limit counts from the beginning and --last from the end; give one of them')
  const query = {
    ...rest,
    ...(kind !== undefined && { kinds: kind }),
    ...(decision !== undefined && { effect: decision }),
  }
  return { query, ...(limit !== undefined && { limit }), ...(last !== undefined && { last }) }
}

/** How many are taken of what is found, and from which end. */
class Taken {
  readonly limit: number
  readonly last: number | undefined
  count = 0
  /** How many were found and left out, as far as was looked. */
  left = 0

  constructor(limit = Number.POSITIVE_INFINITY, last?: number) {
    this.limit = limit
    this.last = last
  }

  /** @returns as many of the items as are wanted, as they come; undefined stands for a while in which nothing was found */
  *of<T>(items: Iterable<T | undefined>): Generator<T | undefined> {
    const newest: T[] = []
    for (const item of items) {
      if (item === undefined) yield undefined
      else if (this.last !== undefined) this.#keep(newest, item, this.last)
      else if (this.count === this.limit) {
        this.left += 1
        return
      } else {
        this.count += 1
        yield item
      }
    }
    yield* newest.slice(-(this.last ?? 0))
  }

  /** Cut now and then, since each cut moves all of them. */
  #keep<T>(newest: T[], item: T, last: number): void {
    newest.push(item)
    this.count += 1
    this.left = Math.max(0, this.count - last)
    if (newest.length >= 2 * last) newest.splice(0, newest.length - last)
  }
}

function tellMore(out: Output, { count, left, last, limit }: Taken): void {
  if (count === 0) out.note('nothing on record fits')
  else if (left > 0)
    out.note(last === undefined ? `there is more after these ${limit}` : `${left} earlier are left out`)
}

/** Entries of the record or of one run; undefined after each so many that were looked at. */
function* paced<T>(evidence: EvidenceFolder, { run }: EntryQuery, look: Look<T>): Generator<T | undefined> {
  let looked = 0
  for (const entry of run === undefined ? evidence.entries() : entriesOf(evidence, run)) {
    yield* look.add(entry)
    looked += 1
    if (looked % limits.reportPace === 0) yield undefined
  }
  yield* look.end()
}

interface Look<T> {
  add(entry: Parameters<EntryPicker['picks']>[0]): readonly T[]
  end(): readonly T[]
}

function* linesOf(evidence: EvidenceFolder, query: EntryQuery, taken: Taken): Generator<string> {
  const picker = new EntryPicker(query)
  const picked = paced(evidence, query, {
    add: (entry) => (picker.picks(entry) ? [entry] : []),
    end: () => [],
  })
  for (const entry of taken.of(picked)) yield entry === undefined ? '' : jsonLine(entry)
}

function* pagesOf(out: Output, evidence: EvidenceFolder, query: EntryQuery, taken: Taken): Generator<string> {
  const table = new TablePages(
    ['entry', 'time', 'pid', 'agent', 'what', 'resource', 'decision', 'outcome'],
    out.colors,
  )
  const rows: (readonly string[])[] = []
  const page = (): string => (rows.length === 0 ? '' : `${table.page(rows.splice(0))}\n`)
  for (const row of taken.of(paced(evidence, query, new Timeline(query)))) {
    if (row !== undefined) rows.push(cells(row))
    if (row === undefined || rows.length === pageRows) yield page()
    if (row === undefined) yield ''
  }
  yield page()
}

const cells = ({
  seq,
  time,
  pid,
  agent,
  what,
  resource,
  decision,
  outcome,
}: TimelineRow): readonly string[] =>
  [String(seq), time, String(pid ?? ''), agent, what, resource, decision, outcome].map((cell) =>
    shortened(cell, cellMax),
  )
