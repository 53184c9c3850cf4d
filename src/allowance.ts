/** What a process may have at its start: isolation, depth, labels, and what it may use. */
import type { Agent } from './agents.ts'
import { KernelError } from './errors.ts'
import type { Json } from './json.ts'
import type { Labels } from './labels.ts'
import { limits } from './limits.ts'
import { leastBudget } from './policy/budget.ts'
import { type Budget, type Isolation, isolations, type PolicySet } from './policy/types.ts'
import { Ledger } from './proc/ledger.ts'
import type { Process, ProcessIdentity } from './proc/process.ts'

/** What is on record about a process that comes back. */
export interface PastProcess {
  readonly identity: ProcessIdentity
  /** Its policies beside those of its kernel. */
  readonly own: PolicySet | undefined
  readonly budget: Budget
  readonly labels: Labels
  /** Of a first process: the task. */
  readonly args: readonly Json[]
}

/** What it may use: no more than it could, than its policies say, and than this kernel gives. */
export function pastLedger(
  { identity, budget }: PastProcess,
  policy: PolicySet,
  parent: Process | undefined,
  given: Budget,
): Ledger {
  const least = leastBudget([parent?.ledger.budget ?? given, policy.budget, budget])
  if (!identity.sealed || parent === undefined) return new Ledger(least, parent?.ledger)
  // An extraction's part was taken out of that of its parent at once.
  for (const charge of ['syscalls', 'cpuMs', 'tokens', 'costUsd'] as const)
    parent.ledger.spend(charge, budget[charge] ?? 0)
  return new Ledger(least)
}

export function assertStrongEnough(
  agent: Pick<Agent, 'name'>,
  isolation: Isolation,
  policy: PolicySet,
): void {
  if (isolations.indexOf(isolation) <= isolations.indexOf(policy.isolation)) return
  throw new KernelError(
    'EPERM',
    `agent \`${agent.name}\` would run with isolation \`${isolation}\`, and policy \`${policy.name}\` accepts \`${policy.isolation}\` or stronger`,
  )
}

/** What a process may use: with its parent, or for an extraction taken out of its parent's at once. */
export function allowance(
  budget: Budget,
  agent: Agent,
  parent: Process | undefined,
  how: 'sealed' | undefined,
  evidenceBytesMax: number,
): { readonly ledger: Ledger; readonly evidenceBytesMax: number } {
  if (parent === undefined || how === undefined)
    return { ledger: new Ledger(budget, parent?.ledger), evidenceBytesMax }
  const { wallMs = limits.extractMs } = agent.budget
  return {
    ledger: parent.ledger.setAside(agent.budget, leastBudget([budget, { wallMs }])),
    evidenceBytesMax: evidenceBytesMax / limits.extractEvidenceShare,
  }
}

export function assertFewLabels({ name }: Agent, labels: Labels): void {
  if (labels.length <= limits.labelsMax) return
  throw new KernelError(
    'EDQUOT',
    `agent \`${name}\` would begin with ${labels.length} labels, at most ${limits.labelsMax} fit`,
  )
}

export function assertDepth(policy: PolicySet, parent: Process | undefined): void {
  if (parent === undefined) return
  const depths = [limits.depthMax, policy.budget.depth, parent.ledger.budget.depth]
  const depthMax = Math.min(...depths.filter((depth) => depth !== undefined))
  if (parent.depth < depthMax) return
  throw new KernelError(
    'EDQUOT',
    `a child here would be ${parent.depth + 1} generations below its first process, at most ${depthMax} are permitted`,
  )
}
