/** A grant is the proof that the gate admitted one call; no driver acts without one. */
import { assert } from './errors.ts'

/** The classes of network address beyond the public internet that a policy can name. */
export type AddressClass = 'loopback' | 'private' | 'linkLocal'

export interface GrantScope {
  readonly pid: number
  readonly agent: string
  readonly syscall: string
  /** What the policy judged; a driver acts on these and on nothing else. */
  readonly resources: readonly string[]
  readonly addresses: readonly AddressClass[]
  /** Hash of the arguments as they are on record; absent where a rule keeps their text out of it. */
  readonly payload?: string
}

const live = new WeakSet<Grant>()

/** A call in flight, as far as a driver sees it. */
export interface Interruptible {
  readonly aborted: boolean
  /** Made when it is first asked for. */
  readonly signal: AbortSignal
}

export class Grant {
  readonly #scope: GrantScope
  readonly #flight: Interruptible

  private constructor(scope: GrantScope, flight: Interruptible) {
    this.#scope = scope
    this.#flight = flight
  }

  /** Whether the process has ended. */
  get aborted(): boolean {
    return this.#flight.aborted
  }

  /** Aborts when the process ends. */
  get signal(): AbortSignal {
    return this.#flight.signal
  }

  /**
   * Called by a driver before it acts.
   * @returns what was granted
   * @throws Error (a broken invariant) when the grant was not made by the gate, is over, or is for another call
   */
  static demand(grant: Grant, syscall: string, resource: string): GrantScope {
    assert(live.has(grant), `${syscall} without a live grant`)
    assert(grant.#scope.syscall === syscall, `${syscall} with a grant for ${grant.#scope.syscall}`)
    assert(grant.#scope.resources.includes(resource), `${syscall} beyond its grant`)
    return grant.#scope
  }

  /** Hands out the power to make and end grants, once: to the gate, which asks when it is loaded. */
  static claimMint(): GrantMint {
    assert(!Grant.#claimed, 'the mint of grants is claimed already')
    Grant.#claimed = true
    return {
      make(scope, flight) {
        const grant = new Grant(Object.freeze(scope), flight)
        live.add(grant)
        Object.freeze(grant)
        return grant
      },
      end: (grant) => void live.delete(grant),
    }
  }
  static #claimed = false
}

export interface GrantMint {
  make(scope: GrantScope, flight: Interruptible): Grant
  end(grant: Grant): void
}
