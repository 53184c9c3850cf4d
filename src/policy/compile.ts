/** Policies become a set: all of them have to agree, and every limit is at its strictest. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { expandAction } from './actions.ts'
import { permitsBelow } from './below.ts'
import { leastBudget } from './budget.ts'
import { decide } from './decide.ts'
import { leastRepeats, type SignalActions, strictestCell, strictestSignals } from './demands.ts'
import { engineFacts } from './engines/engine.ts'
import { needsOf } from './rule-condition.ts'
import { compilePolicy } from './rules.ts'
import { type Isolation, isolations, type Needs, type Policy, type PolicySet } from './types.ts'

/**
 * @param policies at least one; all of them have to agree to a call
 * @param hash over the canonical form of their documents, as hex
 * @param above what raised signals do already, where the set narrows another
 * @param alone whether the set is all there is; where it is to be joined with another, that one may be what it extends
 * @returns what decides, and what the kernel holds processes to
 * @throws KernelError EINVAL where there are none or too many, two share a name, or one extends what is not there
 */
export function compilePolicies(
  policies: readonly Policy[],
  hash: string,
  above?: SignalActions,
  alone = true,
): PolicySet {
  if (policies.length === 0) throw new KernelError('EINVAL', 'no policy is given; the strictest is `strict`')
  if (policies.length > limits.policiesMax)
    throw new KernelError(
      'EINVAL',
      `${policies.length} policies at once, at most ${limits.policiesMax} are taken`,
    )
  assertDistinct(policies)
  const compiled = policies.map(compilePolicy)
  const enforced = compiled.filter(({ policy }) => policy.mode === 'enforce')
  const followed = enforced.map(({ policy }) => policy)
  if (alone) assertExtended(followed)
  const observing = compiled.filter(({ policy }) => policy.mode === 'observe')
  return Object.freeze({
    name: policies.map(({ name }) => name).join(' + '),
    hash,
    mode: enforced.length > 0 ? 'enforce' : 'observe',
    isolation: strongest(followed.map(({ isolation }) => isolation)),
    cell: strictestCell(followed),
    budget: leastBudget(followed.map(({ budget }) => budget)),
    signals: strictestSignals(followed, above),
    loopRepeats: leastRepeats(followed),
    needs: needsOfAll(policies),
    documents: Object.freeze(policies.flatMap(shownOf)),
    policies: Object.freeze([...policies]),
    decide: (request) => decide(enforced, observing, request),
    permitsBelow: (principal, actions, folder) =>
      enforced.every((policy) => permitsBelow(policy, principal, actions, folder)),
  } satisfies PolicySet)
}

/** What a process reads of a policy: its document, and the file that it is for. */
const shownOf = ({ name, text, engine }: Policy): PolicySet['documents'] => [
  Object.freeze({ name, text }),
  ...(engine?.source === undefined
    ? []
    : [Object.freeze({ name, text: engine.source, file: `${name}${engineFacts[engine.name].ending}` })]),
]
/** Of those that only observe too: what they would say depends on it. */
function needsOfAll(policies: readonly Policy[]): Needs {
  const all = policies.flatMap(({ rules }) =>
    rules.flatMap(({ when, actions }) => {
      const [action] = actions.flatMap(expandAction)
      return when === undefined || action === undefined ? [] : [needsOf(when, action)]
    }),
  )
  const history = new Map(all.flatMap((needs) => needs.history.map((query) => [query.key, query] as const)))
  if (history.size > limits.historyQueriesMax)
    throw new KernelError(
      'EINVAL',
      `the policies ask ${history.size} different questions about history, at most ${limits.historyQueriesMax} are counted for`,
    )
  return Object.freeze({
    origins: all.some(({ origins }) => origins),
    history: Object.freeze([...history.values()]),
  })
}

/** A decision names policies by name, so a name has to mean one. */
function assertDistinct(policies: readonly Policy[]): void {
  const names = new Set<string>()
  for (const { name } of policies) {
    if (names.has(name))
      throw new KernelError(
        'EINVAL',
        `two policies that apply together are called \`${name}\`; give one another name`,
      )
    names.add(name)
  }
}

/** What a policy extends that narrows whatever stands beside it. */
export const anyBase = '*'

/** A policy that extends another leaves silence to it, so it may not be alone. */
function assertExtended(enforced: readonly Policy[]): void {
  const [first] = enforced
  if (first?.extends === undefined || enforced.some((policy) => policy.extends === undefined)) return
  const why =
    first.extends === anyBase
      ? `narrows what stands beside it, and nothing that is enforced does; name both in a list, such as [developer, ${first.name}]`
      : `extends \`${first.extends}\`, which is not in force beside it`
  throw new KernelError('EINVAL', `policy \`${first.name}\` ${why}`)
}

/** @returns the strongest of them, `host` where there is none */
const strongest = (floors: readonly Isolation[]): Isolation =>
  isolations.find((isolation) => floors.includes(isolation)) ?? 'host'
