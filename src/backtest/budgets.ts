/** Where the budget of a new policy would have been used up, as far as the record says what was spent. */
import type { Json } from '../json.ts'
import type { Rebuilt } from './rebuilt.ts'
import type { Stopped, Tally } from './result.ts'

type Limits = Partial<Record<Stopped['budget'], number>>

const noLimits: Limits = Object.freeze({})

/** What is on record at the end of a process only. */
const spentAtEnd = ['cpuMs', 'tokens', 'costUsd'] as const

export class Budgets {
  readonly #tally: Tally
  /** By process: what the new policy sets lower than it was, and is not used up yet. */
  readonly #limits = new WeakMap<Rebuilt, Limits>()

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /** A call was charged. @param time of its entry */
  charged(process: Rebuilt, seq: number, time: number): void {
    for (let each: Rebuilt | undefined = process; each !== undefined; each = each.parent) {
      const limits = this.#limitsOf(each)
      if (limits === noLimits) continue
      if (limits.syscalls === undefined && limits.wallMs === undefined) continue
      this.#spent(each, 'syscalls', each.syscalls, seq)
      this.#spent(each, 'wallMs', time - each.startedAt, seq)
    }
  }

  /** @param usage what its end says that it has used */
  ended(process: Rebuilt, seq: number, time: number, usage: Json | undefined): void {
    this.#spent(process, 'wallMs', time - process.startedAt, seq)
    if (usage === null || typeof usage !== 'object') return
    for (const charge of spentAtEnd) {
      const used: unknown = Reflect.get(usage, charge)
      if (typeof used === 'number') this.#spent(process, charge, used, seq)
    }
  }

  #spent(process: Rebuilt, budget: Stopped['budget'], used: number, seq: number): void {
    const limits = this.#limitsOf(process)
    const limit = limits[budget]
    if (limit === undefined || used <= limit) return
    delete limits[budget]
    this.#tally.stopped(process, { budget, limit, seq })
  }

  #limitsOf(process: Rebuilt): Limits {
    const known = this.#limits.get(process)
    if (known !== undefined) return known
    const limits: Limits = {}
    const { budgetBefore, set } = process
    for (const charge of ['syscalls', 'wallMs', ...spentAtEnd] as const) {
      const now = set?.budget[charge]
      if (now !== undefined && now < (budgetBefore[charge] ?? Number.POSITIVE_INFINITY)) limits[charge] = now
    }
    const kept = Object.keys(limits).length === 0 ? noLimits : limits
    this.#limits.set(process, kept)
    return kept
  }
}
