/** What a call's result carries, put together in one place: what its rules say, and what the drivers say of what they touched. */
import type { JsonObject } from '../json.ts'
import { joinLabels, type Labels, noLabels, withoutLabels } from '../labels.ts'
import { labelsGiven } from '../policy/obligations.ts'
import type { Decision } from '../policy/types.ts'
import type { Release } from '../syscalls/row.ts'

export class Carried {
  /** By the rules. */
  readonly given: Labels
  #labels: Labels
  #released: Labels = noLabels
  #how: Release | undefined
  /** What the call has cost, as it says. */
  cost: JsonObject | undefined

  /** @param decision what permitted the call; undefined where it is not judged */
  constructor(decision: Decision | undefined) {
    const obligations = decision?.obligations
    this.given = obligations === undefined ? noLabels : labelsGiven(obligations)
    this.#labels = this.given
  }

  /** Its result, or the error in its place, carries these. */
  add(labels: Labels): void {
    this.#labels = joinLabels(this.#labels, labels)
  }

  /** Its result came of what carried these, and does not carry them on. A rule's `label` stays. */
  release(labels: Labels, how: Release): void {
    this.#released = joinLabels(this.#released, labels)
    this.#how = how
  }

  get labels(): Labels {
    return this.#labels
  }

  /** What a result may have come of, also where that was released: such a value is nobody's word. */
  get suspect(): Labels {
    return joinLabels(this.#labels, this.#released)
  }

  /** What was released, and how; undefined where that is nothing. */
  get released(): (Release & { readonly labels: Labels }) | undefined {
    const from = this.#how?.from ?? noLabels
    const labels = withoutLabels(this.#released, this.#labels).filter((label) => from.includes(label))
    return this.#how === undefined || labels.length === 0 ? undefined : { ...this.#how, labels }
  }
}
