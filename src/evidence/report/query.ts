/** Which entries are asked for, by what stands in them. */
import type { Entry, EntryKind } from '../entry.ts'
import { decisionOf, type NamedRule, nameOf, textOf, textsOf } from './fields.ts'

/** Every part that is there has to fit. */
export interface EntryQuery {
  readonly run?: string
  readonly pid?: number
  readonly kinds?: readonly EntryKind[]
  /** What the policy decided. */
  readonly effect?: string
  /** A rule that decided, or would have: its id, or `policy:id`. */
  readonly rule?: string
  /** A label of the process, the call, its result or what was released. */
  readonly label?: string
  /** Its name, or the beginning of it and `*`. */
  readonly syscall?: string
  readonly agent?: string
  /** Kernel time, ms since 1970: from this on, and before that. */
  readonly after?: number
  readonly before?: number
  /** Turns of guests too, of which there are as many as of calls, where kinds are not named. */
  readonly turns?: boolean
}

/**
 * @param agent whose entry it is
 * @returns whether the entry fits, its labels apart
 */
export function fits(entry: Entry, agent: string, query: EntryQuery): boolean {
  const { run, pid, kinds, effect, rule, syscall, after, before, turns = false } = query
  return (
    (run === undefined || entry.run === run) &&
    (pid === undefined || entry.pid === pid) &&
    (kinds === undefined ? turns || entry.kind !== 'turn' : kinds.includes(entry.kind)) &&
    (after === undefined || entry.time >= after) &&
    (before === undefined || entry.time < before) &&
    (query.agent === undefined || agent === query.agent) &&
    (syscall === undefined || isNamed(textOf(entry.syscall), syscall)) &&
    (effect === undefined || decisionOf(entry)?.effect === effect) &&
    (rule === undefined || rulesOf(entry).some((each) => each.id === rule || nameOf(each) === rule))
  )
}

/** Whether the entry carries the label that is asked for. */
export const isLabelled = (entry: Entry, { label }: EntryQuery): boolean =>
  label === undefined || [...textsOf(entry.labels), ...textsOf(entry.released)].includes(label)

const isNamed = (name: string, wanted: string): boolean =>
  wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted

function rulesOf(entry: Entry): readonly NamedRule[] {
  const decision = decisionOf(entry)
  return decision === undefined ? [] : [...decision.rules, ...(decision.observed?.rules ?? [])]
}
