/** What stands in an entry, read without trust: one that was tampered with may hold anything anywhere. */
import type { Entry, PayloadRef } from '../entry.ts'

export type Fields = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @returns the text or number as text; nothing for anything else */
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

/** @returns the texts of a list; none for anything else */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** @returns the number; undefined for what is none, or none that can be counted with */
export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

/** Payloads that the entry names, by its fields. */
export function payloadsOf(entry: Entry): readonly (readonly [field: string, ref: PayloadRef])[] {
  return Object.entries(entry).flatMap(([field, value]) => {
    if (!isObject(value) || typeof value.hash !== 'string' || typeof value.bytes !== 'number') return []
    return [[field, { hash: value.hash, bytes: value.bytes }] as const]
  })
}

/** A rule that decided, as an entry names it. */
export interface NamedRule {
  readonly policy: string
  readonly id: string
  readonly line: number | undefined
}

/** @returns `policy:id` */
export const nameOf = ({ policy, id }: NamedRule): string => `${policy}:${id}`

/** What was decided about a call. */
export interface NamedDecision {
  readonly effect: string
  readonly rules: readonly NamedRule[]
  /** The hash of the policies that were asked; empty where none was. */
  readonly policy: string
  /** What an observing policy would have done. */
  readonly observed: { readonly effect: string; readonly rules: readonly NamedRule[] } | undefined
}

/** @returns undefined where the entry holds no decision */
export function decisionOf({ decision }: Entry): NamedDecision | undefined {
  if (!isObject(decision)) return undefined
  const { effect, rules, policy, observed } = decision
  return {
    effect: textOf(effect),
    rules: rulesOf(rules),
    policy: textOf(policy),
    observed: isObject(observed)
      ? { effect: textOf(observed.effect), rules: rulesOf(observed.rules) }
      : undefined,
  }
}

function rulesOf(rules: unknown): readonly NamedRule[] {
  if (!Array.isArray(rules)) return []
  return rules
    .filter(isObject)
    .map(({ policy, id, line }) => ({ policy: textOf(policy), id: textOf(id), line: numberOf(line) }))
}

/** @returns the `seq` of the entry whose end this one is */
export function beganAt({ kind, intent, ask }: Entry): number | undefined {
  if (kind === 'outcome') return numberOf(intent)
  return kind === 'answer' ? numberOf(ask) : undefined
}

/** Whether the entry begins what another ends. */
export const begins = ({ kind }: Entry): boolean => kind === 'intent' || kind === 'ask'

/** One process of a record: a pid alone begins anew with every kernel. */
export const processOf = ({ run, pid }: Entry): string => `${pid ?? ''} ${run ?? ''}`

/** @returns ISO 8601, UTC, with milliseconds; what is no time as it is */
export function isoTime(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString()
}
