/** What one policy permits that another does not, each difference with a request that shows it. */
import { assertOwnRules } from './engines/engine.ts'
import { type Probe, probesFor } from './probes.ts'
import type { Budget, Decision, Obligation, PolicySet, Request } from './types.ts'

export interface Difference {
  readonly request: Probe
  readonly before: Decision
  readonly after: Decision
  /** As a clause. */
  readonly what: string
}

export interface PolicyDiff {
  /** One for each action and each pair of reasons. */
  readonly differences: readonly Difference[]
  /** Limits that are wider, as clauses. */
  readonly wider: readonly string[]
  /** What was only sampled; empty where the differences are all there are. */
  readonly sampled: readonly string[]
}

/**
 * @param before one policy
 * @param after what takes its place
 * @returns what `after` permits and `before` does not; exact for patterns, a sample for conditions and queries
 * @throws KernelError EINVAL where one of them is in another language
 */
export function diff(before: PolicySet, after: PolicySet): PolicyDiff {
  for (const set of [before, after]) assertOwnRules(set, 'compared')
  const { requests, sampled } = probesFor([before, after])
  const found = new Map<string, Difference>()
  for (const request of requests) {
    const then = before.decide(request)
    const now = after.decide(request)
    const what = widened(then, now)
    if (what === undefined) continue
    const key = [request.action, request.isolation, what, rulesOf(then), rulesOf(now)].join(' ')
    const known = found.get(key)
    if (known === undefined || sizeOf(request) < sizeOf(known.request))
      found.set(key, { request, before: then, after: now, what })
  }
  return { differences: [...found.values()], wider: widerLimits(before, after), sampled }
}

/** @returns what is permitted now and was not; undefined where nothing is */
function widened(before: Decision, after: Decision): string | undefined {
  if (after.effect !== 'permit') return undefined
  if (before.effect !== 'permit')
    return `is permitted, and was ${before.effect === 'ask' ? 'asked' : 'forbidden'}`
  const classes = after.addresses.filter((each) => !before.addresses.includes(each))
  if (classes.length > 0) return `may lead to ${classes.join(', ')} addresses`
  const then = before.obligations ?? []
  const now = after.obligations ?? []
  const isLimit = ({ once, rateLimit }: Obligation): boolean => once !== undefined || rateLimit !== undefined
  if (then.some(isLimit) && !now.some(isLimit)) return 'is permitted as often as it is asked'
  const kept = new Set(now.flatMap(({ redact }) => redact ?? []))
  const shown = then.flatMap(({ redact }) => redact ?? []).filter((kind) => !kept.has(kind))
  if (shown.length > 0) return `shows data of the kind ${[...new Set(shown)].join(', ')}, which was taken out`
  const isDigest = ({ log }: Obligation): boolean => log !== undefined
  return then.some(isDigest) && !now.some(isDigest) ? 'is recorded in full' : undefined
}

const rulesOf = ({ effect, rules }: Decision): string =>
  `${effect} ${rules.map(({ policy, id }) => `${policy}/${id}`).join()}`

const sizeOf = ({ resource, principal, args }: Request): number =>
  resource.length + principal.length + JSON.stringify(args).length

function widerLimits(before: PolicySet, after: PolicySet): readonly string[] {
  const wider = (Object.keys(before.budget) as (keyof Budget)[]).flatMap((key) => {
    const was = before.budget[key] ?? 0
    const is = after.budget[key]
    return is === undefined || is > was
      ? [`the budget of ${key} is ${is ?? 'not limited'}, and was ${was}`]
      : []
  })
  if (before.cell === 'own' && after.cell === 'shared')
    wider.push('a cell is shared, and was a process’s own')
  if (before.mode === 'enforce' && after.mode === 'observe') wider.push('nothing is enforced')
  return wider
}
