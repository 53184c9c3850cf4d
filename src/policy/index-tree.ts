/** Rules found by what their patterns begin with, so that a decision looks only at those that can match. */

/** The literal beginning of a pattern: whole parts, then perhaps the beginning of one more. */
export interface Prefix {
  readonly parts: readonly string[]
  /** Without a wildcard; empty where the next part begins with one, or where there is none. */
  readonly beginning: string
}

/** @param parts of a pattern, `*` and `**` in some of them */
export function prefixOf(parts: readonly string[]): Prefix {
  const wild = parts.findIndex((part) => part.includes('*'))
  if (wild < 0) return { parts, beginning: '' }
  const next = parts[wild] ?? ''
  return { parts: parts.slice(0, wild), beginning: next.slice(0, next.indexOf('*')) }
}

/** Things by prefix. Finds all whose prefix a resource has; never fewer, and no others. */
export class PrefixTree<T> {
  readonly #here: T[] = []
  readonly #below = new Map<string, PrefixTree<T>>()
  /** By the length of a beginning, then by the beginning. */
  readonly #beginnings = new Map<number, Map<string, T[]>>()

  add({ parts, beginning }: Prefix, thing: T): void {
    const [part, ...rest] = parts
    if (part !== undefined) {
      const tree = this.#below.get(part) ?? new PrefixTree<T>()
      this.#below.set(part, tree)
      tree.add({ parts: rest, beginning }, thing)
    } else if (beginning === '') this.#here.push(thing)
    else {
      const ofLength = this.#beginnings.get(beginning.length) ?? new Map<string, T[]>()
      this.#beginnings.set(beginning.length, ofLength)
      const things = ofLength.get(beginning)
      if (things === undefined) ofLength.set(beginning, [thing])
      else things.push(thing)
    }
  }

  /**
   * @param parts of a resource
   * @param found gets what is found, as often as it was added
   */
  find(parts: readonly string[], found: T[], from = 0): void {
    for (const thing of this.#here) found.push(thing)
    const part = parts[from]
    if (part === undefined) return
    for (const [length, things] of this.#beginnings) {
      const begun = part.length < length ? undefined : things.get(part.slice(0, length))
      if (begun !== undefined) for (const thing of begun) found.push(thing)
    }
    this.#below.get(part)?.find(parts, found, from + 1)
  }
}
