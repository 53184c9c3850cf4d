/** What a rule demands beside: how often it may be used, what its results carry. Every rule that permits or asks has its say, also beside one that demands nothing. */
import { KernelError } from '../errors.ts'
import { joinLabels, type Labels, labelPattern, noLabels, readLabels } from '../labels.ts'
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
export function readDemands(rule: RuleDocument): Demands {
  const demands = { ...readLimits(rule), ...readLabel(rule) }
  return Object.keys(demands).length === 0 ? undefined : Object.freeze(demands)
}

/** What a call brings back is nothing where it is forbidden. */
export function readLabel({ label, effect }: RuleDocument): Pick<NonNullable<Demands>, 'label'> {
  if (label === undefined) return {}
  if (effect === 'forbid')
    throw new KernelError(
      'EINVAL',
      '`label` belongs to rules that permit or ask; what is forbidden brings nothing back',
    )
  return { label: readLabels(label, '`label`') }
}

/** @throws KernelError EINVAL, as readDemands */
export function readLimits({ once, rateLimit, effect }: RuleDocument): Omit<NonNullable<Demands>, 'label'> {
  if (once === undefined && rateLimit === undefined) return {}
  const key = once === undefined ? 'rateLimit' : 'once'
  if (effect === 'forbid')
    throw new KernelError('EINVAL', `\`${key}\` belongs to rules that permit or ask, and this one forbids`)
  if (rateLimit === undefined) return { once: true }
  const perMs = parseDuration(rateLimit.per)
  if (perMs === 0)
    throw new KernelError('EINVAL', '`per` is no time at all, in which any number of calls would fit')
  return {
    ...(once !== undefined && { once }),
    rateLimit: Object.freeze({ calls: rateLimit.calls, perMs }),
  }
}

/** @returns the demands of rules whose terms hold, each rule once */
export function obligationsOf(
  rules: readonly { readonly rule: Rule; readonly ref: RuleRef }[],
): readonly Obligation[] {
  return rules.flatMap(({ rule: { demands }, ref }) =>
    demands === undefined ? [] : [{ rule: ref, ...demands }],
  )
}

/** @returns what a rule demands beside, as clauses for people; empty where that is nothing */
export function demandTexts({ demands }: Rule): readonly string[] {
  const { once, rateLimit, label } = demands ?? {}
  return [
    ...(once ? ['once in a run'] : []),
    ...(rateLimit === undefined ? [] : [`at most ${rateLimit.calls} in any ${rateLimit.perMs} ms of a run`]),
    ...(label === undefined ? [] : [`what comes back is labelled ${label.join(', ')}`]),
  ]
}

/** @returns all labels that obligations give to a result */
export const labelsGiven = (obligations: readonly Obligation[]): Labels =>
  obligations.reduce((labels, { label = noLabels }) => joinLabels(labels, label), noLabels)

/** The form of the keys, for the schema. */
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
  label: {
    description: 'labels of what comes back from the call, on rules that permit or ask',
    type: 'array',
    items: { type: 'string', maxLength: limits.labelLengthMax, pattern: labelPattern },
    minItems: 1,
    maxItems: limits.labelsMax,
    uniqueItems: true,
  },
}
