/** What is wrong with a policy, and where: all of it at once, so that an author fixes it in one go. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'

export interface PolicyProblem {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** What was found and what was meant: lower case, no final stop. */
  readonly message: string
}

/** A policy that is not sound is not loaded. `code` is EINVAL; `message` has one line a problem. */
export class PolicyError extends KernelError {
  readonly problems: readonly PolicyProblem[]
  /** @param source the file as its user named it, or what else the policy came from */
  constructor(source: string, problems: readonly PolicyProblem[]) {
    const inOrder = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
    const first = inOrder.slice(0, limits.policyProblemsMax)
    const lines = first.map(({ line, column, message }) => `${source}:${line}:${column}: ${message}`)
    if (inOrder.length > first.length) lines.push(`and ${inOrder.length - first.length} more problems`)
    super('EINVAL', lines.join('\n'))
    this.name = 'PolicyError'
    this.problems = first
  }
}
