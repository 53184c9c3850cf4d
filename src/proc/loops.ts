/** Notices an agent that goes round in circles: the same call, or the same short cycle of calls, over and over. */

/** The longest cycle that is noticed, in calls. */
const cycleMax = 8

export class Loops {
  /** The last calls, the newest first. */
  readonly #last: string[] = []
  /** For each length of cycle: how many calls in a row were the same as the one that length before. */
  readonly #same: number[] = Array.from({ length: cycleMax }, () => 0)

  /**
   * @param call what makes two calls the same
   * @param repeats how often a cycle has to follow itself
   * @returns the length of the cycle, once each time that it has repeated as often; otherwise undefined
   */
  seen(call: string, repeats: number): number | undefined {
    let found: number | undefined
    for (let length = 1; length <= cycleMax; length += 1) {
      const same = this.#last[length - 1] === call ? (this.#same[length - 1] ?? 0) + 1 : 0
      this.#same[length - 1] = same
      if (found === undefined && same >= length * (repeats - 1)) found = length
    }
    this.#last.unshift(call)
    if (this.#last.length > cycleMax) this.#last.pop()
    if (found !== undefined) this.#same.fill(0)
    return found
  }
}
