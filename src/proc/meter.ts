/** What one call of a model may use is set aside before it; what it used is charged, and the rest is given back. */
import { SyscallError } from '../errors.ts'
import type { Ledger } from './ledger.ts'

/** Tokens in and out, and their price. */
export interface Amounts {
  readonly tokens: number
  readonly costUsd: number
}

/** Who is charged: a process, with all above it. */
export interface Metered {
  readonly ledger: Ledger
  /** Told when more was used than there was; what follows is a matter of its policy. */
  raise(signal: 'SIGBUDGET', reason: string): void
}

const charges = ['tokens', 'costUsd'] as const
const words = { tokens: 'tokens', costUsd: 'US dollars' } as const

export class Meter {
  readonly #owner: Metered
  /** What is charged by now: what was set aside, or more where more was used. */
  readonly #held: { tokens: number; costUsd: number }
  #used: Amounts = { tokens: 0, costUsd: 0 }
  #isOpen = true
  /** Whether it outlives the call that opened it: then whoever goes on with it closes it. */
  isKept = false

  private constructor(owner: Metered, most: Amounts) {
    this.#owner = owner
    this.#held = { ...most }
  }

  /**
   * Sets aside the most that a call may use, here and above.
   * @throws SyscallError EDQUOT where that is not left, with nothing set aside
   */
  static open(owner: Metered, most: Amounts): Meter {
    for (const charge of charges) {
      const left = owner.ledger.left(charge)
      if (left < most[charge])
        throw new SyscallError(
          'EDQUOT',
          `it may take ${most[charge]} ${words[charge]}, and ${Math.max(0, left)} are left of the budget; a shorter prompt or a smaller \`tokensMax\` takes less`,
        )
    }
    for (const charge of charges) owner.ledger.spend(charge, most[charge])
    const meter = new Meter(owner, most)
    owner.ledger.meters.add(meter)
    return meter
  }

  /** By now. */
  get used(): Amounts {
    return this.#used
  }

  /**
   * Says what the call has used by now, all together. What is beyond what was set aside is charged at once, and where
   * the budget does not have it, SIGBUDGET is raised.
   */
  use(total: Amounts): void {
    if (!this.#isOpen) return
    this.#used = total
    const { ledger } = this.#owner
    for (const charge of charges) {
      const more = total[charge] - this.#held[charge]
      if (more <= 0) continue
      this.#held[charge] = total[charge]
      ledger.spend(charge, more)
      if (ledger.left(charge) >= 0) continue
      ledger.extend(charge, 0)
      this.#owner.raise(
        'SIGBUDGET',
        `its budget of ${words[charge]} is used up in the middle of a model's reply`,
      )
    }
  }

  /** The call is over: what was set aside and not used is given back. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#owner.ledger.meters.delete(this)
    for (const charge of charges) this.#owner.ledger.giveBack(charge, this.#held[charge] - this.#used[charge])
  }
}
