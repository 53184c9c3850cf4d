/** What a rule demands beside: how often it may be used, what its results carry, what is taken out of them, what is kept of the call. Every rule that permits or asks has its say, also beside one that demands nothing. */
import { KernelError } from '../errors.ts'
import { joinLabels, type Labels, labelPattern, noLabels, readLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { dataKinds } from './detect/kinds.ts'
import type { Obligation, Rule, RuleDocument, RuleRef } from './types.ts'
import { durationPattern, parseDuration } from './units.ts'

/** Every rule that lets a call through has its say, also beside one that demands nothing. */
type Demands = Rule['demands']

/**
 * @param document a rule that fits the schema
 * @returns what it demands; undefined where it demands nothing
 * @throws KernelError EINVAL with what is wrong and what to write
 */
export function readDemands(rule: RuleDocument): Demands {
  const demands = { ...readLimits(rule), ...readLabel(rule), ...readShowing(rule) }
  return Object.keys(demands).length === 0 ? undefined : Object.freeze(demands)
}

type Part<Key extends keyof NonNullable<Demands>> = Pick<NonNullable<Demands>, Key>

/** What a call brings back is nothing where it is forbidden. */
export function readLabel({ label, effect }: RuleDocument): Part<'label'> {
  if (label === undefined) return {}
  assertNotForbidding('label', effect)
  return { label: readLabels(label, '`label`') }
}

/** @throws KernelError EINVAL, as readDemands */
export function readLimits({ once, rateLimit, effect }: RuleDocument): Part<'once' | 'rateLimit'> {
  if (once === undefined && rateLimit === undefined) return {}
  assertNotForbidding(once === undefined ? 'rateLimit' : 'once', effect)
  return {
    ...(once !== undefined && { once }),
    ...(rateLimit !== undefined && { rateLimit: readRate(rateLimit) }),
  }
}

/** @throws KernelError EINVAL, as readDemands */
export function readShowing({ redact, log, effect }: RuleDocument): Part<'redact' | 'log'> {
  if (redact === undefined && log === undefined) return {}
  assertNotForbidding(redact === undefined ? 'log' : 'redact', effect)
  return {
    ...(redact !== undefined && { redact: Object.freeze([...redact]) }),
    ...(log === 'digest' && { log }),
  }
}

function assertNotForbidding(key: string, effect: RuleDocument['effect']): void {
  if (effect === 'forbid')
    throw new KernelError('EINVAL', `\`${key}\` belongs to rules that permit or ask, and this one forbids`)
}

function readRate({ calls, per }: { readonly calls: number; readonly per: string }) {
  const perMs = parseDuration(per)
  if (perMs === 0)
    throw new KernelError('EINVAL', '`per` is no time at all, in which any number of calls would fit')
  return Object.freeze({ calls, perMs })
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
  const { once, rateLimit, label, redact, log } = demands ?? {}
  return [
    ...(once ? ['once in a run'] : []),
    ...(rateLimit === undefined ? [] : [`at most ${rateLimit.calls} in any ${rateLimit.perMs} ms of a run`]),
    ...(label === undefined ? [] : [`what comes back is labelled ${label.join(', ')}`]),
    ...(redact === undefined ? [] : [`${redact.join(', ')} are taken out of what comes back`]),
    ...(log === undefined ? [] : ['only a digest of it is kept']),
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
  redact: {
    description: 'kinds of data that are taken out of what comes back, before anybody sees it',
    type: 'array',
    items: { enum: dataKinds },
    minItems: 1,
    uniqueItems: true,
  },
  log: {
    enum: ['full', 'digest'],
    description: 'what is kept of arguments and result: all (where left out), or only a digest',
  },
}
