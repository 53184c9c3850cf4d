/** Which labels the files and folders of one mount carry, by path: a file those of its content, a folder those of its names. */
import { SyscallError } from '../../errors.ts'
import { joinLabels, type Labels, noLabels, withoutLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import { covers, folderOf } from './path.ts'

/** What a mount says of labels. Every mount has it; one whose files nobody labels says that there are none. */
export interface MountLabels {
  /** What the content, the size, the names at a path carry. */
  of(path: string): Labels
  /** What carries that there is something, or nothing, at a path: with the folders above, whose names led there. */
  around(path: string): Labels
  /** What folders above brought that a labelled process made or moved: everything in them carries that. */
  through(path: string): Labels
  /** What grows with every change; equal before and after where nothing was changed. */
  readonly changes?: number
  /** A file's content does not carry these any more. No such method where nobody labels files. */
  release?(path: string, labels: Labels): void
}

export const noPathLabels: MountLabels = Object.freeze({
  of: () => noLabels,
  around: () => noLabels,
  through: () => noLabels,
})

export class PathLabels implements MountLabels {
  /** Under a path what it carries itself; under other keys what everything below carries, and what a file does not. */
  readonly #of = new Map<string, Labels>()
  readonly #entriesMax: number
  changes = 0

  /** @param entriesMax paths that are kept; endless where the mount itself bounds its files */
  constructor(entriesMax: number = Number.POSITIVE_INFINITY) {
    this.#entriesMax = entriesMax
  }

  /** All that is kept, by key. */
  get all(): [string, string[]][] {
    return [...this.#of].map(([key, labels]) => [key, [...labels]])
  }

  /** In place of what was kept. @param all as `all` gave it */
  restore(all: readonly (readonly [string, Labels])[]): void {
    this.changes += 1
    this.#of.clear()
    for (const [key, labels] of all) this.#of.set(key, labels)
  }

  of(path: string): Labels {
    if (this.#of.size === 0) return noLabels
    return joinLabels(this.#at(path), withoutLabels(this.#inherited(path), this.#at(exception(path))))
  }

  around(path: string): Labels {
    if (this.#of.size === 0) return noLabels
    let labels = this.of(path)
    for (const folder of foldersAbove(path)) labels = joinLabels(labels, this.#at(folder))
    return labels
  }

  through(path: string): Labels {
    return this.#of.size === 0 ? noLabels : this.#inherited(path)
  }

  /**
   * Before a change: whether what it would add can be kept.
   * @param paths those that would take the labels on
   * @throws SyscallError ENOSPC
   */
  assertRoom(paths: readonly string[], labels: Labels): void {
    if (labels.length === 0) return
    const more = paths.filter((path) => !this.#of.has(path)).length
    if (this.#of.size + more > this.#entriesMax)
      throw new SyscallError(
        'ENOSPC',
        `the labels of ${this.#entriesMax} paths are kept, and no more; a process without labels may write`,
      )
    if (paths.some((path) => joinLabels(this.#at(path), labels).length > limits.labelsMax))
      throw new SyscallError('ENOSPC', `it would carry more than ${limits.labelsMax} labels`)
  }

  /** In place of what it carried. */
  set(path: string, labels: Labels): void {
    this.changes += 1
    this.#of.delete(exception(path))
    if (labels.length === 0) this.#of.delete(path)
    else this.#of.set(path, labels)
  }

  add(path: string, labels: Labels): void {
    this.changes += 1
    if (labels.length > 0) this.#of.delete(exception(path))
    this.#join(path, labels)
  }

  /** A new folder: that it is there is told by all that is in it. */
  make(folder: string, labels: Labels): void {
    this.add(folder, labels)
    this.#join(below(folder), labels)
  }

  release(path: string, labels: Labels): void {
    const inherited = this.#inherited(path).filter((label) => labels.includes(label))
    this.set(path, withoutLabels(this.#at(path), labels))
    this.#join(exception(path), inherited)
  }

  /** What was there is gone, with all below it. */
  drop(path: string): void {
    this.changes += 1
    for (const key of this.#of.keys()) if (covers(path, key)) this.#of.delete(key)
  }

  /** @param labels of who moves: what it put there, everything below now carries */
  move(from: string, to: string, labels: Labels): void {
    this.drop(to)
    this.copy(from, to, labels)
    this.drop(from)
  }

  /** What one path and all below it carry, another carries too, with the labels of who put it there. */
  copy(from: string, to: string, labels: Labels): void {
    this.changes += 1
    if (this.#of.size === 0 && labels.length === 0) return
    // What came with a folder above the old place does not stand above the new one.
    const more = joinLabels(this.#inherited(from), labels)
    for (const [key, own] of [...this.#of])
      if (covers(from, key) && !isException(key)) this.#join(`${to}${key.slice(from.length)}`, own)
    this.#join(to, more)
    this.#join(below(to), more)
  }

  #join(key: string, labels: Labels): void {
    if (labels.length > 0) this.#of.set(key, joinLabels(this.#at(key), labels))
  }

  #at(key: string): Labels {
    return this.#of.get(key) ?? noLabels
  }

  /** What came with folders above that were made or moved. */
  #inherited(path: string): Labels {
    let labels = noLabels
    for (const folder of foldersAbove(path)) labels = joinLabels(labels, this.#at(below(folder)))
    return labels
  }
}

/*
 * No path ends in a slash or holds a NUL, so these keys are no path's; each lies below its path, and goes where that goes.
 */
const below = (folder: string): string => (folder === '/' ? '//' : `${folder}/`)
/** What a file does not carry although what was moved with it does; no move takes that along. */
const exception = (path: string): string => `${path}/\0`
const isException = (key: string): boolean => key.endsWith('/\0')

/** The nearest first, up to the root; none for the root itself. */
function foldersAbove(path: string): readonly string[] {
  const folders: string[] = []
  for (let at = path; at !== '/'; ) {
    at = folderOf(at)
    folders.push(at)
  }
  return folders
}
