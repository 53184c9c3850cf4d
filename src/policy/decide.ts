/** Forbid beats ask beats permit, and silence forbids. Rule order never matters. */
import type { AddressClass } from '../grant.ts'
import { type Action, isAction } from './actions.ts'
import { Meter } from './cel-values.ts'
import { type Reading, readResource } from './match.ts'
import { obligationsOf } from './obligations.ts'
import { type CompiledPolicy, type CompiledRule, matchesPrincipal, matchesResource } from './rules.ts'
import { type Decision, type Effect, effects, isolations, type Request, type Verdict } from './types.ts'

/** What one policy says, with the rules themselves. */
export interface Judgement {
  readonly policy: CompiledPolicy
  readonly effect: Verdict['effect']
  readonly rules: readonly CompiledRule[]
  /** Why, where it is not the rules. */
  readonly because?: string
  /** Rules that match but for their condition. */
  readonly unmet: readonly CompiledRule[]
}

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
  const terms = verdict.effect === 'permit' ? termsOf(judgements) : { addresses: [] }
  if (observing.length === 0) return { ...verdict, ...terms }
  const observed = combine(judgeAll(observing, action, readings, request), request)
  return observed.effect === 'permit' ? { ...verdict, ...terms } : { ...verdict, ...terms, observed }
}

/** What comes with a permit. */
function termsOf(judgements: readonly Judgement[]): Pick<Decision, 'addresses' | 'obligations'> {
  const addresses = commonAddresses(judgements)
  const obligations = judgements.flatMap(({ rules }) => obligationsOf(rules))
  return obligations.length === 0 ? { addresses } : { addresses, obligations }
}

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

const refusal = (reason: string): Decision => ({ effect: 'forbid', rules: [], addresses: [], reason })

/**
 * What one policy alone says. A rule whose condition cannot be judged forbids, whatever its effect;
 * so all conditions of rules that match are judged, unless a rule forbids anyway.
 */
export function judge(
  policy: CompiledPolicy,
  action: Action,
  readings: readonly Reading[],
  request: Request,
  meter: Meter,
): Judgement {
  const floor = policy.policy.isolation
  if (!isolations.slice(0, isolations.indexOf(floor) + 1).includes(request.isolation)) {
    const because = `\`${policy.policy.name}\` accepts isolation \`${floor}\` or stronger, and this process has \`${request.isolation}\``
    return { policy, effect: 'forbid', rules: [], unmet: [], because }
  }
  const met: Record<Effect, CompiledRule[]> = { permit: [], ask: [], forbid: [] }
  const unmet: CompiledRule[] = []
  const unjudged: (readonly [CompiledRule, string])[] = []
  const candidates = policy.rules.get(action)
  for (const effect of ['forbid', 'ask', 'permit'] as const) {
    for (const rule of candidates?.[effect] ?? []) {
      if (!matchesPrincipal(rule, request.principal) || !matchesResource(rule, readings)) continue
      const holds = rule.condition?.judge(action, request, meter) ?? true
      if (holds === true) met[effect].push(rule)
      else if (holds === false) unmet.push(rule)
      else unjudged.push([rule, holds])
    }
    if (met.forbid.length > 0) break
  }
  const [failed] = unjudged
  if (met.forbid.length === 0 && failed !== undefined) {
    const because = `the condition of ${nameOf(failed[0])} cannot be judged: ${failed[1]}`
    return { policy, effect: 'forbid', rules: unjudged.map(([rule]) => rule), unmet, because }
  }
  const effect = effects.findLast((each) => met[each].length > 0) ?? 'forbid'
  return { policy, effect, rules: met[effect], unmet }
}

/** The strictest of at least one judgement. */
function combine(judgements: readonly Judgement[], request: Request): Verdict {
  const effect = effects.findLast((each) => judgements.some((it) => it.effect === each)) ?? 'forbid'
  const deciding = judgements.filter((it) => it.effect === effect)
  const rules = deciding.flatMap((it) => it.rules.map(({ ref }) => ref))
  return { effect, rules, reason: reasonOf(effect, rules, deciding, request) }
}

const onlyObserved = (observing: readonly CompiledPolicy[]): Verdict => ({
  effect: 'permit',
  rules: [],
  reason: `nothing is enforced: ${observing.map(({ policy }) => `\`${policy.name}\``).join(', ')} only observes`,
})

function reasonOf(
  effect: Verdict['effect'],
  rules: Verdict['rules'],
  deciding: readonly Judgement[],
  request: Request,
): string {
  const [first] = rules
  const by = deciding.find((it) => it.rules.length > 0)
  if (by?.because !== undefined) return by.because
  if (first === undefined) {
    const [silent] = deciding
    return silent?.because ?? `no rule permits it; ${hint(silent, request)}`
  }
  const others = rules.length > 1 ? ` and ${rules.length - 1} more` : ''
  const rule = `${nameOf({ ref: first })}${others}`
  if (effect === 'ask') return `a person has to approve it, by ${rule}`
  return effect === 'forbid' ? `forbidden by ${rule}` : `permitted by ${rule}`
}

const nameOf = ({ ref }: Pick<CompiledRule, 'ref'>): string =>
  `rule \`${ref.id}\` (${ref.policy}:${ref.line})`

/** As much of a condition is shown, in UTF-16 units. */
const conditionShownMax = 120

/** Patterns that a refusal shows, so that its reader learns what would have been permitted. */
const hintsMax = 3

function hint(silent: Judgement | undefined, { action, principal }: Request): string {
  if (silent === undefined || !isAction(action)) return 'there is no policy'
  const unmet = silent.unmet.find(({ rule }) => rule.effect === 'permit')
  if (unmet?.condition !== undefined)
    return `the condition of ${nameOf(unmet)} does not hold: \`${excerpt(unmet.condition.text)}\``
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

/** Within a policy any permitting rule may name a class; over policies all of them have to. */
function commonAddresses(judgements: readonly Judgement[]): readonly AddressClass[] {
  const [first = new Set<AddressClass>(), ...rest] = judgements.map(
    ({ rules }) => new Set(rules.flatMap(({ rule }) => rule.addresses)),
  )
  return [...first].filter((each) => rest.every((classes) => classes.has(each)))
}
