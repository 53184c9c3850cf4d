/** One rule with its patterns and its condition compiled once, and what it matches. */
import type { Matcher, Reading } from './match.ts'
import type { RuleCondition } from './rule-condition.ts'
import type { Rule, RuleRef } from './types.ts'

export interface CompiledRule {
  readonly rule: Rule
  readonly ref: RuleRef
  /** For messages: id, policy and line. */
  readonly name: string
  /** Undefined means any; so do the matchers. */
  readonly principals: readonly ((name: string) => boolean)[] | undefined
  readonly matchers: readonly Matcher[] | undefined
  readonly condition: RuleCondition | undefined
  /** Whether it applies to whatever it matches: it has no condition and looks for no data. */
  readonly always: boolean
  /** Its place in the policy, from 0. */
  readonly order: number
}

export function matchesPrincipal({ principals }: CompiledRule, name: string): boolean {
  if (principals === undefined) return true
  for (const matches of principals) if (matches(name)) return true
  return false
}

/**
 * Where a resource can be read in several ways, a permit has to cover them all;
 * what forbids or asks applies as soon as it covers one.
 */
export function matchesResource({ rule, matchers }: CompiledRule, readings: readonly Reading[]): boolean {
  if (matchers === undefined) return true
  const all = rule.effect === 'permit'
  for (const reading of readings) if (covers(matchers, reading) !== all) return !all
  return all
}

function covers(matchers: readonly Matcher[], reading: Reading): boolean {
  for (const matcher of matchers) if (matcher.mismatch(reading) === undefined) return true
  return false
}
