/** Which labels the files and folders of one mount carry, by path: a file those of its content, a folder those of its names. */
import { SyscallError } from '../../errors.ts'
import { joinLabels, type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import { covers, folderOf } from './path.ts'

/** What a mount says of labels. Every mount has it; one whose files nobody labels says that there are none. */
export interface MountLabels {
  /** What the content, the size, the names at a path carry. */
  of(path: string): Labels
  /** What carries that there is something, or nothing, at a path: with the folders above, whose names led there. */
  around(path: string): Labels
}

export const noPathLabels: MountLabels = Object.freeze({ of: () => noLabels, around: () => noLabels })

export class PathLabels implements MountLabels {
  /** Under a path what it carries itself; under a path and `/` what everything below carries with it. */
  readonly #of: Map<string, Labels>
  readonly #entriesMax: number
  /** Where the mount lies in what it shares with others; empty where it shares nothing. */
  readonly #root: string

  /** @param entriesMax paths that are kept; endless where the mount itself bounds its files */
  constructor(entriesMax: number = Number.POSITIVE_INFINITY, of = new Map<string, Labels>(), root = '') {
    this.#entriesMax = entriesMax
    this.#of = of
    this.#root = root
  }

  /** The same labels as a mount of one folder sees them: two mounts may show the same files. */
  within(root: string): PathLabels {
    return new PathLabels(this.#entriesMax, this.#of, root === '/' ? '' : root)
  }

  of(path: string): Labels {
    return this.#of.size === 0 ? noLabels : joinLabels(this.#at(path), this.#inherited(path))
  }

  around(path: string): Labels {
    if (this.#of.size === 0) return noLabels
    let labels = this.of(path)
    for (const folder of this.#above(path)) labels = joinLabels(labels, this.#of.get(folder) ?? noLabels)
    return labels
  }

  /**
   * Before a change: whether what it would add can be kept.
   * @param paths those that would take the labels on
   * @throws SyscallError ENOSPC
   */
  assertRoom(paths: readonly string[], labels: Labels): void {
    if (labels.length === 0) return
    const more = paths.filter((path) => !this.#of.has(this.#key(path))).length
    if (this.#of.size + more > this.#entriesMax)
      throw new SyscallError(
        'ENOSPC',
        `the labels of ${this.#entriesMax} paths of this mount are kept, and no more; a process without labels may write`,
      )
    if (paths.some((path) => joinLabels(this.#at(path), labels).length > limits.labelsMax))
      throw new SyscallError('ENOSPC', `it would carry more than ${limits.labelsMax} labels`)
  }

  /** In place of what it carried. */
  set(path: string, labels: Labels): void {
    if (labels.length === 0) this.#of.delete(this.#key(path))
    else this.#of.set(this.#key(path), labels)
  }

  add(path: string, labels: Labels): void {
    this.#join(this.#key(path), labels)
  }

  /** What was there is gone, with all below it. */
  drop(path: string): void {
    if (this.#of.size === 0) return
    const gone = this.#key(path)
    for (const key of this.#of.keys()) if (covers(gone, key)) this.#of.delete(key)
  }

  /** @param labels of who moves: what it put there, everything below now carries */
  move(from: string, to: string, labels: Labels): void {
    this.drop(to)
    this.copy(from, to, labels)
    this.drop(from)
  }

  /** What one path and all below it carry, another carries too, with the labels of who put it there. */
  copy(from: string, to: string, labels: Labels): void {
    if (this.#of.size === 0 && labels.length === 0) return
    // What came with a folder above the old place does not stand above the new one.
    const more = joinLabels(this.#inherited(from), labels)
    const [source, target] = [this.#key(from), this.#key(to)]
    for (const [key, own] of [...this.#of])
      if (covers(source, key)) this.#join(`${target}${key.slice(source.length)}`, own)
    this.#join(target, more)
    this.#join(below(target), more)
  }

  #join(key: string, labels: Labels): void {
    if (labels.length > 0) this.#of.set(key, joinLabels(this.#of.get(key) ?? noLabels, labels))
  }

  #at(path: string): Labels {
    return this.#of.get(this.#key(path)) ?? noLabels
  }

  #inherited(path: string): Labels {
    let labels = noLabels
    for (const folder of this.#above(path))
      labels = joinLabels(labels, this.#of.get(below(folder)) ?? noLabels)
    return labels
  }

  #key(path: string): string {
    return path === '/' ? this.#root || '/' : `${this.#root}${path}`
  }

  /** The folders above, the nearest first, up to the root of all; none for that root itself. */
  #above(path: string): readonly string[] {
    const folders: string[] = []
    for (let at = this.#key(path); at !== '/'; ) {
      at = folderOf(at)
      folders.push(at)
    }
    return folders
  }
}

const below = (folder: string): string => (folder === '/' ? '//' : `${folder}/`)
