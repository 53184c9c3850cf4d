/** A policy's rules, found by action and with their patterns compiled once. */
import { type Action, actions, expandAction } from './actions.ts'
import { compileMatcher, compileName, type Matcher, type Reading } from './match.ts'
import { RuleCondition } from './rule-condition.ts'
import type { Effect, Policy, Rule, RuleRef } from './types.ts'

export interface CompiledRule {
  readonly rule: Rule
  readonly ref: RuleRef
  /** Undefined means any; so do the matchers. */
  readonly principals: readonly ((name: string) => boolean)[] | undefined
  readonly matchers: readonly Matcher[] | undefined
  readonly condition: RuleCondition | undefined
}

export interface CompiledPolicy {
  readonly policy: Policy
  /** Every rule that is about an action, by what it does. */
  readonly rules: ReadonlyMap<Action, Readonly<Record<Effect, readonly CompiledRule[]>>>
}

/** @param policy one that parsePolicy made, so that its patterns compile */
export function compilePolicy(policy: Policy): CompiledPolicy {
  const rules = new Map<Action, Record<Effect, CompiledRule[]>>()
  for (const rule of policy.rules) {
    const covered = new Set(rule.actions.flatMap(expandAction))
    const compiled = compileRule(rule, policy.name, covered)
    for (const action of covered) {
      const byEffect = rules.get(action) ?? { permit: [], ask: [], forbid: [] }
      byEffect[rule.effect].push(compiled)
      rules.set(action, byEffect)
    }
  }
  return { policy, rules }
}

function compileRule(rule: Rule, policy: string, covered: ReadonlySet<Action>): CompiledRule {
  const [first] = covered
  const kind = first === undefined ? 'name' : actions[first].resource
  return {
    rule,
    ref: Object.freeze({ policy, id: rule.id, line: rule.line }),
    principals: rule.principals?.map(compileName),
    matchers: rule.resources?.map((pattern) => compileMatcher(kind, pattern)),
    condition: rule.when === undefined ? undefined : new RuleCondition(rule.when),
  }
}

export const matchesPrincipal = ({ principals }: CompiledRule, name: string): boolean =>
  principals === undefined || principals.some((matches) => matches(name))

/**
 * Where a resource can be read in several ways, a permit has to cover them all;
 * what forbids or asks applies as soon as it covers one.
 */
export function matchesResource({ rule, matchers }: CompiledRule, readings: readonly Reading[]): boolean {
  if (matchers === undefined) return true
  const covers = (reading: Reading): boolean => matchers.some((it) => it.mismatch(reading) === undefined)
  return rule.effect === 'permit' ? readings.every(covers) : readings.some(covers)
}
