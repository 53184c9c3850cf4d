/** A record in figures, in one pass and bounded memory. */
import { limits } from '../../limits.ts'
import type { Entry } from '../entry.ts'
import { decisionOf, isObject, nameOf, numberOf, payloadsOf, processOf, textOf } from './fields.ts'
import { Newest } from './newest.ts'

/** Calls of one syscall, by what became of them. */
export interface CallCounts {
  readonly permit: number
  readonly ask: number
  /** Admitted without a say of the policy. */
  readonly unjudged: number
  /** Refused by the policy, or by a person that it asked. */
  readonly forbid: number
  /** Refused for another reason, such as a wrong argument or a budget. */
  readonly refused: number
}

/** As processes count it, those of a run together; of one that has not ended nothing is on record. */
export interface Costs {
  readonly cpuMs: number
  readonly syscalls: number
  readonly tokens: number
  readonly costUsd: number
}

export interface Stats {
  readonly entries: number
  /** Kernel time of the first and the last entry, ms since 1970; undefined for an empty record. */
  readonly span: { readonly first: number; readonly last: number } | undefined
  /** Kernels that began to write. */
  readonly kernels: number
  /** First processes: each begins a run. */
  readonly runs: number
  readonly processes: number
  /** Processes by how they ended; `running` are those of which no end is on record. */
  readonly ended: Readonly<Record<string, number>>
  readonly kinds: Readonly<Record<string, number>>
  readonly calls: Readonly<Record<string, CallCounts>>
  /** Admitted calls by how they ended; `unsettled` where that is not on record. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Refusals by the rule that forbade, `no rule` where none permitted, and by errno where no policy decided. */
  readonly refusals: Readonly<Record<string, number>>
  /** How requests for approval ended. */
  readonly answers: Readonly<Record<string, number>>
  /** Payloads that entries name, shared ones each time, and their bytes. */
  readonly payloads: { readonly count: number; readonly bytes: number }
  readonly costs: Costs
}

const noCalls: CallCounts = { permit: 0, ask: 0, unjudged: 0, forbid: 0, refused: 0 }
const others = '(others)'

export class StatsCounter {
  #entries = 0
  #span: { first: number; last: number } | undefined
  #runs = 0
  #processes = 0
  /** First processes that run: what their children use is charged to them, and is counted once. */
  readonly #roots = new Newest<string, true>()
  readonly #ended = new Map<string, number>()
  readonly #kinds = new Map<string, number>()
  readonly #calls = new Map<string, { -readonly [K in keyof CallCounts]: number }>()
  readonly #outcomes = new Map<string, number>()
  readonly #refusals = new Map<string, number>()
  readonly #answers = new Map<string, number>()
  readonly #payloads = { count: 0, bytes: 0 }
  readonly #costs = { cpuMs: 0, syscalls: 0, tokens: 0, costUsd: 0 }

  add(entry: Entry): void {
    this.#entries += 1
    this.#span = { first: this.#span?.first ?? entry.time, last: entry.time }
    bump(this.#kinds, entry.kind)
    for (const [, { bytes }] of payloadsOf(entry)) {
      this.#payloads.count += 1
      this.#payloads.bytes += bytes
    }
    if (entry.kind === 'spawn') this.#spawned(entry)
    if (entry.kind === 'exit') this.#exited(entry)
    if (entry.kind === 'intent') this.#call(entry, decisionOf(entry)?.effect ?? 'unjudged')
    if (entry.kind === 'refusal') this.#refused(entry)
    if (entry.kind === 'outcome') bump(this.#outcomes, textOf(entry.status))
    if (entry.kind === 'answer') bump(this.#answers, textOf(entry.answer))
  }

  #spawned(entry: Entry): void {
    this.#processes += 1
    if (entry.ppid !== 0) return
    this.#runs += 1
    this.#roots.set(processOf(entry), true)
  }

  #exited(entry: Entry): void {
    bump(this.#ended, [textOf(entry.status), textOf(entry.signal)].filter(Boolean).join(' by '))
    const isRoot = this.#roots.take(processOf(entry)) === true
    if (!isRoot || !isObject(entry.usage)) return
    for (const name of ['cpuMs', 'syscalls', 'tokens', 'costUsd'] as const)
      this.#costs[name] += numberOf(entry.usage[name]) ?? 0
  }

  #call(entry: Entry, effect: string): void {
    const name = textOf(entry.syscall)
    const key = this.#calls.has(name) || this.#calls.size < limits.reportNamesMax ? name : others
    const counts = this.#calls.get(key) ?? { ...noCalls }
    if (Object.hasOwn(counts, effect)) counts[effect as keyof CallCounts] += 1
    this.#calls.set(key, counts)
  }

  #refused(entry: Entry): void {
    const decision = decisionOf(entry)
    const isByPolicy = decision !== undefined && decision.effect !== 'permit'
    this.#call(entry, isByPolicy ? 'forbid' : 'refused')
    if (decision === undefined || decision.effect === 'permit')
      return bump(this.#refusals, textOf(entry.code))
    const rules = decision.rules.map(nameOf)
    for (const rule of rules.length === 0 ? ['no rule'] : rules) bump(this.#refusals, rule)
  }

  result(): Stats {
    const ended = sum(this.#ended.values())
    const unsettled = (this.#kinds.get('intent') ?? 0) - sum(this.#outcomes.values())
    return {
      entries: this.#entries,
      span: this.#span,
      kernels: this.#kinds.get('open') ?? 0,
      runs: this.#runs,
      processes: this.#processes,
      ended: { ...sorted(this.#ended), ...some('running', this.#processes - ended) },
      kinds: sorted(this.#kinds),
      calls: Object.fromEntries([...this.#calls].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      outcomes: { ...sorted(this.#outcomes), ...some('unsettled', unsettled) },
      refusals: sorted(this.#refusals),
      answers: sorted(this.#answers),
      payloads: { ...this.#payloads },
      costs: { ...this.#costs, cpuMs: Math.round(this.#costs.cpuMs * 1_000) / 1_000 },
    }
  }
}

function bump(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < limits.reportNamesMax ? name : others
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** The most frequent first; of equal ones in the order of their names, so that figures repeat. */
const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)))

const some = (name: string, count: number): Record<string, number> => (count > 0 ? { [name]: count } : {})

const sum = (counts: Iterable<number>): number => [...counts].reduce((all, count) => all + count, 0)
