/** How a process began, read from its entry. */
import type { Entry } from '../evidence/entry.ts'
import type { Labels } from '../labels.ts'
import { type Budget, type Isolation, isolations } from '../policy/types.ts'
import { labelsOf, unsound } from './call.ts'
import { keyOf } from './choice.ts'
import type { TextOf } from './collect.ts'
import type { Policies } from './policies.ts'
import type { Beginning, Rebuilt } from './rebuilt.ts'

/**
 * @param live processes by their key, in which its parent is looked up
 * @throws EvidenceError EIO for what no kernel writes
 */
export function readBeginning(
  entry: Entry,
  live: ReadonlyMap<string, Rebuilt>,
  policies: Policies,
  textOf: TextOf,
): { readonly beginning: Beginning; readonly labels: Labels } {
  const { run, pid, ppid, agent, isolation, policy, budget, time } = entry
  if (typeof run !== 'string' || typeof pid !== 'number' || typeof agent !== 'string') throw unsound(entry)
  if (typeof policy !== 'string' || !isIsolation(isolation)) throw unsound(entry)
  if (typeof budget !== 'object' || budget === null || Array.isArray(budget)) throw unsound(entry)
  const beginning: Beginning = {
    ...{ run, pid, name: agent, isolation, startedAt: time },
    sealed: entry.extraction === true,
    budget: budget as Budget,
    own: policies.ownOf(policy, textOf(entry.documents)),
    parent: typeof ppid === 'number' && ppid !== 0 ? live.get(keyOf({ run, pid: ppid })) : undefined,
  }
  return { beginning, labels: labelsOf(entry) }
}

const isIsolation = (value: unknown): value is Isolation => isolations.some((each) => each === value)
