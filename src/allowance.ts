/** What a process may have at its start: isolation, depth, labels, and what it may use. */
import type { Agent } from './agents.ts'
import { KernelError } from './errors.ts'
import type { Labels } from './labels.ts'
import { limits } from './limits.ts'
import { leastBudget } from './policy/budget.ts'
import { type Budget, type Isolation, isolations, type PolicySet } from './policy/types.ts'
import { Ledger } from './proc/ledger.ts'
import type { Process } from './proc/process.ts'

export function assertStrongEnough(agent: Agent, isolation: Isolation, policy: PolicySet): void {
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
