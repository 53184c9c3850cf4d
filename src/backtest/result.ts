/** What a backtest finds, counted in bounded memory: every kind of change is one row, with its first examples. */
import { limits } from '../limits.ts'
import type { RuleRef } from '../policy/types.ts'
import type { Answer, RecordedCall } from './call.ts'
import type { Doubt } from './doubts.ts'
import type { Rebuilt } from './rebuilt.ts'

/** How often; `after`: how many of them come in a run after its first change, where it would have gone on otherwise. */
export interface Count {
  calls: number
  after: number
}

export interface Example {
  /** The entry in the record. */
  readonly seq: number
  readonly run: string
  readonly pid: number
  readonly agent: string
  readonly syscall: string
  readonly resource: string
}

/** Calls to which the new policy gives the same other answer, by the same rules. */
export interface Row extends Count {
  readonly before: Answer
  readonly now: Answer
  /** Those that decide now; none where nothing permits. */
  readonly rules: readonly RuleRef[]
  /** Why, of the first. */
  readonly reason: string
  readonly examples: Example[]
}

export interface Undecided extends Count {
  readonly because: Doubt
  readonly examples: Example[]
}

/** A process whose budget the new policy would have used up. */
export interface Stopped {
  readonly run: string
  readonly pid: number
  readonly agent: string
  readonly budget: 'syscalls' | 'wallMs' | 'cpuMs' | 'tokens' | 'costUsd'
  readonly limit: number
  /** The first entry past it. */
  readonly seq: number
}

/** A run in which something changes. */
export interface ChangedRun {
  readonly run: string
  readonly agent: string
  /** Where it does first. */
  readonly seq: number
  /** Decisions in it after that. */
  after: number
}

export interface Backtest {
  /** Lines of the record that were read. */
  readonly entries: number
  /** Decisions on record that were taken again. */
  readonly decisions: number
  readonly same: Count
  /** The same answer by other rules. */
  readonly otherRules: Count
  readonly changed: Count
  readonly undecidable: Count
  /** Calls that something else ended than a policy: their form, a budget, a limit of the kernel. Nobody asked it, or it is not on record. */
  readonly notJudged: number
  readonly runs: number
  readonly runsChanged: number
  readonly rows: readonly Row[]
  /** Calls in rows that are not listed. */
  readonly moreRows: number
  readonly undecided: readonly Undecided[]
  readonly stopped: readonly Stopped[]
  readonly changedRuns: readonly ChangedRun[]
}

const noCount = (): Count => ({ calls: 0, after: 0 })

export class Tally {
  readonly #examplesMax: number
  readonly #rows = new Map<string, Row>()
  readonly #undecided = new Map<Doubt, Undecided>()
  readonly #stopped: Stopped[] = []
  readonly #changedRuns: ChangedRun[] = []
  /** Of runs that go on. */
  readonly #changes = new Map<string, ChangedRun>()
  readonly #counts = { same: noCount(), otherRules: noCount(), changed: noCount(), undecidable: noCount() }
  #moreRows = 0
  #runs = 0
  #runsChanged = 0
  notJudged = 0
  entries = 0

  constructor(examplesMax: number) {
    this.#examplesMax = examplesMax
  }

  run(): void {
    this.#runs += 1
  }

  over(run: string): void {
    this.#changes.delete(run)
  }

  same(call: RecordedCall): void {
    this.#count(this.#counts.same, call)
  }

  /** @param isOther whether the answer is another, or only the rules that give it */
  differs(
    call: RecordedCall,
    before: Answer,
    {
      answer,
      rules,
      reason,
    }: { readonly answer: Answer; readonly rules: readonly RuleRef[]; readonly reason: string },
  ): void {
    const isOther = answer !== before
    const after = this.#count(isOther ? this.#counts.changed : this.#counts.otherRules, call)
    const key = JSON.stringify([before, answer, rules.map(({ policy, id }) => [policy, id])])
    const row = this.#rows.get(key) ?? { before, now: answer, rules, reason, ...noCount(), examples: [] }
    if (this.#rows.size < limits.backtestRowsMax) this.#rows.set(key, row)
    if (!this.#rows.has(key)) this.#moreRows += 1
    this.#add(row, call, after)
    if (isOther) this.#diverges(call)
  }

  undecidable(call: RecordedCall, because: Doubt): void {
    const after = this.#count(this.#counts.undecidable, call)
    const row = this.#undecided.get(because) ?? { because, ...noCount(), examples: [] }
    this.#undecided.set(because, row)
    this.#add(row, call, after)
  }

  stopped(process: Rebuilt, what: Pick<Stopped, 'budget' | 'limit' | 'seq'>): void {
    const { identity, name: agent } = process
    const { run, pid } = identity
    if (this.#stopped.length < limits.backtestRowsMax) this.#stopped.push({ run, pid, agent, ...what })
    this.#diverges({ run, agent, seq: what.seq })
  }

  result(): Backtest {
    const rows = [...this.#rows.values()].sort((a, b) => b.calls - a.calls)
    const { same, otherRules, changed, undecidable } = this.#counts
    const decisions = same.calls + otherRules.calls + changed.calls + undecidable.calls
    return {
      ...{ entries: this.entries, decisions, same, otherRules, changed, undecidable },
      ...{ notJudged: this.notJudged, runs: this.#runs, runsChanged: this.#runsChanged },
      ...{ rows, moreRows: this.#moreRows, undecided: [...this.#undecided.values()] },
      ...{ stopped: this.#stopped, changedRuns: this.#changedRuns },
    }
  }

  /** @returns whether its run has taken another way before */
  #count(count: Count, { run }: RecordedCall): boolean {
    const change = this.#changes.get(run)
    if (change !== undefined) change.after += 1
    count.calls += 1
    if (change !== undefined) count.after += 1
    return change !== undefined
  }

  #add(row: Row | Undecided, call: RecordedCall, isAfter: boolean): void {
    row.calls += 1
    if (isAfter) row.after += 1
    if (row.examples.length >= this.#examplesMax) return
    const { seq, run, pid, agent, syscall, resource = '' } = call
    const shown = resource.slice(0, limits.resourceShownMax).toWellFormed()
    row.examples.push({ seq, run, pid, agent, syscall, resource: shown })
  }

  #diverges({
    run,
    agent,
    seq,
  }: {
    readonly run: string
    readonly agent: string
    readonly seq: number
  }): void {
    if (this.#changes.has(run)) return
    const change = { run, agent, seq, after: 0 }
    this.#changes.set(run, change)
    this.#runsChanged += 1
    if (this.#changedRuns.length < limits.backtestRowsMax) this.#changedRuns.push(change)
  }
}
