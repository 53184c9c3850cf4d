/** What a rule demands beside: how often a permit may be used, what is taken out of what comes back, what is kept of the call. */
import { KernelError } from '../errors.ts'
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
export function readDemands(document: RuleDocument): Demands {
  const { once, rateLimit, redact, log } = document
  const key = misplacedDemand(document)
  if (key !== undefined) {
    const where = key === 'once' || key === 'rateLimit' ? 'permit' : 'permit or ask'
    throw new KernelError('EINVAL', `\`${key}\` belongs to rules that ${where}, and this one does not`)
  }
  const demands = {
    ...(once !== undefined && { once }),
    ...(rateLimit !== undefined && { rateLimit: readRate(rateLimit) }),
    ...(redact !== undefined && { redact: Object.freeze([...redact]) }),
    ...(log === 'digest' && { log }),
  }
  return Object.keys(demands).length === 0 ? undefined : Object.freeze(demands)
}

function readRate({ calls, per }: { readonly calls: number; readonly per: string }) {
  const perMs = parseDuration(per)
  if (perMs === 0)
    throw new KernelError('EINVAL', '`per` is no time at all, in which any number of calls would fit')
  return Object.freeze({ calls, perMs })
}

/** @returns a key that says something of what this rule does not do */
export function misplacedDemand(document: RuleDocument): string | undefined {
  const { effect } = document
  if (effect === 'permit') return undefined
  const keys = effect === 'ask' ? counting : [...counting, ...showing]
  return keys.find((key) => document[key] !== undefined)
}

const counting = ['once', 'rateLimit'] as const
const showing = ['redact', 'log'] as const

/** @returns the demands of rules that permit, each rule once */
export function obligationsOf(
  rules: readonly { readonly rule: Rule; readonly ref: RuleRef }[],
): readonly Obligation[] {
  return rules.flatMap(({ rule: { demands }, ref }) =>
    demands === undefined ? [] : [{ rule: ref, ...demands }],
  )
}

/** The form of the keys, for the schema. */
export const demandsSchema = {
  once: { const: true, description: 'the permit is used up by one call of a run, its children included' },
  rateLimit: {
    description: 'how many calls of a run, its children included, the permit allows in any such time',
    type: 'object',
    additionalProperties: false,
    required: ['calls', 'per'],
    properties: {
      calls: { type: 'integer', minimum: 1, maximum: limits.rateCallsMax, description: 'how many' },
      per: { type: 'string', pattern: durationPattern, description: 'a duration, such as 1m' },
    },
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
