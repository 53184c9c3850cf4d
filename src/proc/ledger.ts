/** What a process and its children have used of their budget. A child's use is charged to all above it. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Budget } from '../policy/types.ts'

export interface Usage {
  readonly syscalls: number
  readonly cpuMs: number
  readonly tokens: number
  readonly costUsd: number
  /** What extractions may have told. */
  readonly bits: number
}

/** The charges that a ledger keeps, and how each is called where it runs out. */
const charges = {
  syscalls: 'syscalls',
  cpuMs: 'ms of CPU',
  tokens: 'tokens',
  costUsd: 'US dollars',
  bits: 'bits',
} as const
export type Charge = keyof typeof charges

/** So that what is charged and given back leaves no trace in the last digits. */
const rounded = (dollars: number): number => Math.round(dollars * limits.dollarParts) / limits.dollarParts

export class Ledger {
  readonly #budget: Budget
  readonly #parent: Ledger | undefined
  readonly #used = { syscalls: 0, cpuMs: 0, tokens: 0, costUsd: 0, bits: 0 }
  /** What was allowed on top, when a charge was used up and the policy did not end the process for it. */
  readonly #extra = { syscalls: 0, cpuMs: 0, tokens: 0, costUsd: 0, bits: 0 }

  /** What is set aside and not settled yet; settled when its process ends. */
  readonly meters = new Set<{ close(): void }>()

  constructor(budget: Budget, parent?: Ledger) {
    this.#budget = budget
    this.#parent = parent
  }

  get budget(): Budget {
    return this.#budget
  }

  get used(): Usage {
    return { ...this.#used }
  }

  /** What is left of a charge, here and above; infinite where no budget names it. */
  left(charge: Charge): number {
    const own = this.#ownLeft(charge)
    return this.#parent === undefined ? own : Math.min(own, this.#parent.left(charge))
  }

  /**
   * Checks that an amount fits, and charges it to this process and all above it.
   * @throws SyscallError EDQUOT, with nothing charged
   */
  charge(charge: Charge, amount: number): void {
    this.assertLeft(charge, amount)
    this.spend(charge, amount)
  }

  /** @throws SyscallError EDQUOT where an amount does not fit */
  assertLeft(charge: Charge, amount: number): void {
    if (this.left(charge) < amount) {
      throw new SyscallError('EDQUOT', this.#usedUp(charge, amount))
    }
  }

  /** Charges what has been used already, whether or not it fits. */
  spend(charge: Charge, amount: number): void {
    const used = this.#used[charge] + amount
    this.#used[charge] = charge === 'costUsd' ? rounded(used) : used
    this.#parent?.spend(charge, amount)
  }

  /** Gives back, here and above, what was charged ahead and not used. */
  giveBack(charge: 'tokens' | 'costUsd', amount: number): void {
    this.spend(charge, -amount)
  }

  /**
   * Allows as much again, here and above, of whatever is used up.
   * @param ahead what is about to be charged
   */
  extend(charge: Charge, ahead: number): void {
    if (this.#ownLeft(charge) < ahead) this.#extra[charge] += Math.max(ahead, this.#budget[charge] ?? 0)
    this.#parent?.extend(charge, ahead)
  }

  /** What is left of everything that the budget names, for `ps` and `proc.self`. */
  remaining(): Partial<Record<Charge, number>> {
    const rows: Partial<Record<Charge, number>> = {}
    for (const charge of Object.keys(charges) as Charge[]) {
      const left = this.left(charge)
      if (Number.isFinite(left) && (charge !== 'bits' || this.#names(charge)))
        rows[charge] = Math.max(0, left)
    }
    return rows
  }

  /**
   * Takes a part out of this budget at once, for a process whose own use is to tell this one nothing.
   * @param asked what it shall have; of what it does not name it gets a part of what is left
   * @param most what it may have at most
   * @returns a ledger that charges nobody else
   */
  setAside(asked: Budget, most: Budget): Ledger {
    const budget: { -readonly [field in keyof Budget]: number } = { ...most, bits: 0 }
    for (const charge of ['syscalls', 'cpuMs', 'tokens', 'costUsd'] as const) {
      const left = Math.max(0, this.left(charge))
      const amount = Math.min(asked[charge] ?? left / limits.extractShare, most[charge] ?? left, left)
      if (!Number.isFinite(amount)) continue
      budget[charge] = charge === 'costUsd' ? amount : Math.floor(amount)
      this.spend(charge, budget[charge])
    }
    return new Ledger(Object.freeze(budget))
  }

  #names(charge: Charge): boolean {
    if (this.#budget[charge] !== undefined) return true
    return this.#parent === undefined ? false : this.#parent.#names(charge)
  }

  #usedUp(charge: Charge, amount: number): string {
    if (charge !== 'bits') return `the budget of ${this.#limit(charge)} ${charges[charge]} is used up`
    const left = Math.max(0, this.left(charge))
    const hint = this.#names(charge) ? '' : '; a policy gives some, as in `budget: { bits: 64 }`'
    return `it may tell ${amount} bits, and ${left} are left of the budget${hint}`
  }

  /** The budget that is binding: the own one, or that of the ancestor which has less left. */
  #limit(charge: Charge): number | undefined {
    if (this.#parent !== undefined && this.#parent.left(charge) < this.#ownLeft(charge))
      return this.#parent.#limit(charge)
    return this.#budget[charge]
  }

  #ownLeft(charge: Charge): number {
    // Nothing is told where nobody allows it.
    const unnamed = charge === 'bits' && this.#parent === undefined ? 0 : Number.POSITIVE_INFINITY
    const allowed = (this.#budget[charge] ?? unnamed) + this.#extra[charge]
    const left = allowed - this.#used[charge]
    return charge === 'costUsd' ? rounded(left) : left
  }
}
