/** Forbid beats ask beats permit, and silence forbids. Rule order never matters. */
import type { AddressClass } from '../grant.ts'
import { type Action, isAction } from './actions.ts'
import { Meter } from './cel-values.ts'
import { type CompiledRule, matchesPrincipal } from './compiled-rule.ts'
import type { DataKind } from './detect/kinds.ts'
import { type Judgement, judge } from './judge.ts'
import { type Reading, readResource } from './match.ts'
import { obligationsOf } from './obligations.ts'
import type { CompiledPolicy } from './rules.ts'
import { type Decision, effects, type Request, type Verdict } from './types.ts'

/**
 * @param enforced policies that must all agree
 * @param observing policies that are asked and never followed
 * @returns what happens, by which rules, and why; nothing that a caller sends makes it throw
 */
export function decide(
  enforced: readonly CompiledPolicy[],
  observing: readonly CompiledPolicy[],
  request: Request,
): Decision {
  const { action, resource } = request
  if (!isAction(action)) return refusal(`no policy knows the action \`${action}\``)
  const readings = readResource(action, resource)
  if (typeof readings === 'string') return refusal(`${readings}, so no policy can judge it`)
  const judgements = judgeAll(enforced, action, readings, request)
  const verdict = judgements.length === 0 ? onlyObserved(observing) : combine(judgements, request)
  const decision = withTerms(verdict, judgements)
  if (observing.length === 0) return decision
  const observed = combine(judgeAll(observing, action, readings, request), request)
  return observed.effect === 'permit' ? decision : { ...decision, observed }
}

const noAddresses: readonly AddressClass[] = Object.freeze([])

const refusal = (reason: string): Decision => ({
  effect: 'forbid',
  rules: [],
  addresses: noAddresses,
  reason,
})

/** The conditions of all of them together have the steps of one decision; what observes takes none from what decides. */
function judgeAll(
  policies: readonly CompiledPolicy[],
  action: Action,
  readings: readonly Reading[],
  request: Request,
): readonly Judgement[] {
  const meter = new Meter()
  return policies.map((policy) => judge(policy, action, readings, request, meter))
}

/** The strictest of at least one judgement. */
function combine(judgements: readonly Judgement[], request: Request): Verdict {
  const [only] = judgements
  const effect = judgements.length === 1 ? (only?.effect ?? 'forbid') : strictestOf(judgements)
  const deciding = judgements.length === 1 ? judgements : judgements.filter((it) => it.effect === effect)
  const rules = deciding.length === 1 ? (deciding[0]?.rules ?? []) : deciding.flatMap((it) => it.rules)
  return { effect, rules: rules.map(({ ref }) => ref), reason: reasonOf(effect, rules, deciding, request) }
}

const strictestOf = (judgements: readonly Judgement[]): Verdict['effect'] =>
  effects.findLast((each) => judgements.some((it) => it.effect === each)) ?? 'forbid'

const onlyObserved = (observing: readonly CompiledPolicy[]): Verdict => ({
  effect: 'permit',
  rules: [],
  reason: `nothing is enforced: ${observing.map(({ policy }) => `\`${policy.name}\``).join(', ')} only observes`,
})

/** What comes with a permit, or with a person's: address classes and obligations, of which most rules have none. */
function withTerms({ effect, rules, reason }: Verdict, judgements: readonly Judgement[]): Decision {
  const sensitive = effect === 'permit' ? [] : sensitiveOf(judgements.filter((it) => it.effect === effect))
  const plain = {
    ...{ effect, rules, reason, addresses: noAddresses },
    ...(sensitive.length > 0 && { sensitive }),
  }
  const hasTerms = ({ rule }: CompiledRule): boolean =>
    rule.addresses.length > 0 || rule.demands !== undefined
  if (effect === 'forbid' || !judgements.some((it) => it.terms.some(hasTerms))) return plain
  const addresses = commonAddresses(judgements)
  const obligations = judgements.flatMap((it) => obligationsOf(it.terms))
  return obligations.length === 0 ? { ...plain, addresses } : { ...plain, addresses, obligations }
}

/**
 * What an agent brings could keep its child's doings out of the record.
 * @returns the kinds of data for which the deciding rules of the application looked
 */
const sensitiveOf = (deciding: readonly Judgement[]): readonly DataKind[] => [
  ...new Set(
    deciding
      .filter(({ policy }) => policy.policy.byAgent !== true)
      .flatMap(({ rules }) => rules.flatMap(({ rule }) => rule.contains ?? [])),
  ),
]

/** Within a policy any rule that permits or asks may name a class; over policies that permit by themselves all of them have to. */
function commonAddresses(judgements: readonly Judgement[]): readonly AddressClass[] {
  const permitting = judgements.filter(({ policy }) => policy.policy.extends === undefined)
  const [first = new Set<AddressClass>(), ...rest] = permitting.map(
    ({ terms }) => new Set(terms.flatMap(({ rule }) => rule.addresses)),
  )
  return [...first].filter((each) => rest.every((classes) => classes.has(each)))
}

function reasonOf(
  effect: Verdict['effect'],
  rules: readonly CompiledRule[],
  deciding: readonly Judgement[],
  request: Request,
): string {
  const [first] = rules
  const by = deciding.length === 1 ? deciding[0] : (deciding.find((it) => it.rules.length > 0) ?? deciding[0])
  if (by?.because !== undefined) return by.because
  if (first === undefined) return `no rule permits it; ${hint(by, request)}`
  const rule = rules.length > 1 ? `${first.name} and ${rules.length - 1} more` : first.name
  const held =
    first.rule.contains === undefined
      ? ''
      : `, since it holds, or may hold, data of the kind ${first.rule.contains.join(', ')}`
  if (effect === 'ask') return `a person has to approve it, by ${rule}${held}`
  return effect === 'forbid' ? `forbidden by ${rule}${held}` : `permitted by ${rule}`
}

/** As much of a condition is shown, in UTF-16 units. */
const conditionShownMax = 120

/** Patterns that a refusal shows, so that its reader learns what would have been permitted. */
const hintsMax = 3

function hint(silent: Judgement | undefined, { action, principal }: Request): string {
  if (silent === undefined || !isAction(action)) return 'there is no policy'
  const unmet = silent.unmet.find(({ rule }) => rule.effect === 'permit')
  if (unmet !== undefined && unmet.condition === undefined)
    return `${unmet.name} permits it only where the call holds data of the kind ${(unmet.rule.contains ?? []).join(', ')}`
  if (unmet?.condition !== undefined)
    return `the condition of ${unmet.name} does not hold: \`${excerpt(unmet.condition.text)}\``
  const permits = silent.policy.rules.get(action)?.permit ?? []
  const patterns: string[] = []
  for (const rule of permits) {
    if (patterns.length > hintsMax) break
    if (matchesPrincipal(rule, principal))
      patterns.push(...(rule.rule.resources ?? []).slice(0, hintsMax + 1))
  }
  const { name } = silent.policy.policy
  if (patterns.length === 0) return `\`${name}\` permits \`${principal}\` no ${action}`
  const shown = patterns.slice(0, hintsMax).map((pattern) => `\`${pattern}\``)
  return `\`${name}\` permits ${action} on ${shown.join(', ')}${patterns.length > hintsMax ? ' and more' : ''}`
}

const excerpt = (text: string): string =>
  text.length > conditionShownMax ? `${text.slice(0, conditionShownMax).toWellFormed()}…` : text
