/** Asks a policy in another language; whatever goes wrong there forbids. */
import { limits } from '../../limits.ts'
import type { Action } from '../actions.ts'
import type { CompiledRule } from '../compiled-rule.ts'
import type { Judgement } from '../judge.ts'
import type { Reading } from '../match.ts'
import { compileRule } from '../rules.ts'
import { effects, type Policy, type Request, type Rule } from '../types.ts'
import { type Engine, type EngineAnswer, engineFacts } from './engine.ts'

const none: readonly CompiledRule[] = Object.freeze([])

/**
 * @param readings of the resource; the strictest answer counts
 * @returns what the policy says; nothing that a call holds makes it throw
 */
export function judgeByEngine(
  policy: Policy,
  engine: Engine,
  action: Action,
  readings: readonly Reading[],
  request: Request,
): Omit<Judgement, 'policy'> {
  const called = `\`${policy.name}\` (${engineFacts[engine.name].title})`
  const forbidden = (because: string, rules: readonly CompiledRule[] = none) =>
    ({ effect: 'forbid', rules, because, terms: none, unmet: none }) as const
  let strictest: EngineAnswer | undefined
  try {
    assertWhole(request)
    for (const reading of readings) {
      const answer = engine.ask(request, reading)
      if (strictest === undefined || rank(answer) > rank(strictest)) strictest = answer
    }
  } catch (error) {
    const rules = error instanceof Unjudged ? error.rules.map((rule) => compiled(policy, rule)) : none
    return forbidden(`${called} cannot judge it: ${textOf(error)}`, rules)
  }
  if (strictest === undefined) return forbidden(`${called} was not asked`)
  const { effect, why } = strictest
  const rules = strictest.rules.map((rule) => compiled(policy, rule))
  const [first] = rules
  if (first === undefined && effect === 'forbid')
    return forbidden(
      `no rule permits it; nothing in ${called} permits this ${action}${why === undefined ? '' : `: ${shown(why)}`}`,
    )
  const terms = effect === 'forbid' ? none : rules
  if (why === undefined || first === undefined)
    return { effect, rules, because: undefined, terms, unmet: none }
  return { effect, rules, because: `${verbs[effect]} ${first.name}: ${shown(why)}`, terms, unmet: none }
}

/** A rule of another language that failed. */
export class Unjudged extends Error {
  readonly rules: readonly Rule[]
  constructor(message: string, rules: readonly Rule[] = []) {
    super(message)
    this.rules = rules
  }
}

const verbs = {
  permit: 'permitted by',
  ask: 'a person has to approve it, by',
  forbid: 'forbidden by',
} as const

const rank = ({ effect }: EngineAnswer): number => effects.indexOf(effect)

/** A rule of another language over what is not told would not apply, and not fail. */
function assertWhole({ labels }: Request): void {
  if (labels === undefined) throw new Unjudged('the labels of the process are not told')
}

const known = new WeakMap<Rule, CompiledRule>()

function compiled({ name }: Policy, rule: Rule): CompiledRule {
  const made = known.get(rule) ?? compileRule(rule, name, new Set(), 0)
  known.set(rule, made)
  return made
}

/** Engines throw errors, texts and plain objects. */
function textOf(error: unknown): string {
  if (error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error))
    return shown(String(error.message))
  return shown(String(error))
}

const shown = (text: string): string => text.slice(0, limits.engineReasonMax).toWellFormed()
