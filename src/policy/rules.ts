/** A policy's rules, found by action and with their patterns compiled once. */
import { type Action, actions, expandAction } from './actions.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { compileMatcher, compileName } from './match.ts'
import { RuleCondition } from './rule-condition.ts'
import { RuleIndex } from './rule-index.ts'
import { type Effect, type Isolation, isolations, type Policy, type Rule } from './types.ts'

export interface CompiledPolicy {
  readonly policy: Policy
  /** Those that it accepts. */
  readonly isolations: ReadonlySet<Isolation>
  /** The same rules, for decisions. */
  readonly index: ReadonlyMap<Action, RuleIndex>
  /** Every rule that is about an action, by what it does; none of a policy in another language. */
  readonly rules: ReadonlyMap<Action, Readonly<Record<Effect, readonly CompiledRule[]>>>
}

/** @param policy one that parsePolicy made, so that its patterns compile */
export function compilePolicy(policy: Policy): CompiledPolicy {
  const rules = new Map<Action, Record<Effect, CompiledRule[]>>()
  const index = new Map<Action, RuleIndex>()
  for (const [order, rule] of policy.rules.entries()) {
    const covered = new Set(rule.actions.flatMap(expandAction))
    const compiled = compileRule(rule, policy.name, covered, order)
    for (const action of covered) {
      const ofAction = index.get(action) ?? new RuleIndex()
      index.set(action, ofAction)
      ofAction.add(compiled)
      const byEffect = rules.get(action) ?? { permit: [], ask: [], forbid: [] }
      byEffect[rule.effect].push(compiled)
      rules.set(action, byEffect)
    }
  }
  const accepted = isolations.slice(0, isolations.indexOf(policy.isolation) + 1)
  return { policy, isolations: new Set(accepted), rules, index }
}

export function compileRule(
  rule: Rule,
  policy: string,
  covered: ReadonlySet<Action>,
  order: number,
): CompiledRule {
  const [first] = covered
  const kind = first === undefined ? 'name' : actions[first].resource
  return {
    rule,
    ref: Object.freeze({ policy, id: rule.id, line: rule.line }),
    name: `rule \`${rule.id}\` (${policy}:${rule.line})`,
    principals: rule.principals?.map(compileName),
    matchers: rule.resources?.map((pattern) => compileMatcher(kind, pattern)),
    condition: rule.when === undefined ? undefined : new RuleCondition(rule.when),
    always: rule.when === undefined && rule.contains === undefined,
    order,
  }
}
