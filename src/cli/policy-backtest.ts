/** `gatehouse policy backtest`: what another policy would have said to the calls that are on record. */
import type { Backtest, Count, Example, Row } from '../backtest/result.ts'
import { loadPolicy } from '../config/policy.ts'
import { findEvidence } from '../evidence/read.ts'
import type { CommandSpec } from './command.ts'
import { evidenceDir, missing } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { count, once, text } from './options.ts'
import type { Output } from './output.ts'
import { tableOf } from './table.ts'
import { shortened, visibleLine } from './terminal.ts'

interface Options {
  readonly evidence?: string
  readonly examples?: number
  readonly verify?: true
}

const examplesUsual = 3
/** Rows and runs that are listed as text; `--json` has them all. */
const listedMax = 20
/** Longer resources are cut in the text. */
const resourceMax = 100

export const policyBacktest: CommandSpec = {
  name: 'backtest',
  args: '<policy> [run...]',
  summary:
    'decide every call on record again under POLICY, and say what changes. Exit code 0: nothing; 1: something, or it cannot be told; 3: no record there',
  examples: [
    ['gatehouse policy backtest policy.yaml', 'on all runs in .gatehouse'],
    [
      'gatehouse policy backtest policy.yaml 3f9c --evidence /var/lib/desk',
      'on one run, by how its id begins',
    ],
    ['gatehouse policy backtest policy.yaml --examples 20 --json', 'the same for a program'],
  ],
  options(command) {
    command
      .option('--evidence <dir>', `where the record lies (default: ${evidenceDir})`, once(text))
      .option('--examples <calls>', `calls that each row shows (default: ${examplesUsual})`, once(count))
      .option('--verify', 'check first that the record is whole')
  },
  async run(out, command) {
    const { evidence: dir = evidenceDir, examples = examplesUsual, verify } = command.opts<Options>()
    const [ref = '', ...names] = command.args
    const policy = loadPolicy(ref)
    const found = findEvidence(dir)
    if (found.state !== 'found') return missing(out, dir, found.reason)
    const { evidence } = found
    const verified = verify === true ? evidence.verify() : undefined
    if (verified?.ok === false) {
      const [first] = verified.problems
      out.fail(`the record is not whole: entry ${first?.entry ?? '?'}: ${first?.detail ?? ''}`, undefined)
      out.give({ dir, policy: ref, verified: false, problems: verified.problems })
      return exitCodes.failed
    }
    // Loaded late: other commands do without the table of calls.
    const { backtest } = await import('../backtest/backtest.ts')
    const { findRuns } = await import('../backtest/runs.ts')
    const runs = names.length === 0 ? {} : { runs: findRuns(evidence.lines(), names) }
    const result = backtest(evidence, { policy, examples, ...runs })
    tell(out, result)
    out.give({ dir, policy: { name: policy.name, hash: policy.hash, mode: policy.mode }, ...result })
    if (policy.mode === 'observe')
      out.note('The policy only observes: it refuses nothing, whatever its rules say.')
    return isSame(result) ? exitCodes.done : exitCodes.failed
  },
}

const isSame = ({ changed, undecidable, stopped }: Backtest): boolean =>
  changed.calls + undecidable.calls + stopped.length === 0

function tell(out: Output, result: Backtest): void {
  const { rows, moreRows, undecided, stopped, changedRuns, runs, runsChanged, notJudged } = result
  const head = ['before', 'now', 'calls', 'after a change', 'by']
  const listed = rows.slice(0, listedMax)
  if (listed.length > 0) out.say(tableOf(head, listed.map(cellsOf), out.colors))
  const unlisted = rows.slice(listedMax).reduce((sum, row) => sum + row.calls, moreRows)
  if (unlisted > 0) out.say(`${unlisted} more calls in other rows; --json has them`)
  for (const row of listed)
    for (const example of row.examples)
      out.say(visibleLine(`${row.before} → ${row.now}: ${placeOf(example)}: ${row.reason}`))
  for (const { because, examples, ...counted } of undecided) {
    out.say(visibleLine(`undecidable: ${counted.calls} for ${because}: ${whyUndecidable[because]}`))
    for (const example of examples) out.say(visibleLine(`  ${placeOf(example)}`))
  }
  for (const { run, pid, agent, budget, limit, seq } of stopped.slice(0, listedMax))
    out.say(
      visibleLine(
        `budget: ${agent} (run ${run}, pid ${pid}) has used up ${limit} ${budgets[budget]} at entry ${seq}`,
      ),
    )
  for (const { run, agent, seq, after } of changedRuns.slice(0, listedMax))
    out.say(
      visibleLine(
        `run ${run} (${agent}) goes another way from entry ${seq} on; ${after} decisions come after it`,
      ),
    )
  const { decisions, same, otherRules, changed, undecidable } = result
  out.say(
    `${decisions} decisions: ${same.calls} the same, ${otherRules.calls} by other rules, ${changed.calls} changed${aside(changed)}, ${undecidable.calls} undecidable`,
  )
  out.say(`${runsChanged} of ${runs} runs go another way`)
  if (notJudged > 0)
    out.note(`${notJudged} calls were refused by something else than a policy, and are not compared.`)
}

const aside = ({ after }: Count): string => (after === 0 ? '' : ` (${after} after a change in their run)`)

const cellsOf = ({ before, now, calls, after, rules }: Row): readonly string[] => {
  const [first, ...more] = rules
  const by = first === undefined ? 'no rule' : `${first.id} (${first.policy}:${first.line})`
  return [before, now, String(calls), String(after), more.length === 0 ? by : `${by} and ${more.length} more`]
}

const placeOf = ({ seq, run, agent, syscall, resource }: Example): string =>
  `entry ${seq}, run ${run}, ${agent}: ${syscall} \`${shortened(resource, resourceMax)}\``

const budgets = {
  syscalls: 'syscalls',
  wallMs: 'ms of wall time',
  cpuMs: 'ms of CPU',
  tokens: 'tokens',
  costUsd: 'US dollars',
} as const

const whyUndecidable = {
  payload: 'their arguments are deleted, cut, or kept as a digest only',
  schema: 'what the tool takes is not on record',
  process: 'how the process began is not on record',
  policy: "an agent's own policy is not on record, or cannot stand beside the new one",
  labels: 'whether the process would carry a label goes by a file or a message',
  origin: 'what came into the run is not all on record',
  history: "an agent's own policy asks about other runs",
  budget: 'what would be left of a budget is not on record',
  time: 'they lie on the edge of a time that a rule names',
  record: 'the entry and its arguments do not say the same',
} as const
