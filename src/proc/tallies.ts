/** How often the permits of a run have been used: counted for a first process and all below it together. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Obligation } from '../policy/types.ts'

export class Tallies {
  /** By rule: when it was used, the oldest first, in ms of the run; as many as its limit looks back on. */
  readonly #uses = new Map<string, readonly number[]>()

  /**
   * @param obligations of one call, each rule once or more
   * @param now ms of the run's clock
   * @throws SyscallError EPERM for what was permitted once and has been done, EAGAIN for what comes too fast;
   *   nothing is counted by this
   */
  assertFree(obligations: readonly Obligation[], now: number): void {
    for (const { rule, once, rateLimit } of obligations.filter(isLimit)) {
      const key = keyOf(rule)
      const uses = this.#uses.get(key)
      if (uses === undefined && this.#uses.size >= limits.talliesMax)
        throw new SyscallError(
          'EPERM',
          `this run has used ${limits.talliesMax} rules with limits; no more are counted`,
        )
      const named = `rule \`${rule.id}\` (${rule.policy}:${rule.line})`
      if (once && uses !== undefined)
        throw new SyscallError('EPERM', `${named} permits it once in a run, and it has been done`)
      const oldest = rateLimit === undefined ? undefined : uses?.at(-rateLimit.calls)
      if (rateLimit === undefined || oldest === undefined) continue
      const wait = oldest + rateLimit.perMs - now
      if (wait > 0)
        throw new SyscallError(
          'EAGAIN',
          `${named} permits ${rateLimit.calls} calls in ${rateLimit.perMs} ms; try again in ${Math.ceil(wait)} ms`,
        )
    }
  }

  /** Counts one call, once for each rule. */
  count(obligations: readonly Obligation[], now: number): void {
    const counted = obligations.filter(isLimit)
    for (const [key, { rateLimit }] of new Map(counted.map((each) => [keyOf(each.rule), each]))) {
      const uses = this.#uses.get(key) ?? []
      this.#uses.set(key, [...uses, now].slice(-(rateLimit?.calls ?? 1)))
    }
  }
}

/** How the reason of a refusal by a limit begins, which no other does. */
export const limitReason = /^rule `[^`]*` \([^)]*\) permits (it once|\d+ calls) in /

/** What else rules demand is counted by nobody. */
export const isLimit = ({ once, rateLimit }: Obligation): boolean =>
  once !== undefined || rateLimit !== undefined

/** By name, so that a reload of the same policy does not begin afresh. */
const keyOf = ({ policy, id }: Obligation['rule']): string => `${policy} ${id}`
