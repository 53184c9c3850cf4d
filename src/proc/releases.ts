/** Values that were released for one process: exactly such a value, written, sent or returned once, does not carry the labels that were released with it. */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Json } from '../json.ts'
import { joinLabels, type Labels, noLabels } from '../labels.ts'
import { limits } from '../limits.ts'

export class Releases {
  /** By the hash of the canonical text of a value; the oldest first. */
  readonly #of = new Map<string, Labels>()

  get count(): number {
    return this.#of.size
  }

  /** Past the bound the oldest is forgotten, and so not released any more. */
  add(value: Json, labels: Labels): void {
    const key = keyOf(value)
    const all = joinLabels(this.#of.get(key) ?? noLabels, labels)
    this.#of.delete(key)
    this.#of.set(key, all)
    const [oldest] = this.#of.keys()
    if (this.#of.size > limits.releasesMax && oldest !== undefined) this.#of.delete(oldest)
  }

  /** @returns what a value does not carry on; the release is used up by that */
  use(value: Json): Labels {
    return this.#of.size === 0 ? noLabels : this.#take(keyOf(value))
  }

  /** The same for a file's text, which is a released text itself, or any released value as canonical JSON. */
  useText(text: string): Labels {
    if (this.#of.size === 0) return noLabels
    const labels = this.use(text)
    return labels.length > 0 ? labels : this.#take(hash(text))
  }

  #take(key: string): Labels {
    const labels = this.#of.get(key) ?? noLabels
    this.#of.delete(key)
    return labels
  }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

const keyOf = (value: Json): string => hash(canonicalize(value) ?? '')
