/** What one set of policies permits or asks that another does not, and the reverse, each difference with a request that shows it. */
import { limits } from '../limits.ts'
import { assertOwnRules } from './engines/engine.ts'
import { labelsGiven } from './obligations.ts'
import { type Probe, probesFor } from './probes.ts'
import {
  type Budget,
  type Decision,
  type Effect,
  effects,
  type Obligation,
  type PolicySet,
  type Request,
  raisedSignals,
  signalActions,
} from './types.ts'

/** Whether the set that takes the other's place lets more through, or less. */
export type Direction = 'wider' | 'narrower'

export interface Difference {
  readonly direction: Direction
  readonly request: Probe
  readonly before: Decision
  readonly after: Decision
  /** As a clause. */
  readonly what: string
}

export interface LimitDifference {
  readonly direction: Direction
  /** As a clause. */
  readonly what: string
}

export interface PolicyDiff {
  /** One for each action and each pair of reasons; what is wider first. */
  readonly differences: readonly Difference[]
  /** Of the terms of whole policies: budget, cell, mode, signals. */
  readonly limits: readonly LimitDifference[]
  /** What was only sampled; empty where the differences are all there are. */
  readonly sampled: readonly string[]
}

/**
 * @param before policies that agree
 * @param after what takes their place
 * @returns what is wider and what is narrower; exact for patterns, a sample for conditions and queries. From forbid over
 *   ask to permit is wider
 * @throws KernelError EINVAL where one of them is in another language
 */
export function diff(before: PolicySet, after: PolicySet): PolicyDiff {
  for (const set of [before, after]) assertOwnRules(set, 'compared')
  const { requests, sampled } = probesFor([before, after])
  const found = new Map<string, Difference>()
  for (const request of requests) {
    const then = before.decide(request)
    const now = after.decide(request)
    for (const { direction, what } of changesBetween(then, now)) {
      const key = [request.action, request.isolation, what, rulesOf(then), rulesOf(now)].join(' ')
      const known = found.get(key)
      if (known === undefined || sizeOf(request) < sizeOf(known.request))
        found.set(key, { direction, request, before: then, after: now, what })
    }
  }
  return { differences: widerFirst([...found.values()]), limits: limitsBetween(before, after), sampled }
}

const widerFirst = <T extends { readonly direction: Direction }>(all: readonly T[]): readonly T[] => [
  ...all.filter(({ direction }) => direction === 'wider'),
  ...all.filter(({ direction }) => direction === 'narrower'),
]

const said: Readonly<Record<Effect, string>> = { permit: 'permitted', ask: 'asked', forbid: 'forbidden' }

/** Where the effect is another one, nothing else counts beside it. */
function changesBetween(then: Decision, now: Decision): readonly LimitDifference[] {
  if (then.effect !== now.effect) {
    const direction = effects.indexOf(now.effect) < effects.indexOf(then.effect) ? 'wider' : 'narrower'
    return [{ direction, what: `is ${said[now.effect]}, and was ${said[then.effect]}` }]
  }
  if (now.effect === 'forbid') return []
  return [
    ...looser(then, now).map(([what]) => ({ direction: 'wider' as const, what })),
    ...looser(now, then).map(([, what]) => ({ direction: 'narrower' as const, what })),
  ]
}

/** @returns in what the second is looser: as a clause about it, and as one about the first in its place */
function looser(strict: Decision, loose: Decision): readonly (readonly [loose: string, strict: string])[] {
  const found: [string, string][] = []
  const classes = loose.addresses.filter((each) => !strict.addresses.includes(each)).join(', ')
  if (classes !== '')
    found.push([`may lead to ${classes} addresses`, `may lead to ${classes} addresses no longer`])
  const [then, now] = [strict.obligations ?? [], loose.obligations ?? []]
  if (isMoreOften(then, now))
    found.push([
      now.some(isLimit) ? 'may be done more often' : 'is permitted as often as it is asked',
      now.some(isLimit) ? 'may be done less often' : 'is limited in how often',
    ])
  const kept = new Set(now.flatMap(({ redact }) => redact ?? []))
  const shown = [...new Set(then.flatMap(({ redact }) => redact ?? []))].filter((kind) => !kept.has(kind))
  if (shown.length > 0)
    found.push([
      `shows data of the kind ${shown.join(', ')}, which was taken out`,
      `shows no data of the kind ${shown.join(', ')} any more`,
    ])
  const given = new Set(labelsGiven(now))
  const labels = labelsGiven(then).filter((label) => !given.has(label))
  if (labels.length > 0)
    found.push([
      `comes back without the label ${labels.join(', ')}`,
      `comes back with the label ${labels.join(', ')}`,
    ])
  if (then.some(isDigest) && !now.some(isDigest))
    found.push(['is recorded in full', 'is recorded by its digest only'])
  return found
}

const isDigest = ({ log }: Obligation): boolean => log !== undefined
const isLimit = ({ once, rateLimit }: Obligation): boolean => once !== undefined || rateLimit !== undefined

/** Whether one of the limits of `then` has none of `now` that is as strict. */
function isMoreOften(then: readonly Obligation[], now: readonly Obligation[]): boolean {
  const some = (holds: (limit: Obligation) => boolean): boolean => now.some(holds)
  return then.some(({ once, rateLimit: was }) => {
    if (once && !some((it) => it.once === true)) return true
    if (was === undefined) return false
    const isAsStrict = ({ once: single, rateLimit: is }: Obligation): boolean =>
      single === true || (is !== undefined && is.calls <= was.calls && is.perMs >= was.perMs)
    return !some(isAsStrict)
  })
}

const rulesOf = ({ effect, rules }: Decision): string =>
  `${effect} ${rules.map(({ policy, id }) => `${policy}/${id}`).join()}`

const sizeOf = ({ resource, principal, args }: Request): number =>
  resource.length + principal.length + JSON.stringify(args).length

function limitsBetween(before: PolicySet, after: PolicySet): readonly LimitDifference[] {
  const found: LimitDifference[] = []
  /** @param isWider undefined where both are the same */
  const add = (isWider: boolean | undefined, what: string): void => {
    if (isWider !== undefined) found.push({ direction: isWider ? 'wider' : 'narrower', what })
  }
  const keys = new Set([...Object.keys(before.budget), ...Object.keys(after.budget)] as (keyof Budget)[])
  for (const key of keys) {
    // Bits that no budget names are none; of all else that is not named there is as much as the kernel gives.
    const none = key === 'bits' ? 0 : Number.POSITIVE_INFINITY
    const [was, is] = [before.budget[key] ?? none, after.budget[key] ?? none]
    const text = (value: number): string => (Number.isFinite(value) ? String(value) : 'what the kernel gives')
    add(was === is ? undefined : is > was, `the budget of ${key} is ${text(is)}, and was ${text(was)}`)
  }
  if (before.cell !== after.cell)
    add(
      after.cell === 'shared',
      after.cell === 'shared'
        ? 'a cell is shared, and was a process’s own'
        : 'a cell is a process’s own, and was shared',
    )
  if (before.mode !== after.mode)
    add(after.mode === 'observe', after.mode === 'observe' ? 'nothing is enforced' : 'the rules are enforced')
  for (const signal of raisedSignals) {
    const [was, is] = [before.signals[signal], after.signals[signal]]
    const isMilder = signalActions.indexOf(is) > signalActions.indexOf(was)
    add(was === is ? undefined : isMilder, `${signal} does ${is}, and did ${was}`)
  }
  const repeats = ({ loopRepeats = limits.loopRepeats }: PolicySet): number => loopRepeats
  if (repeats(before) !== repeats(after))
    add(
      repeats(after) > repeats(before),
      `SIGLOOP is raised after ${repeats(after)} repeats, and was after ${repeats(before)}`,
    )
  return widerFirst(found)
}
