/** Why a decision is what it is: every rule that speaks, and on a refusal what came nearest to permitting. */
import { type Action, isAction } from './actions.ts'
import { Meter } from './cel-values.ts'
import { type CompiledRule, matchesPrincipal, matchesResource } from './compiled-rule.ts'
import { engineFacts } from './engines/engine.ts'
import { judge } from './judge.ts'
import { type Reading, readResource } from './match.ts'
import { demandTexts } from './obligations.ts'
import { type CompiledPolicy, compilePolicy } from './rules.ts'
import {
  type Decision,
  type Effect,
  effects,
  type Mode,
  type PolicySet,
  type Request,
  type RuleRef,
} from './types.ts'

export interface Explanation {
  readonly request: Request
  readonly decision: Decision
  /** One for each policy of the set; empty where no policy can judge the request. */
  readonly policies: readonly PolicyExplanation[]
}

export interface PolicyExplanation {
  readonly name: string
  readonly mode: Mode
  /** What this policy alone says. */
  readonly effect: Effect
  /** Every rule that matches, the deciding ones first. */
  readonly matching: readonly RuleExplanation[]
  /** Where it refuses: rules for the action that would have permitted, the nearest first, and why they did not. */
  readonly nearest: readonly RuleExplanation[]
}

export interface RuleExplanation extends RuleRef {
  readonly effect: Effect
  readonly decided: boolean
  /** What it demands beside, as clauses. */
  readonly demands: readonly string[]
  /** As a clause. */
  readonly why: string
}

/** Rules shown that came near. */
const nearestMax = 3

/**
 * @param set the policies in force
 * @param request what is asked
 * @returns the set's own decision and, policy by policy, how it came about
 */
export function explain(set: PolicySet, request: Request): Explanation {
  const decision = set.decide(request)
  const { action, resource } = request
  const readings = isAction(action) ? readResource(action, resource) : undefined
  if (!isAction(action) || readings === undefined || typeof readings === 'string')
    return { request, decision, policies: [] }
  return {
    request,
    decision,
    policies: set.policies.map((policy) => explainPolicy(compilePolicy(policy), action, readings, request)),
  }
}

function explainPolicy(
  compiled: CompiledPolicy,
  action: Action,
  readings: readonly Reading[],
  request: Request,
): PolicyExplanation {
  const { name, mode, engine } = compiled.policy
  if (engine !== undefined) {
    const { effect, rules, because } = judge(compiled, action, readings, request, new Meter())
    const why = because ?? `so says its own engine, of ${engineFacts[engine.name].title}`
    return { name, mode, effect, matching: rules.map((rule) => describe(rule, true, why)), nearest: [] }
  }
  const byEffect = compiled.rules.get(action) ?? { permit: [], ask: [], forbid: [] }
  const { principal } = request
  const { effect, rules, because, unmet } = judge(compiled, action, readings, request, new Meter())
  const decided = new Set(rules)
  const not = new Set(unmet)
  const why = (rule: CompiledRule): string => {
    if (not.has(rule)) return whyUnmet(rule)
    if (decided.has(rule)) return because ?? 'no stricter rule matches'
    return because ?? `${effect} beats ${rule.rule.effect}`
  }
  const matching = effects
    .toReversed()
    .flatMap((each) => byEffect[each])
    .filter((rule) => matchesPrincipal(rule, principal) && matchesResource(rule, readings))
    .map((rule) => describe(rule, decided.has(rule), why(rule)))
  const silent = effect === 'forbid' && rules.length === 0 && because === undefined
  const nearest = silent ? findNearest(byEffect.permit, request, readings) : []
  return { name, mode, effect, matching, nearest }
}

const whyUnmet = ({ condition, rule: { contains } }: CompiledRule): string => {
  const data = contains === undefined ? '' : `data of the kind ${contains.join(', ')}`
  if (condition === undefined) return `the call holds no ${data}`
  const holds = `its condition does not hold: \`${condition.text}\``
  return contains === undefined ? holds : `${holds}, or the call holds no ${data}`
}

const describe = ({ rule, ref }: CompiledRule, decided: boolean, why: string): RuleExplanation => ({
  ...ref,
  effect: rule.effect,
  decided,
  demands: demandTexts(rule),
  why,
})

function findNearest(
  permits: readonly CompiledRule[],
  { principal, resource }: Request,
  readings: readonly Reading[],
): readonly RuleExplanation[] {
  return permits
    .filter((rule) => !matchesPrincipal(rule, principal) || !matchesResource(rule, readings))
    .map((rule) => ({ rule, distance: distanceOf(rule, principal, resource, readings) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, nearestMax)
    .map(({ rule }) => describe(rule, false, whyNot(rule, principal, readings)))
}

/** A rule for somebody else is nearer than one for another resource, which is nearer the more of its text it shares. */
function distanceOf(
  rule: CompiledRule,
  principal: string,
  resource: string,
  readings: readonly Reading[],
): number {
  if (matchesResource(rule, readings)) return 0
  const shared = Math.max(0, ...(rule.rule.resources ?? []).map((pattern) => sharedStart(pattern, resource)))
  return 1 + (matchesPrincipal(rule, principal) ? 0 : 1) + resource.length - shared
}

function sharedStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return length
}

function whyNot(rule: CompiledRule, principal: string, readings: readonly Reading[]): string {
  const reasons: string[] = []
  if (!matchesPrincipal(rule, principal))
    reasons.push(`it is for ${quote(rule.rule.principals ?? [])}, not for \`${principal}\``)
  if (!matchesResource(rule, readings)) {
    const matchers = rule.matchers ?? []
    const failing = readings.find((it) => matchers.every((matcher) => matcher.mismatch(it) !== undefined))
    const parts = failing === undefined ? [] : matchers.map((matcher) => matcher.mismatch(failing) ?? 'name')
    const rereads = failing !== undefined && failing !== readings[0] ? ', read as a lenient server would' : ''
    reasons.push(
      `the ${[...new Set(parts)].join(' or ')} is not that of ${quote(rule.rule.resources ?? [])}${rereads}`,
    )
  }
  return reasons.join(', and ')
}

/** Patterns named in one clause. */
const quotedMax = 3

function quote(patterns: readonly string[]): string {
  const shown = patterns.slice(0, quotedMax).map((pattern) => `\`${pattern}\``)
  return `${shown.join(', ')}${patterns.length > quotedMax ? ` and ${patterns.length - quotedMax} more` : ''}`
}
