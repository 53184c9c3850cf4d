/** Which calls a policy cannot judge without their arguments: rules that look at them are indexed as those that decide. */
import { type Action, expandAction, isAction } from '../policy/actions.ts'
import { readResource } from '../policy/match.ts'
import { RuleIndex } from '../policy/rule-index.ts'
import { compileRule } from '../policy/rules.ts'
import type { PolicySet, Rule } from '../policy/types.ts'

export class Interest {
  /** Of another language nothing is known but its answers. */
  readonly #inAll: boolean
  readonly #byAction = new Map<Action, RuleIndex>()
  /** Whether conditions ask for more of a budget than is on record. */
  readonly readsSpent: boolean
  /** Whether any rule gives labels. */
  readonly givesLabels: boolean
  readonly asksOrigins: boolean
  readonly readsLabels: boolean

  constructor({ policies, needs }: PolicySet) {
    const rules = policies.flatMap((policy) => policy.rules)
    this.#inAll = policies.some(({ engine }) => engine !== undefined)
    this.readsSpent = this.#inAll || rules.some(({ when = '' }) => /cpuMs|bits/.test(when))
    this.givesLabels = rules.some(({ demands }) => demands?.label !== undefined)
    this.asksOrigins = needs.origins
    this.readsLabels = this.#inAll || rules.some(({ when = '' }) => /\blabels\b/.test(when))
    for (const policy of policies)
      for (const rule of policy.rules) if (looksInside(rule)) this.#add(rule, policy.name)
  }

  /** Whether there is any call whose arguments matter but for a move. */
  get isSome(): boolean {
    return this.#inAll || this.#byAction.size > 0 || this.asksOrigins
  }

  /** @returns whether the arguments of the call matter, or may */
  wants(principal: string, syscall: string, resource: string): boolean {
    if (this.#inAll || needsArguments(syscall)) return true
    if (!isAction(syscall)) return false
    const index = this.#byAction.get(syscall)
    if (index === undefined) return false
    const readings = readResource(syscall, resource)
    return typeof readings === 'string' || index.matching(principal, readings).length > 0
  }

  #add(rule: Rule, policy: string): void {
    const covered = new Set(rule.actions.flatMap(expandAction))
    // A permit has to match each way to read a resource; whoever only looks it up is asked for any.
    const compiled = compileRule({ ...rule, effect: 'forbid' }, policy, covered, 0)
    for (const action of covered) {
      const index = this.#byAction.get(action) ?? new RuleIndex()
      this.#byAction.set(action, index)
      index.add(compiled)
    }
  }
}

/** A move is several questions, and a removal of a folder with all below it is more than one of the folder. */
export const needsArguments = (syscall: string): boolean => syscall === 'fs.move' || syscall === 'fs.remove'

const looksInside = ({ when, contains, demands }: Rule): boolean =>
  contains !== undefined || demands?.redact !== undefined || (when !== undefined && /\bargs\b/.test(when))

const known = new WeakMap<PolicySet, Interest>()

export function interestOf(set: PolicySet): Interest {
  const made = known.get(set) ?? new Interest(set)
  known.set(set, made)
  return made
}
