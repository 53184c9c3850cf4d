/** Files of the host that no mount shows: the kernel's own directory, keys, policy files, sockets. */
import { type BigIntStats, realpathSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** A file of the host by what it is, not by what it is called. */
export const identityOf = (stat: BigIntStats): string => `${stat.dev}:${stat.ino}`

/** Unfinished files of a replacement begin so; they are never shown. */
export const partPrefix = '.gatehouse-part-'
/** Where kernels keep their evidence and sockets by default: that of another kernel, or of an earlier one, is not shown either. */
const defaultFolder = '.gatehouse'

/**
 * A hidden file is known by its identity, so that another name, link or bind mount shows it no more than its own,
 * and by its place, so that it stays hidden when it is replaced, or made later.
 * Folders that lead to it are known too: they are neither moved nor removed.
 */
export class Hidden {
  readonly #files = new Set<string>()
  readonly #places = new Set<string>()
  readonly #above = new Set<string>()

  /** @param paths host paths; one that does not exist yet is hidden by its place, if its folder exists */
  constructor(paths: readonly string[]) {
    this.add(paths)
  }

  /** Hides more, in mounts that are open already too. */
  add(paths: readonly string[]): void {
    for (const path of paths) {
      const given = resolve(path)
      this.#add(given)
      if (identify(given) !== undefined) this.#add(realpathSync(given))
    }
  }

  /** @param parent identity of the folder that holds it */
  hidesPlace(parent: string, name: string): boolean {
    return name === defaultFolder || name.startsWith(partPrefix) || this.#places.has(placeOf(parent, name))
  }

  hidesFile(identity: string): boolean {
    return this.#files.has(identity)
  }

  /** Whether a hidden file lies in this folder or below. */
  liesBelow(identity: string): boolean {
    return this.#above.has(identity)
  }

  /** Whether a host folder is hidden or lies in a hidden one. */
  coversFolder(path: string): boolean {
    return lineage(path).some((above) => {
      const identity = identify(above)
      return identity !== undefined && this.#files.has(identity)
    })
  }

  #add(path: string): void {
    const identity = identify(path)
    if (identity !== undefined) this.#files.add(identity)
    const folder = identify(dirname(path))
    if (folder !== undefined) this.#places.add(placeOf(folder, basename(path)))
    for (const above of lineage(dirname(path))) {
      const found = identify(above)
      if (found !== undefined) this.#above.add(found)
    }
  }
}

const placeOf = (parent: string, name: string): string => `${parent}/${name}`

/** Links are followed: what the kernel itself would open counts. */
function identify(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && identityOf(stat)
}

/** The path itself and every folder above it. */
function lineage(path: string): readonly string[] {
  const folder = dirname(path)
  return folder === path ? [path] : [path, ...lineage(folder)]
}
