/** What a policy says to cases, and which of its rules they try. */
import { assertOwnRules } from './engines/engine.ts'
import { labelsGiven } from './obligations.ts'
import type { Decision, Effect, PolicySet, Request, RuleRef } from './types.ts'

export interface PolicyCase {
  /** Where it stands in its file. */
  readonly line: number
  readonly request: Request
  readonly effect: Effect
  /** Ids of the rules that decide, in any order; none where silence forbids. */
  readonly rules: readonly string[]
  /** What an observed policy would have said, where that is not permit. */
  readonly observed: Effect | undefined
  /** Not looked at where undefined. */
  readonly addresses: readonly string[] | undefined
  /** Of what comes back; not looked at where undefined. */
  readonly label: readonly string[] | undefined
}

export interface CaseResult {
  readonly case: PolicyCase
  readonly decision: Decision
  /** What is otherwise than the case says, as clauses; empty where it holds. */
  readonly wrong: readonly string[]
}

/** @returns for each case what the policies say, and what of it is not as the case says */
export const runCases = (set: PolicySet, cases: readonly PolicyCase[]): readonly CaseResult[] =>
  cases.map((each) => {
    const decision = set.decide(each.request)
    return { case: each, decision, wrong: differences(each, decision) }
  })

function differences(expected: PolicyCase, decision: Decision): readonly string[] {
  const wrong: string[] = []
  const { effect, observed } = decision
  if (effect !== expected.effect) wrong.push(`expected ${expected.effect}, and it is ${effect}`)
  const ids = decision.rules.map(({ id }) => id)
  if (ids.toSorted().join() !== expected.rules.toSorted().join())
    wrong.push(`expected ${named(expected.rules, 'no rule')} to decide, and it is ${named(ids, 'none')}`)
  if (observed?.effect !== expected.observed)
    wrong.push(
      `expected ${expected.observed ?? 'nothing'} observed, and it is ${observed?.effect ?? 'nothing'}`,
    )
  if (expected.addresses !== undefined && !sameSet(expected.addresses, decision.addresses))
    wrong.push(
      `expected ${named(expected.addresses, 'no')} addresses, and there are ${named(decision.addresses, 'none')}`,
    )
  const label = labelsGiven(decision.obligations ?? [])
  if (expected.label !== undefined && !sameSet(expected.label, label))
    wrong.push(
      `expected ${named(expected.label, 'no')} labels on what comes back, and there are ${named(label, 'none')}`,
    )
  return wrong
}

const named = (ids: readonly string[], none: string): string =>
  ids.length === 0 ? none : ids.map((id) => `\`${id}\``).join(', ')

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.toSorted().join() === b.toSorted().join()

export interface RuleCoverage extends RuleRef {
  /** Cases in which it decides, also where it is only observed. */
  readonly cases: number
}

/**
 * @returns for each rule of the set how many cases it decides, in the order of the policies
 * @throws KernelError EINVAL where a policy does not say what its rules are
 */
export function coverage(set: PolicySet, results: readonly CaseResult[]): readonly RuleCoverage[] {
  // A Cedar file says what it consists of, a Rego module does not.
  for (const { engine, rules } of set.policies)
    if (engine !== undefined && rules.length === 0) assertOwnRules(set, 'counted')
  const counts = new Map<string, number>()
  for (const { decision } of results) {
    for (const ref of [...decision.rules, ...(decision.observed?.rules ?? [])])
      counts.set(keyOf(ref), (counts.get(keyOf(ref)) ?? 0) + 1)
  }
  return set.policies.flatMap(({ name: policy, rules }) =>
    rules.map(({ id, line }) => ({ policy, id, line, cases: counts.get(keyOf({ policy, id })) ?? 0 })),
  )
}

const keyOf = ({ policy, id }: Pick<RuleRef, 'policy' | 'id'>): string => `${policy} ${id}`
