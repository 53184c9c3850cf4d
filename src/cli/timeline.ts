/** A record as rows for people: an admitted call and its end are one row, everything else one each. */
import type { Entry } from '../evidence/entry.ts'

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
  outcome: string
}

/** Picks rows; an absent field fits all. */
export interface TimelineFilter {
  readonly run?: string
  readonly pid?: number
  readonly kind?: string
}

export interface Timeline {
  /** The latest rows, oldest first. */
  readonly rows: readonly TimelineRow[]
  /** Earlier rows that were left out. */
  readonly earlier: number
}

/**
 * @param entries a record, oldest first
 * @param rowsMax as many rows are kept, the latest ones
 */
export function readTimeline(entries: Iterable<Entry>, filter: TimelineFilter, rowsMax: number): Timeline {
  const rows: TimelineRow[] = []
  const unsettled = new Map<number, TimelineRow>()
  const agents = new Map<string, string>()
  let earlier = 0
  for (const entry of entries) {
    if (entry.kind === 'spawn') agents.set(processOf(entry), textOf(entry.agent))
    const row = makeRow(entry, textOf(entry.agent) || (agents.get(processOf(entry)) ?? ''))
    if (entry.kind === 'exit') agents.delete(processOf(entry))
    const began = beganAt(entry)
    const call = began === undefined ? undefined : unsettled.get(began)
    if (began !== undefined) unsettled.delete(began)
    if (call !== undefined) call.outcome = row.outcome
    if (entry.kind === 'intent' || entry.kind === 'ask') unsettled.set(entry.seq, row)
    if (!fits(row, filter)) continue
    rows.push(row)
    if (rows.length > rowsMax) earlier += rows.splice(0, 1).length
  }
  return { rows, earlier }
}

/** @returns the `seq` of the entry whose end this one is */
function beganAt({ kind, intent, ask }: Entry): number | undefined {
  if (kind === 'outcome') return Number(intent)
  return kind === 'answer' ? Number(ask) : undefined
}

/** An end of a call stands in the row of the call, unless ends are what is asked for. */
const fits = (row: TimelineRow, { run, pid, kind }: TimelineFilter): boolean =>
  (run === undefined || row.run === run) &&
  (pid === undefined || row.pid === pid) &&
  (kind === undefined ? row.kind !== 'outcome' && row.kind !== 'answer' : row.kind === kind)

const processOf = ({ run, pid }: Entry): string => `${run} ${pid}`

function makeRow(entry: Entry, agent: string): TimelineRow {
  return {
    seq: entry.seq,
    time: isoTime(entry.time),
    kind: entry.kind,
    run: entry.run ?? '',
    pid: entry.pid ?? null,
    agent,
    what: whatOf(entry),
    resource: textOf(entry.resource),
    decision: decisionOf(entry.decision),
    outcome: outcomeOf(entry),
  }
}

function whatOf(entry: Entry): string {
  switch (entry.kind) {
    case 'intent':
    case 'refusal':
    case 'ask':
    case 'host':
      return textOf(entry.syscall)
    case 'outcome':
      return `end of ${textOf(entry.intent)}`
    case 'answer':
      return `answer to ${textOf(entry.ask)}`
    case 'signal':
      return textOf(entry.signal)
    case 'state':
      return `${textOf(entry.from)} → ${textOf(entry.to)}`
    case 'open':
    case 'reload':
      return `${entry.kind}: policy ${textOf(entry.policies)}`
    case 'repair':
      return `repair: ${textOf(entry.file)}`
    default:
      return entry.kind
  }
}

function outcomeOf(entry: Entry): string {
  switch (entry.kind) {
    case 'intent':
      return 'unsettled'
    case 'outcome':
      return [entry.status, entry.code].map(textOf).filter(Boolean).join(' ')
    case 'ask':
      return 'unanswered'
    case 'answer':
      return `${[`${textOf(entry.answer)} by ${textOf(entry.by)}`, textOf(entry.reason)].filter(Boolean).join(': ')}`
    case 'refusal':
      return `refused ${textOf(entry.code)}: ${textOf(entry.reason)}`
    case 'exit':
      return [entry.status, entry.signal, entry.reason].map(textOf).filter(Boolean).join(': ')
    case 'signal':
      return textOf(entry.by)
    case 'repair':
      return `${textOf(entry.bytes)} bytes cut, kept in ${textOf(entry.kept)}`
    default:
      return ''
  }
}

function decisionOf(decision: unknown): string {
  if (!isObject(decision)) return ''
  const { effect, rules, observed } = decision
  const by = rulesOf(rules)
  const seen = isObject(observed)
    ? `; observed: ${textOf(observed.effect)} ${rulesOf(observed.rules)}`.trimEnd()
    : ''
  return `${textOf(effect)}${by === '' ? '' : ` by ${by}`}${seen}`
}

const rulesOf = (rules: unknown): string =>
  Array.isArray(rules)
    ? rules.map((rule) => (isObject(rule) ? `${textOf(rule.policy)}:${textOf(rule.id)}` : '')).join(', ')
    : ''

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

/** A record that was tampered with may hold any number as its time. */
function isoTime(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString()
}
