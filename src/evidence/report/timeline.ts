/** A record as rows for people: an admitted call and its end are one row, everything else one each. */
import { limits } from '../../limits.ts'
import type { Entry } from '../entry.ts'
import {
  beganAt,
  begins,
  decisionOf,
  isObject,
  isoTime,
  type NamedRule,
  nameOf,
  numberOf,
  processOf,
  textOf,
  textsOf,
} from './fields.ts'
import { Newest } from './newest.ts'
import { type EntryQuery, fits, isLabelled } from './query.ts'

export interface TimelineRow {
  readonly seq: number
  /** ISO 8601, UTC, with milliseconds. */
  readonly time: string
  readonly kind: string
  readonly run: string
  readonly pid: number | null
  readonly agent: string
  /** The syscall, or what happened to the process or kernel. */
  readonly what: string
  readonly resource: string
  /** What was decided, and the deciding rules. */
  readonly decision: string
  /** How it ended; `unsettled` where that is not on record. */
  readonly outcome: string
}

/** A row on its way: its end may come later. */
interface Slot {
  readonly entry: Entry
  readonly agent: string
  end: Entry | undefined
  isOpen: boolean
}

/** @returns every row of the entries that fits, oldest first */
export function* rowsOf(entries: Iterable<Entry>, query: EntryQuery = {}): Generator<TimelineRow> {
  const timeline = new Timeline(query)
  for (const entry of entries) yield* timeline.add(entry)
  yield* timeline.end()
}

/**
 * Rows come in the order in which they began, each when its end is known. Where that takes longer than
 * `limits.reportRowsHeld` rows, the end becomes a row of its own, so that memory is bounded.
 */
export class Timeline {
  readonly #query: EntryQuery
  readonly #agents = new Newest<string, string>()
  readonly #open = new Newest<number, Slot>()
  #slots: Slot[] = []

  constructor(query: EntryQuery) {
    this.#query = query
  }

  /** @returns the rows that are whole now */
  add(entry: Entry): readonly TimelineRow[] {
    const agent = this.#agentOf(entry)
    this.#end(entry)
    if (this.#isCandidate(entry, agent)) {
      const slot = { entry, agent, end: undefined, isOpen: begins(entry) }
      this.#slots.push(slot)
      if (slot.isOpen) this.#open.set(entry.seq, slot)
    }
    return this.#release(limits.reportRowsHeld)
  }

  /** @returns what is left when the record is at its end */
  end(): readonly TimelineRow[] {
    for (const slot of this.#slots) slot.isOpen = false
    return this.#release(0)
  }

  #agentOf(entry: Entry): string {
    const named = textOf(entry.agent)
    if (entry.kind === 'spawn') this.#agents.set(processOf(entry), named)
    const agent = named || (this.#agents.get(processOf(entry)) ?? '')
    if (entry.kind === 'exit') this.#agents.take(processOf(entry))
    return agent
  }

  /** An end stands in the row of what it ends, unless that row was shown already, or ends are what is asked for. */
  #end(entry: Entry): void {
    const began = beganAt(entry)
    const slot = began === undefined ? undefined : this.#open.take(began)
    if (slot === undefined) return
    slot.end = entry
    if (slot.isOpen) slot.isOpen = false
    else if (this.#query.kinds === undefined)
      this.#slots.push({ entry, agent: slot.agent, end: undefined, isOpen: false })
  }

  #isCandidate(entry: Entry, agent: string): boolean {
    if (beganAt(entry) !== undefined && this.#query.kinds === undefined) return false
    return fits(entry, agent, this.#query)
  }

  #release(heldMax: number): readonly TimelineRow[] {
    const rows: TimelineRow[] = []
    let done = 0
    for (const slot of this.#slots) {
      if (slot.isOpen && this.#slots.length - done <= heldMax) break
      done += 1
      const isLate = slot.isOpen
      slot.isOpen = false
      if (isShown(slot, this.#query)) rows.push(makeRow(slot, isLate))
    }
    if (done > 0) this.#slots = this.#slots.slice(done)
    return rows
  }
}

/** A call is labelled by what its process carried or by what its result did. */
const isShown = ({ entry, end }: Slot, query: EntryQuery): boolean =>
  isLabelled(entry, query) || (end !== undefined && isLabelled(end, query))

/** @param isLate whether its end may be on record, and was waited for long enough */
function makeRow({ entry, agent, end }: Slot, isLate: boolean): TimelineRow {
  const later = isLate ? 'ends later' : undefined
  return {
    seq: entry.seq,
    time: isoTime(entry.time),
    kind: entry.kind,
    run: entry.run ?? '',
    pid: entry.pid ?? null,
    agent,
    what: whatOf(entry),
    resource: entry.kind === 'spawn' ? `run ${textOf(entry.run)}` : textOf(entry.resource),
    decision: decisionText(entry),
    outcome: end === undefined ? (later ?? outcomeOf(entry)) : outcomeOf(end),
  }
}

/** @returns in a few words what an entry says */
export function whatOf(entry: Entry): string {
  switch (entry.kind) {
    case 'intent':
    case 'refusal':
    case 'ask':
    case 'host':
      return textOf(entry.syscall)
    case 'outcome':
      return `end of ${textOf(entry.intent)}`
    case 'charge':
      return `end of the stream of ${textOf(entry.intent)}`
    case 'answer':
      return `answer to ${textOf(entry.ask)}`
    case 'signal':
      return textOf(entry.signal)
    case 'state':
      return `${textOf(entry.from)} → ${textOf(entry.to)}`
    case 'turn':
      return `turn ${textOf(entry.turn)}`
    case 'declassify':
      return `declassify ${textsOf(entry.labels).join(', ')}`
    case 'open':
    case 'reload':
      return `${entry.kind}: policy ${textOf(entry.policies)}`
    case 'repair':
      return `repair: ${textOf(entry.file)}`
    default:
      return entry.kind
  }
}

/** @returns how it ended, as far as one entry says */
export function outcomeOf(entry: Entry): string {
  switch (entry.kind) {
    case 'intent':
      return 'unsettled'
    case 'outcome':
    case 'charge':
      return [[entry.status, entry.code].map(textOf).filter(Boolean).join(' '), costText(entry)]
        .filter(Boolean)
        .join(', ')
    case 'ask':
      return 'unanswered'
    case 'answer':
      return [`${textOf(entry.answer)} by ${textOf(entry.by)}`, textOf(entry.reason)]
        .filter(Boolean)
        .join(': ')
    case 'refusal':
      return `refused ${textOf(entry.code)}: ${textOf(entry.reason)}`
    case 'exit':
      return [entry.status, entry.signal, entry.reason].map(textOf).filter(Boolean).join(': ')
    case 'signal':
      return textOf(entry.by)
    case 'declassify':
      return [`by ${textOf(entry.by)}`, textOf(entry.reason)].filter(Boolean).join(': ')
    case 'repair':
      return `${textOf(entry.bytes)} bytes cut, kept in ${textOf(entry.kept)}`
    default:
      return ''
  }
}

/** @returns what a model has cost, as far as that is on record */
function costText({ cost }: Entry): string {
  if (!isObject(cost)) return ''
  const tokens = numberOf(cost.tokens)
  const dollars = numberOf(cost.costUsd)
  return [tokens === undefined ? '' : `${tokens} tokens`, dollars === undefined ? '' : `${dollars} USD`]
    .filter(Boolean)
    .join(', ')
}

function decisionText(entry: Entry): string {
  const decision = decisionOf(entry)
  if (decision === undefined) return ''
  const { effect, rules, observed } = decision
  const by = namesOf(rules)
  const seen = observed === undefined ? '' : `; observed: ${observed.effect} ${namesOf(observed.rules)}`
  return `${effect}${by === '' ? '' : ` by ${by}`}${seen.trimEnd()}`
}

const namesOf = (rules: readonly NamedRule[]): string => rules.map(nameOf).join(', ')
