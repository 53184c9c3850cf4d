/** One call as it is on record: what was asked, by whom, and what was said to it. */
import { SyscallError } from '../errors.ts'
import type { Entry, PayloadRef } from '../evidence/entry.ts'
import { EvidenceError } from '../evidence/store.ts'
import { type Json, parseGuestJson } from '../json.ts'
import { type Labels, noLabels } from '../labels.ts'
import { limitReason } from '../proc/tallies.ts'
import { findSyscall, syscalls } from '../syscalls.ts'

/** What was said to a call. `limited`: a rule lets it through, and has done so as often as it may. */
export const answers = ['permit', 'ask', 'forbid', 'limited'] as const
export type Answer = (typeof answers)[number]

export interface RecordedCall {
  readonly seq: number
  readonly time: number
  /** `intent`: it was admitted; `refusal`: it was not; `ask`: it has no end on record. */
  readonly kind: 'intent' | 'refusal' | 'ask'
  readonly run: string
  readonly pid: number
  readonly agent: string
  /** The process's own number of the call. */
  readonly number: number
  readonly syscall: string
  /** As it is shown: without data that a rule looked for. */
  readonly resource: string | undefined
  readonly args: PayloadRef | undefined
  readonly labels: Labels
  /** What the policy said, by which rules (policy and id); undefined where it was not asked, or that is not on record. */
  readonly before:
    | { readonly answer: Answer; readonly rules: readonly (readonly [string, string])[] }
    | undefined
}

/** What marks data that was taken out of a resource before it went on record. */
export const isShownOnly = (resource: string): boolean => resource.includes('[redacted ')

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws EvidenceError EIO for what no kernel writes */
export function readCall(entry: Entry): RecordedCall {
  const { seq, time, kind, run, pid, agent, call, syscall, resource } = entry
  if (kind !== 'intent' && kind !== 'refusal' && kind !== 'ask') throw unsound(entry)
  if (typeof run !== 'string' || typeof pid !== 'number' || typeof agent !== 'string') throw unsound(entry)
  if (typeof call !== 'number' || typeof syscall !== 'string') throw unsound(entry)
  return {
    ...{ seq, time, kind, run, pid, agent, syscall, number: call },
    resource: typeof resource === 'string' ? resource : undefined,
    args: refOf(entry.args),
    labels: labelsOf(entry),
    // What an open stream stands on is asked again when it is used, and belongs to the call that opened it.
    before: isJudged(syscall) ? beforeOf(entry) : undefined,
  }
}

const isJudged = (syscall: string): boolean =>
  !Object.hasOwn(syscalls, syscall) || findSyscall(syscall).judge !== undefined

/** @returns a reference to a payload, where the value is one */
export function refOf(value: unknown): PayloadRef | undefined {
  if (!isFields(value) || typeof value.hash !== 'string' || typeof value.bytes !== 'number') return undefined
  return { hash: value.hash, bytes: value.bytes }
}

/** @throws EvidenceError EIO for what are no labels */
export function labelsOf(entry: Entry): Labels {
  const { labels } = entry
  if (labels === undefined) return noLabels
  if (Array.isArray(labels) && labels.every((each) => typeof each === 'string')) return labels
  throw unsound(entry)
}

export const unsound = ({ seq, kind }: Entry): EvidenceError =>
  new EvidenceError('EIO', `entry ${seq} of the evidence is no sound \`${String(kind)}\`; verify it`)

function beforeOf(entry: Entry): RecordedCall['before'] {
  const { decision } = entry
  if (!isFields(decision)) return undefined
  const { effect, rules = [] } = decision
  if (effect !== 'permit' && effect !== 'ask' && effect !== 'forbid') return undefined
  if (!Array.isArray(rules)) throw unsound(entry)
  const named = rules.map((rule: unknown) => {
    if (isFields(rule) && typeof rule.policy === 'string' && typeof rule.id === 'string')
      return [rule.policy, rule.id] as const
    throw unsound(entry)
  })
  return { answer: effect !== 'forbid' && isLimited(entry) ? 'limited' : effect, rules: named }
}

/** Nothing else refuses what was permitted and says by which rule; of what was asked about, the reason tells. */
const isLimited = ({ kind, decision, reason }: Entry): boolean =>
  kind === 'refusal' &&
  ((isFields(decision) && decision.effect === 'permit') ||
    (typeof reason === 'string' && limitReason.test(reason)))

/** @returns what a text of the record holds; undefined where there is none, or it is no JSON that a kernel takes */
export function readJson(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined
  try {
    return parseGuestJson(text)
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}
