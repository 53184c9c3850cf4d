/** Under which policies a recorded process would be: the new one, and what it had beside the one that was in force. */
import { createHash } from 'node:crypto'
import { compileNarrowing, narrow, readDocuments } from '../config/policy.ts'
import { KernelError } from '../errors.ts'
import { canonicalText } from '../evidence/canonical.ts'
import { type Labels, noLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { expandAction } from '../policy/actions.ts'
import { leastBudget } from '../policy/budget.ts'
import type { Budget, Policy, PolicySet } from '../policy/types.ts'

/** What a process has beside the policy of the application; `unknown`: it has something, and it is not on record. */
export type Own = PolicySet | 'none' | 'unknown'

export class Policies {
  readonly ceiling: PolicySet | 'recorded'
  /** By the hash of their text: policies that were in force; undefined where they are not on record. */
  readonly #read = new Map<string, readonly Policy[] | undefined>()
  readonly #own = new Map<string, Own>()
  #recorded: string | undefined

  /** @param ceiling what is in force in place of all that was; `recorded`: what was, for whoever checks the rest */
  constructor(ceiling: PolicySet | 'recorded') {
    this.ceiling = ceiling
  }

  /** The hash of what was in force. */
  get recorded(): string | undefined {
    return this.#recorded
  }

  /** Another policy of the application came into force. @param hash of its text */
  inForce(hash: string, text: string | undefined): void {
    this.#recorded = hash
    this.#readOnce(hash, text)
    this.#own.clear()
  }

  /** Whether the text of policies is known already, so that nobody has to look it up. */
  isKnown(hash: string): boolean {
    return this.#read.get(hash) !== undefined
  }

  /** @param hash of the text of all policies that a process began under */
  ownOf(hash: string, text: string | undefined): Own {
    if (hash === this.#recorded) return 'none'
    const known = this.#own.get(hash)
    if (known !== undefined) return known
    const made = this.#makeOwn(hash, text)
    if (this.#own.size >= limits.backtestPoliciesMax) this.#own.clear()
    this.#own.set(hash, made)
    return made
  }

  /** @returns what decides about a process; undefined where that is not known, or where the two cannot stand together */
  under(own: Own): PolicySet | undefined {
    const ceiling = this.ceiling === 'recorded' ? this.#asRecorded() : this.ceiling
    if (own === 'unknown' || ceiling === undefined) return undefined
    if (own === 'none') return ceiling
    try {
      return narrow(ceiling, own)
    } catch (error) {
      if (error instanceof KernelError) return undefined
      throw error
    }
  }

  /** What the policies that were in force said about a process; undefined where they are not on record. */
  before(own: Own): readonly Policy[] | undefined {
    const ofAll = this.#recorded === undefined ? undefined : this.#read.get(this.#recorded)
    if (ofAll === undefined || own === 'unknown') return undefined
    return own === 'none' ? ofAll : [...ofAll, ...own.policies]
  }

  #asRecorded(): PolicySet | undefined {
    const policies = this.#recorded === undefined ? undefined : this.#read.get(this.#recorded)
    if (policies === undefined) return undefined
    const known = compiled.get(policies) ?? compileNarrowing(policies)
    compiled.set(policies, known)
    return known
  }

  #makeOwn(hash: string, text: string | undefined): Own {
    const all = this.#readOnce(hash, text)
    const above = this.#recorded === undefined ? undefined : this.#read.get(this.#recorded)
    if (all === undefined || above === undefined) return 'unknown'
    const known = new Set(above.map(({ document }) => canonicalText(document)))
    const own = all.filter(({ document }) => !known.has(canonicalText(document)))
    return own.length === 0 ? 'none' : compileNarrowing(own)
  }

  #readOnce(hash: string, text: string | undefined): readonly Policy[] | undefined {
    const known = this.#read.get(hash)
    if (known !== undefined || text === undefined) return known
    if (this.#read.size >= limits.backtestPoliciesMax)
      for (const each of this.#read.keys()) if (each !== this.#recorded) this.#read.delete(each)
    const policies = hashOf(text) === hash ? readSound(text) : undefined
    this.#read.set(hash, policies)
    return policies
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What a record says may be anything. */
function readSound(text: string): readonly Policy[] | undefined {
  try {
    return readDocuments(text)
  } catch (error) {
    if (error instanceof KernelError || error instanceof SyntaxError || error instanceof TypeError)
      return undefined
    throw error
  }
}

const compiled = new WeakMap<readonly Policy[], PolicySet>()

/** Labels that rules of these names and ids give. */
export function labelsGivenBy(
  policies: readonly Policy[],
  rules: readonly (readonly [policy: string, id: string])[],
): Labels {
  const given = labelling.get(policies) ?? labelsByRule(policies)
  labelling.set(policies, given)
  if (given.size === 0) return noLabels
  return rules.flatMap(([policy, id]) => given.get(JSON.stringify([policy, id])) ?? noLabels)
}

const labelling = new WeakMap<readonly Policy[], ReadonlyMap<string, Labels>>()

const labelsByRule = (policies: readonly Policy[]): ReadonlyMap<string, Labels> =>
  new Map(
    policies.flatMap(({ name, rules }) =>
      rules.flatMap(({ id, demands }) =>
        demands?.label === undefined ? [] : [[JSON.stringify([name, id]), demands.label] as const],
      ),
    ),
  )

/** Labels that any rule about a syscall gives. */
export const labelsAbout = (policies: readonly Policy[], syscall: string): Labels =>
  policies.flatMap(({ rules }) =>
    rules.flatMap(({ actions, demands }) =>
      demands?.label !== undefined &&
      (syscall === 'fs.move' || actions.flatMap(expandAction).some((each) => each === syscall))
        ? demands.label
        : noLabels,
    ),
  )

/** The budget that the enforced ones of them set. */
export const budgetOf = (policies: readonly Policy[]): Budget =>
  leastBudget(policies.filter(({ mode }) => mode === 'enforce').map(({ budget }) => budget))
