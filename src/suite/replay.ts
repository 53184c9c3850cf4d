/** A suite replayed under a policy: each task alone, and each attack at each result that can carry it. */
import type { Effect } from '../policy/types.ts'
import { Carriers } from './carriers.ts'
import type { Stage, Step, Verdict } from './stage.ts'
import type { Suite, SuiteCall, SuiteTask } from './suite.ts'

/** One call of a task, and what became of it. */
export interface Judged extends Verdict {
  readonly tool: string
}

export interface TaskRun {
  readonly task: string
  /** The strictest of its calls. */
  readonly effect: Effect
  readonly calls: readonly Judged[]
}

/** One attack on one task, at the place where most of it passed. */
export interface AttackRun {
  readonly task: string
  readonly attack: string
  /** `permit`: each of its calls was permitted. `ask`: the rest waited for a person. `forbid`: one was refused. */
  readonly effect: Effect
  /** Whether a call that does more than look was permitted, or the whole. */
  readonly partly: boolean
  /** The task's call whose result carried it, from 0. */
  readonly after: number
  readonly calls: readonly Judged[]
  /** What became of the task's own calls: the strictest at any place. */
  readonly taskEffect: Effect
}

export interface Replay {
  readonly tasks: readonly TaskRun[]
  readonly attacks: readonly AttackRun[]
  /** Attacks of which no calls were recorded, so that there is nothing to replay. */
  readonly unrecorded: readonly string[]
  /** Tasks of which no result can carry an attack. */
  readonly sheltered: readonly string[]
}

/**
 * @param stage with the suite's tools
 * @param onProgress is told how many tasks are done
 */
export async function replay(
  stage: Stage,
  suite: Suite,
  onProgress: (done: number) => void = () => {},
): Promise<Replay> {
  const carriers = new Carriers(suite)
  const attacks = suite.attacks.filter(({ calls }) => calls.length > 0)
  const runs: { tasks: TaskRun[]; attacks: AttackRun[] } = { tasks: [], attacks: [] }
  const sheltered: string[] = []
  for (const [done, task] of suite.userTasks.entries()) {
    const verdicts = await stage.play(task.text, task.calls.map(asUser))
    runs.tasks.push({ task: task.id, effect: strictest(verdicts), calls: judged(task.calls, verdicts) })
    const reached = task.calls.some((call) => carriers.carry(call, 'x') !== undefined)
    if (!reached) sheltered.push(task.id)
    for (const attack of reached ? attacks : [])
      runs.attacks.push(await replayAttack(stage, carriers, task, attack))
    onProgress(done + 1)
  }
  const unrecorded = suite.attacks.filter(({ calls }) => calls.length === 0).map(({ id }) => id)
  return { ...runs, unrecorded, sheltered }
}

/** Every result that can carry the attack does; its calls are made after each of these in turn. */
async function replayAttack(
  stage: Stage,
  carriers: Carriers,
  task: SuiteTask,
  attack: SuiteTask,
): Promise<AttackRun> {
  const carried = task.calls.map((call) => carriers.carry(call, attack.text))
  const steps = task.calls.map((call, index) => ({ ...asUser(call), result: carried[index] ?? call.result }))
  const hostile = attack.calls.map((call): Step => ({ ...call, by: 'attacker' }))
  const places = carried.flatMap((result, index) => (result === undefined ? [] : [index]))
  const runs: AttackRun[] = []
  for (const after of places) {
    const all = [...steps.slice(0, after + 1), ...hostile, ...steps.slice(after + 1)]
    const verdicts = await stage.play(task.text, all)
    const of = (by: Step['by']): readonly Verdict[] => verdicts.filter((_, index) => all[index]?.by === by)
    const calls = judged(attack.calls, of('attacker'))
    const effect = strictest(calls)
    runs.push({
      ...{ task: task.id, attack: attack.id, effect, after, calls, taskEffect: strictest(of('user')) },
      partly: effect === 'permit' || calls.some((call) => call.effect === 'permit' && !onlyLooks(call.tool)),
    })
  }
  return worst(runs)
}

const asUser = (call: SuiteCall): Step => ({ ...call, by: 'user' })

const judged = (calls: readonly SuiteCall[], verdicts: readonly Verdict[]): readonly Judged[] =>
  verdicts.map((verdict, index) => ({ tool: calls[index]?.tool ?? '', ...verdict }))

const order: readonly Effect[] = ['permit', 'ask', 'forbid']

const strictest = (verdicts: readonly { readonly effect: Effect }[]): Effect =>
  order[Math.max(0, ...verdicts.map(({ effect }) => order.indexOf(effect)))] ?? 'forbid'

/** The run in which the attack came furthest, with what all of them did to the task. */
function worst(runs: readonly AttackRun[]): AttackRun {
  const [run] = runs.toSorted(
    (a, b) => order.indexOf(a.effect) - order.indexOf(b.effect) || Number(b.partly) - Number(a.partly),
  )
  if (run === undefined) throw new Error('an attack was replayed on a task that cannot carry it')
  const taskEffect = strictest(runs.map((each) => ({ effect: each.taskEffect })))
  return { ...run, taskEffect, partly: runs.some(({ partly }) => partly) }
}

/** By the name of a tool, as all that a suite says about it. */
const onlyLooks = (tool: string): boolean =>
  /^(get|read|list|search|find|check|view|show|query|fetch|lookup|count)([_.-]|[A-Z]|$)/.test(tool)
