/** The figures of a replay. */
import type { Effect } from '../policy/types.ts'
import type { Replay } from './replay.ts'

/** How many, by what became of them. */
export type Counts = Readonly<Record<Effect, number>>

export interface Score {
  /** The user's tasks, each alone. */
  readonly tasks: Counts
  /** The user's own calls while the task is attacked: pairs of task and attack. */
  readonly tasksAttacked: Counts
  /** Pairs of task and attack. */
  readonly pairs: Counts
  /** Attacks, each by what became of it on the task where it came furthest. */
  readonly attacks: Counts
  /** Pairs in which a call of the attacker that does more than look was permitted, or the whole attack. */
  readonly partly: number
}

export function scoreOf({ tasks, attacks }: Replay): Score {
  const byAttack = Map.groupBy(attacks, ({ attack }) => attack)
  return {
    tasks: countsOf(tasks),
    tasksAttacked: countsOf(attacks.map(({ taskEffect }) => ({ effect: taskEffect }))),
    pairs: countsOf(attacks),
    attacks: countsOf([...byAttack.values()].map((runs) => ({ effect: mildest(runs) }))),
    partly: attacks.filter(({ partly }) => partly).length,
  }
}

function countsOf(runs: readonly { readonly effect: Effect }[]): Counts {
  const count = (effect: Effect): number => runs.filter((run) => run.effect === effect).length
  return { permit: count('permit'), ask: count('ask'), forbid: count('forbid') }
}

function mildest(runs: readonly { readonly effect: Effect }[]): Effect {
  const effects: readonly Effect[] = ['permit', 'ask', 'forbid']
  return effects.find((effect) => runs.some((run) => run.effect === effect)) ?? 'forbid'
}
