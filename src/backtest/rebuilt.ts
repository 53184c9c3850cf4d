/** A process as its record has it, as far as policies ask about it. */
import type { Asker } from '../gate/question.ts'
import type { JsonObject } from '../json.ts'
import { type Labels, noLabels } from '../labels.ts'
import { leastBudget } from '../policy/budget.ts'
import type { Budget, Isolation, PolicySet } from '../policy/types.ts'
import type { Doubts } from './doubts.ts'
import { interestOf } from './interest.ts'
import { budgetOf, type Own, type Policies } from './policies.ts'

/** The time of the entry that is read. */
export interface ReadClock {
  now(): number
  /** Added to every time of a run, in ms. */
  shift: number
}

export interface Beginning {
  readonly run: string
  readonly pid: number
  readonly name: string
  readonly isolation: Isolation
  readonly sealed: boolean
  /** As it was recorded. */
  readonly budget: Budget
  readonly own: Own
  readonly parent: Rebuilt | undefined
  readonly startedAt: number
}

export class Rebuilt implements Asker {
  readonly name: string
  readonly parent: Rebuilt | undefined
  readonly identity: Asker['identity'] & { readonly run: string; readonly pid: number }
  readonly own: Own
  readonly startedAt: number
  /** What it had, and what it would have. */
  readonly budgetBefore: Budget
  /** What it carries now, by what is decided. */
  labels: Labels = noLabels
  /** What it carried then, at its last call. */
  carried: Labels = noLabels
  /** By number and name: what its wrapped tools take. */
  readonly wrapped = new Map<string, JsonObject>()
  /** Calls that it and all below it were charged for. */
  syscalls = 0
  readonly #policies: Policies
  readonly #clock: ReadClock
  readonly #doubts: Doubts

  constructor(beginning: Beginning, policies: Policies, clock: ReadClock, doubts: Doubts) {
    const { run, pid, name, isolation, sealed, own, parent, startedAt, budget } = beginning
    this.name = name
    this.parent = parent
    this.identity = { run, pid, isolation, sealed }
    this.own = own
    this.startedAt = startedAt
    this.budgetBefore = budget
    this.#policies = policies
    this.#clock = clock
    this.#doubts = doubts
  }

  get first(): Rebuilt {
    return this.parent === undefined ? this : this.parent.first
  }

  /** What would decide about it; undefined where that is not known. */
  get set(): PolicySet | undefined {
    return this.#policies.under(this.own)
  }

  /** @throws Error where that is not known: whoever asks has looked at `set` */
  get policy(): PolicySet {
    const { set } = this
    if (set === undefined) throw new Error('nobody knows which policy the process would be under')
    return set
  }

  get usage(): { readonly wallMs: number } {
    return { wallMs: this.#clock.now() - this.startedAt + this.#clock.shift }
  }

  readonly ledger: Asker['ledger'] = { remaining: () => this.#remaining() }

  /**
   * The budget that it would have: its own sources are on record joined with the policy of then, so a limit is known
   * unless that policy was what set it and the new one sets a wider one.
   * @returns the limits, and those that are not known
   */
  get budget(): { readonly known: Budget; readonly unknown: ReadonlySet<keyof Budget> } {
    const before = this.#policies.before(this.own)
    const then = before === undefined ? undefined : budgetOf(before)
    const { budget: now } = this.policy
    const unknown = new Set<keyof Budget>()
    for (const [charge, amount] of Object.entries(this.budgetBefore) as [keyof Budget, number][]) {
      const isOfPolicy = then === undefined || then[charge] === amount
      if (isOfPolicy && (now[charge] ?? Number.POSITIVE_INFINITY) > amount) unknown.add(charge)
    }
    return { known: leastBudget([this.budgetBefore, now]), unknown }
  }

  /** Charges it, and all above it but for an extraction's parents: that was set aside at once. */
  charge(calls: number): void {
    this.syscalls += calls
    if (this.identity.sealed !== true) this.parent?.charge(calls)
  }

  #remaining(): ReturnType<Asker['ledger']['remaining']> {
    if (interestOf(this.policy).readsSpent || this.identity.sealed === true) this.#doubts.add('budget')
    const left: { syscalls?: number; tokens?: number; costUsd?: number; cpuMs?: number } = {}
    for (let each: Rebuilt | undefined = this; each !== undefined; each = each.parent) {
      const { known, unknown } = each.budget
      for (const charge of ['syscalls', 'tokens', 'costUsd', 'cpuMs'] as const) {
        const limit = known[charge]
        if (limit === undefined) continue
        if (unknown.has(charge)) this.#doubts.add('budget')
        const used = charge === 'syscalls' ? each.syscalls : 0
        left[charge] = Math.max(0, Math.min(left[charge] ?? Number.POSITIVE_INFINITY, limit - used))
      }
    }
    return left
  }
}
