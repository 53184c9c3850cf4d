/** What a rule demands beside: how often it may be used. Every rule that permits or asks has its say, also beside one that demands nothing. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Obligation, Rule, RuleDocument, RuleRef } from './types.ts'
import { durationPattern, parseDuration } from './units.ts'

/** What a rule demands of a run: of a first process and all below it together. */
type Demands = Rule['demands']

/**
 * @param document a rule that fits the schema
 * @returns what it demands; undefined where it demands nothing
 * @throws KernelError EINVAL with what is wrong and what to write
 */
export function readDemands({ once, rateLimit, effect }: RuleDocument): Demands {
  if (once === undefined && rateLimit === undefined) return undefined
  const key = once === undefined ? 'rateLimit' : 'once'
  if (effect === 'forbid')
    throw new KernelError('EINVAL', `\`${key}\` belongs to rules that permit or ask, and this one forbids`)
  if (rateLimit === undefined) return Object.freeze({ once: true })
  const perMs = parseDuration(rateLimit.per)
  if (perMs === 0)
    throw new KernelError('EINVAL', '`per` is no time at all, in which any number of calls would fit')
  return Object.freeze({
    ...(once !== undefined && { once }),
    rateLimit: Object.freeze({ calls: rateLimit.calls, perMs }),
  })
}

/** @returns the demands of rules whose terms hold, each rule once */
export function obligationsOf(
  rules: readonly { readonly rule: Rule; readonly ref: RuleRef }[],
): readonly Obligation[] {
  return rules.flatMap(({ rule: { demands }, ref }) =>
    demands === undefined ? [] : [{ rule: ref, ...demands }],
  )
}

/** The form of both keys, for the schema. */
export const demandsSchema = {
  once: { const: true, description: 'the rule lets one call of a run through, its children included' },
  rateLimit: {
    description: 'how many calls of a run, its children included, the rule lets through in any such time',
    type: 'object',
    additionalProperties: false,
    required: ['calls', 'per'],
    properties: {
      calls: { type: 'integer', minimum: 1, maximum: limits.rateCallsMax, description: 'how many' },
      per: { type: 'string', pattern: durationPattern, description: 'a duration, such as 1m' },
    },
  },
}
