/** What a policy says about everything below a folder, from its patterns alone. */
import { isAction } from './actions.ts'
import { type CompiledRule, matchesPrincipal } from './compiled-rule.ts'
import { matchesAllBelow, mayMatchBelow, readPath } from './paths.ts'
import type { CompiledPolicy } from './rules.ts'

/**
 * Certain only where one rule permits all that can lie below always, and no rule that could refuse could match any of it.
 * @param actions each on its own
 * @param folder a normalised absolute path
 * @returns false also for what cannot be judged
 */
export function permitsBelow(
  { policy, rules }: CompiledPolicy,
  principal: string,
  actions: readonly string[],
  folder: string,
): boolean {
  // What another language says of a folder's files is known only by asking about each.
  if (policy.engine !== undefined) return false
  const readings = readPath(folder)
  if (typeof readings === 'string') return false
  return actions.every((action) => {
    const candidates = isAction(action) ? rules.get(action) : undefined
    // What extends another leaves the permit to that one.
    const abstains = policy.extends !== undefined
    if (candidates === undefined) return abstains
    const about = (rule: CompiledRule): boolean => matchesPrincipal(rule, principal)
    const permits = candidates.permit.filter(about)
    const permitting = permits.filter(isPlain)
    // What permits under a condition, or so often, may refuse one of many files; what redacts or labels is gone round by a move.
    const refusing = [...candidates.forbid, ...candidates.ask, ...permits].filter(
      (rule) => about(rule) && !permitting.includes(rule),
    )
    return readings.every(
      (parts) =>
        !refusing.some((rule) => hasPattern(rule, (pattern) => mayMatchBelow(pattern, parts))) &&
        (abstains ||
          permitting.some((rule) => hasPattern(rule, (pattern) => matchesAllBelow(pattern, parts)))),
    )
  })
}

/** Whether a permit lets a call through whatever it holds, as often as it is asked, as it is; what is kept of it is all the same. */
const isPlain = ({ always, rule: { demands = {} } }: CompiledRule): boolean =>
  always && Object.keys(demands).every((key) => key === 'log')

/** A rule without patterns is about any resource. */
const hasPattern = ({ rule }: CompiledRule, fits: (pattern: string) => boolean): boolean =>
  rule.resources === undefined || rule.resources.some(fits)
