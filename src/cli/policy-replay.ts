/** `gatehouse policy replay`: what a policy lets pass of a benchmark's tasks, and of the attacks on them. */
import type { Command } from 'commander'
import { loadPolicy } from '../config/policy.ts'
import { decodeText, readBytes } from '../config/read-text.ts'
import { limits } from '../limits.ts'
import { isLasting } from '../policy/history.ts'
import type { PolicySet } from '../policy/types.ts'
import { type Judged, type Replay, replay } from '../suite/replay.ts'
import { type Counts, type Score, scoreOf } from '../suite/score.ts'
import { Stage } from '../suite/stage.ts'
import { readSuite } from '../suite/suite.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { agentName, each, once, text } from './options.ts'
import type { Output } from './output.ts'
import { tableOf } from './table.ts'
import { visibleLine } from './terminal.ts'

export const policyReplay: CommandSpec = {
  name: 'replay',
  args: '<suite>',
  summary: "count what a policy lets pass of a benchmark's tasks, and of the attacks on them",
  examples: [
    [
      'gatehouse policy replay suite.json --policy policy.yaml',
      'each recorded call is made again under the policy, alone and attacked; exit code 1 when an attack is permitted',
    ],
  ],
  options(command) {
    command
      .option('--policy <policy>', 'a preset or a file; repeat it, and all must agree', each(text))
      .option('--name <name>', "the agent's name in policies (default: agent)", once(agentName))
  },
  async run(out, command) {
    const { file, policy, name } = wanted(command)
    const suite = readSuite(
      decodeText(readBytes(file, file, 'suite', limits.suiteBytesMax), file, 'suite'),
      file,
    )
    // Loaded late: other commands work where isolated-vm does not.
    const { KernelSpace } = await import('../kernel.ts')
    const set = loadPolicy(policy)
    const stage = new Stage(
      suite,
      (approvals) => new KernelSpace({ policy, approvals, evidence: 'memory', exitOnSignal: false }),
      { apart: asksOfOtherRuns(set), ...(name !== undefined && { agent: name }) },
    )
    try {
      const all = suite.userTasks.length
      const result = await replay(stage, suite, (done) => out.live(`${done} of ${all} tasks replayed`))
      out.live('')
      const score = scoreOf(result)
      tell(out, result, score)
      out.give({
        suite: { name: suite.name, version: suite.version },
        policy: { name: set.name, hash: set.hash, mode: set.mode },
        score,
        ...result,
      })
      return score.pairs.permit > 0 ? exitCodes.failed : exitCodes.done
    } finally {
      await stage.close()
    }
  },
}

interface Options {
  readonly policy?: readonly string[]
  readonly name?: string
}

function wanted(command: Command): Options & { readonly file: string; readonly policy: readonly string[] } {
  const { policy, ...rest } = command.opts<Options>()
  const [file = ''] = command.args
  if (policy !== undefined) return { file, policy, ...rest }
  throw new UsageError('it needs --policy; see `gatehouse policy replay --help`')
}

/** Runs that are replayed have nothing to do with each other. */
const asksOfOtherRuns = ({ needs }: PolicySet): boolean => needs.history.some(({ scope }) => isLasting(scope))

function tell(out: Output, result: Replay, score: Score): void {
  for (const { task, effect, calls } of result.tasks)
    if (effect !== 'permit') out.say(visibleLine(`${task} ${says[effect]}: ${firstOf(calls)}`))
  const permitted = result.attacks.filter(({ effect }) => effect === 'permit')
  for (const [attack, runs] of Map.groupBy(permitted, (run) => run.attack)) {
    const where = runs.map(({ task, after }) => `${task} after call ${after + 1}`).join(', ')
    out.say(visibleLine(`${attack} is permitted in ${where}`))
  }
  const head = ['', 'permitted', 'asked', 'refused', 'of']
  const rows = [
    rowOf('user tasks', score.tasks),
    rowOf('user tasks while attacked', score.tasksAttacked),
    rowOf('attacks', score.attacks),
    rowOf('attacks, on each task', score.pairs),
  ]
  out.say('')
  out.say(tableOf(head, rows, out.colors))
  out.say('')
  out.say(`a call of the attacker that does more than look is permitted in ${score.partly} of them`)
  const { unrecorded, sheltered } = result
  if (unrecorded.length > 0)
    out.note(visibleLine(`Not replayed, since no calls are recorded: ${unrecorded.join(', ')}.`))
  if (sheltered.length > 0)
    out.note(visibleLine(`Not attacked, since no result can carry it: ${sheltered.join(', ')}.`))
}

const says = { permit: 'passes', ask: 'asks a person', forbid: 'is refused' } as const

const firstOf = (calls: readonly Judged[]): string => {
  const call = calls.find(({ effect }) => effect === 'forbid') ?? calls.find(({ effect }) => effect === 'ask')
  return call === undefined ? '' : `${call.tool}: ${call.reason}`
}

const rowOf = (name: string, { permit, ask, forbid }: Counts): readonly string[] => [
  name,
  ...[permit, ask, forbid, permit + ask + forbid].map(String),
]
