/** What a call's result carries, put together in one place: what its rules say, and what the drivers say of what they touched. */
import { joinLabels, type Labels, noLabels, withoutLabels } from '../labels.ts'
import { labelsGiven } from '../policy/obligations.ts'
import type { Decision } from '../policy/types.ts'

export class Carried {
  #labels: Labels
  #released: Labels = noLabels

  /** @param decision what permitted the call; undefined where it is not judged */
  constructor(decision: Decision | undefined) {
    this.#labels = labelsGiven(decision?.obligations)
  }

  /** Its result, or the error in its place, carries these. */
  add(labels: Labels): void {
    this.#labels = joinLabels(this.#labels, labels)
  }

  /** Its result came of what carried these, and does not carry them on. A rule's `label` stays. */
  release(labels: Labels): void {
    this.#released = joinLabels(this.#released, labels)
  }

  get labels(): Labels {
    return this.#labels
  }

  get released(): Labels {
    return withoutLabels(this.#released, this.#labels)
  }
}
