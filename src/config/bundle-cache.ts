/** Bundles of agents' files, kept in memory while nothing that they were made of has changed. */

import { limits } from '../limits.ts'
import { type Bundle, bundle } from './bundle.ts'
import { isCurrent } from './fingerprint.ts'
import { type Territory, territoryOf } from './territory.ts'

/**
 * In this process's memory only: whoever could write to a cache on disk would write the program that runs.
 * Each file is bundled by one caller at a time; those who come meanwhile share the next look, which begins after they came.
 */
export class BundleCache {
  readonly #kept = new Map<string, Bundle>()
  readonly #running = new Map<string, Promise<Bundle>>()
  readonly #next = new Map<string, Promise<Bundle>>()

  /**
   * @param file a program's file, which exists
   * @throws KernelError as `bundle` does; a failure is not kept
   */
  get(file: string): Promise<Bundle> {
    const territory = territoryOf(file)
    const { entry } = territory
    const running = this.#running.get(entry)
    if (running === undefined) return this.#begin(file, territory)
    const known = this.#next.get(entry)
    if (known !== undefined) return known
    const next = running
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(entry)
        return this.#begin(file, territoryOf(file))
      })
    this.#next.set(entry, next)
    return next
  }

  #begin(file: string, territory: Territory): Promise<Bundle> {
    const { entry } = territory
    const work = this.#look(file, territory).finally(() => this.#running.delete(entry))
    this.#running.set(entry, work)
    return work
  }

  async #look(file: string, territory: Territory): Promise<Bundle> {
    const known = this.#kept.get(territory.entry)
    this.#kept.delete(territory.entry)
    const made =
      known !== undefined && isCurrent(known.fingerprint, territory) ? known : await bundle(file, territory)
    this.#keep(territory.entry, made)
    return made
  }

  /** The one used last stays longest. */
  #keep(entry: string, made: Bundle): void {
    this.#kept.set(entry, made)
    let length = 0
    for (const { text, map } of this.#kept.values()) length += text.length + map.length
    for (const [oldest, { text, map }] of this.#kept) {
      if (this.#kept.size <= limits.bundlesKeptMax && length <= limits.bundlesKeptLengthMax) return
      this.#kept.delete(oldest)
      length -= text.length + map.length
    }
  }
}
