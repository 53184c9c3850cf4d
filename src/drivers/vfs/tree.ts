/** One process's mount table: which device serves a path. */
import { assert, SyscallError } from '../../errors.ts'
import { joinLabels, type Labels, noLabels } from '../../labels.ts'
import type { Awaitable, FileStat, ListEntry, Mount } from './mount.ts'
import { covers, folderOf, inFolder } from './path.ts'
import { noPathLabels } from './path-labels.ts'
import { because } from './reasons.ts'
import { byName, VirtualMount } from './virtual.ts'

export interface TreeMount {
  /** A normalised path, not `/`. */
  readonly at: string
  readonly mount: Mount
  /** What everything from here is labelled with. */
  readonly labels?: Labels
}

/** Where a path leads: a mount, and the path within it. */
export interface Place {
  readonly mount: Mount
  readonly path: string
  readonly at: string
  readonly labels: Labels
}

/**
 * The longest mount point that covers a path serves it. What no mount covers is read-only.
 * A mount point, and a folder that leads to one, is always a folder, whatever the mount beneath has there.
 */
/** A file that somebody looks at to release its content. */
export interface Releasable {
  /** What grows with every change of its mount. */
  readonly changes: number
  /** What its content carries of its own. */
  readonly carried: Labels
  /** What its mount gives it, which nobody releases it of. */
  readonly fixed: Labels
  readonly release: (labels: Labels) => void
}

export class Tree {
  readonly #mounts: readonly TreeMount[]
  /** Every folder that leads to a mount point → the names in it that do. */
  readonly #leading: ReadonlyMap<string, ReadonlySet<string>>
  readonly #root: Mount

  /** @param mounts with distinct mount points; their order does not matter */
  constructor(mounts: readonly TreeMount[]) {
    assert(
      mounts.every(({ at }) => at !== '/'),
      'the root of a tree is not a mount point',
    )
    assert(new Set(mounts.map(({ at }) => at)).size === mounts.length, 'two mounts at one point')
    this.#mounts = mounts.toSorted((a, b) => b.at.length - a.at.length)
    this.#leading = findLeading(mounts)
    this.#root = makeRoot(this.#leading)
  }

  /** @param path normalised */
  resolve(path: string): Place {
    for (const { at, mount, labels = noLabels } of this.#mounts) {
      if (covers(at, path)) return { mount, path: path.slice(at.length) || '/', at, labels }
    }
    return { mount: this.#root, path, at: '/', labels: noLabels }
  }

  /** What the content, the size, the names at a path carry. */
  labelsOf(path: string): Labels {
    const place = this.resolve(path)
    return joinLabels(place.labels, place.mount.labels.of(place.path))
  }

  /** What folders on the way brought that a labelled process made or moved. */
  labelsThrough(path: string): Labels {
    const place = this.resolve(path)
    return place.mount.labels.through(place.path)
  }

  /** @throws SyscallError EROFS where nobody labels files */
  releaseAt(path: string): Releasable {
    const { mount, path: within, labels: fixed } = this.resolve(path)
    const { labels } = mount
    if (labels.release === undefined)
      throw new SyscallError(
        'EROFS',
        'what is shown there is not a file of its own, and is released by nobody',
      )
    return {
      ...{ changes: labels.changes ?? 0, carried: labels.of(within), fixed },
      release: (released) => labels.release?.(within, released),
    }
  }

  /** What carries that there is something, or nothing, at a path. */
  labelsAround(path: string): Labels {
    const place = this.resolve(path)
    return joinLabels(place.labels, place.mount.labels.around(place.path))
  }

  read(path: string, offset: number, length: number | undefined): Awaitable<Uint8Array> {
    if (this.#leading.has(path)) throw because('EISDIR')
    const place = this.resolve(path)
    return place.mount.read(place.path, offset, length)
  }

  write(
    path: string,
    data: Uint8Array,
    how: 'replace' | 'append',
    labels: Labels = noLabels,
    naming = labels,
    payload?: string,
  ): Awaitable<void> {
    if (this.#leading.has(path)) throw because('EISDIR')
    const place = this.resolve(path)
    return place.mount.write(place.path, data, how, labels, naming, payload)
  }

  async list(path: string): Promise<readonly ListEntry[]> {
    const place = this.resolve(path)
    const leading = this.#leading.get(path)
    if (leading === undefined) return place.mount.list(place.path)
    const entries = new Map((await listIfFolder(place)).map((entry) => [entry.name, entry]))
    for (const name of leading) entries.set(name, { name, type: 'folder' })
    return [...entries.values()].sort(byName)
  }

  async stat(path: string): Promise<FileStat> {
    const place = this.resolve(path)
    if (!this.#leading.has(path)) return place.mount.stat(place.path)
    return { type: 'folder', size: 0, modified: 0 }
  }

  mkdir(path: string, labels: Labels = noLabels): Awaitable<void> {
    if (this.#leading.has(path)) throw because('EEXIST')
    const place = this.resolve(path)
    return place.mount.mkdir(place.path, labels)
  }

  /** @throws SyscallError EBUSY for a mount point or a folder above one */
  remove(path: string, recursive: boolean, labels: Labels = noLabels): Awaitable<void> {
    this.#assertNoMountPoint(path)
    const place = this.resolve(path)
    return place.mount.remove(place.path, recursive, labels)
  }

  /** @throws SyscallError EXDEV between mounts, as rename(2) does, even where both are the same device */
  move(from: string, to: string, labels: Labels = noLabels): Awaitable<void> {
    this.#assertNoMountPoint(from)
    this.#assertNoMountPoint(to)
    const source = this.resolve(from)
    const target = this.resolve(to)
    if (source.at !== target.at) {
      throw new SyscallError(
        'EXDEV',
        `\`${source.at}\` and \`${target.at}\` are different mounts; write a copy, then remove this one`,
      )
    }
    return source.mount.move(source.path, target.path, labels)
  }

  /** A change of that path follows of whose arguments nothing may be kept. */
  unkept(path: string): void {
    this.resolve(path).mount.unkept?.()
  }

  #assertNoMountPoint(path: string): void {
    const point = this.#mounts.find(({ at }) => covers(path, at))
    if (point !== undefined || path === '/') {
      throw new SyscallError('EBUSY', `\`${point?.at ?? path}\` is a mount point, which stays where it is`)
    }
  }
}

function findLeading(mounts: readonly TreeMount[]): Map<string, Set<string>> {
  const leading = new Map<string, Set<string>>([['/', new Set()]])
  for (const { at } of mounts) {
    for (let path = at; path !== '/'; path = folderOf(path)) {
      const folder = folderOf(path)
      const names = leading.get(folder) ?? new Set()
      leading.set(folder, names.add(path.slice(folder === '/' ? 1 : folder.length + 1)))
    }
  }
  return leading
}

/** What no mount covers: only the folders that lead to mounts. */
function makeRoot(leading: ReadonlyMap<string, ReadonlySet<string>>): Mount {
  const points = [...(leading.get('/') ?? [])].map((name) => `\`${inFolder('/', name)}\``).sort()
  return new VirtualMount(
    (path) => {
      const names = leading.get(path)
      return names && { type: 'folder', entries: [...names].map((name) => ({ name, type: 'folder' })) }
    },
    noPathLabels,
    `no mount covers it; what there is lies below ${points.join(', ')}`,
  )
}

async function listIfFolder(place: Place): Promise<readonly ListEntry[]> {
  try {
    return await place.mount.list(place.path)
  } catch (cause) {
    if (cause instanceof SyscallError && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return []
    throw cause
  }
}
