/** What one policy alone says to a request. */
import type { Action } from './actions.ts'
import type { Meter } from './cel-values.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { judgeByEngine } from './engines/judge.ts'
import type { Reading } from './match.ts'
import type { CompiledPolicy } from './rules.ts'
import type { Effect, Request } from './types.ts'

/** What a policy says, with the rules themselves. */
export interface Judgement {
  readonly policy: CompiledPolicy
  readonly effect: Effect
  /** Those that decide, in the order of the policy. */
  readonly rules: readonly CompiledRule[]
  /** Why, where it is not the rules alone. */
  readonly because: string | undefined
  /** Whose terms hold for the call: the rules that permit and, where a person is asked, those that ask too. */
  readonly terms: readonly CompiledRule[]
  /** Rules that match but for their condition or for the data that the call would have to hold. */
  readonly unmet: readonly CompiledRule[]
}

const none: readonly CompiledRule[] = Object.freeze([])

/**
 * A rule whose condition cannot be judged forbids, whatever its effect;
 * so all conditions of rules that match are judged, unless a rule forbids anyway.
 */
export function judge(
  policy: CompiledPolicy,
  action: Action,
  readings: readonly Reading[],
  request: Request,
  meter: Meter,
): Judgement {
  if (!policy.isolations.has(request.isolation)) {
    const { name, isolation } = policy.policy
    const because = `\`${name}\` accepts isolation \`${isolation}\` or stronger, and this process has \`${request.isolation}\``
    return { policy, effect: 'forbid', rules: none, because, terms: none, unmet: none }
  }
  if (policy.policy.engine !== undefined)
    return { policy, ...judgeByEngine(policy.policy, policy.policy.engine, action, readings, request) }
  const matching = policy.index.get(action)?.matching(request.principal, readings) ?? none
  const answers = new Answers(matching, action, request, meter)
  const forbid = answers.met('forbid')
  if (forbid.length > 0) return answers.judgement(policy, 'forbid', forbid)
  const ask = answers.met('ask')
  const permit = answers.met('permit')
  const [failed] = answers.unjudged
  if (failed !== undefined) {
    const because = `the condition of ${failed.rule.name} cannot be judged: ${failed.why}`
    const rules = answers.unjudged.map(({ rule }) => rule)
    return answers.judgement(policy, 'forbid', rules, because)
  }
  if (ask.length > 0) {
    const terms = permit.length === 0 ? ask : [...ask, ...permit]
    return { ...answers.judgement(policy, 'ask', ask), terms }
  }
  // The policy that it extends is asked too.
  const silence = policy.policy.extends === undefined ? 'forbid' : 'permit'
  return answers.judgement(policy, permit.length > 0 ? 'permit' : silence, permit)
}

/** The conditions of rules that match, judged effect by effect. */
class Answers {
  readonly unjudged: { readonly rule: CompiledRule; readonly why: string }[] = []
  readonly #unmet: CompiledRule[] = []
  readonly #matching: readonly CompiledRule[]
  readonly #action: Action
  readonly #request: Request
  readonly #meter: Meter

  constructor(matching: readonly CompiledRule[], action: Action, request: Request, meter: Meter) {
    this.#matching = matching
    this.#action = action
    this.#request = request
    this.#meter = meter
  }

  /** @returns the rules of an effect that apply */
  met(effect: Effect): readonly CompiledRule[] {
    const rules: CompiledRule[] = []
    for (const each of this.#matching) {
      if (each.rule.effect !== effect) continue
      const holds =
        each.always ||
        each.condition === undefined ||
        each.condition.judge(this.#action, this.#request, this.#meter)
      if (holds === true && (each.always || this.#holdsData(each))) rules.push(each)
      else if (holds === true) this.#unmet.push(each)
      else if (holds === false) this.#unmet.push(each)
      else this.unjudged.push({ rule: each, why: holds })
    }
    return rules
  }

  /** What cannot be looked through may hold anything: enough to refuse, too little to permit. */
  #holdsData({ rule: { contains, effect } }: CompiledRule): boolean {
    if (contains === undefined) return true
    const holds = this.#request.content?.holds(contains) ?? 'nobody has told what the call holds'
    return typeof holds === 'string' ? effect !== 'permit' : holds
  }

  judgement(
    policy: CompiledPolicy,
    effect: Effect,
    rules: readonly CompiledRule[],
    because?: string,
  ): Judgement {
    return { policy, effect, rules, because, terms: effect === 'permit' ? rules : none, unmet: this.#unmet }
  }
}
