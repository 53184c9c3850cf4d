/** A folder of the host as a mount: regular files and folders, and no way out of it. */
import { mkdir, rename, rmdir, unlink } from 'node:fs/promises'
import { KernelError, SyscallError } from '../../errors.ts'
import { type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import { assertFileSize } from './content.ts'
import { HostFolder } from './folder.ts'
import { type Hidden, identityOf } from './hidden.ts'
import { HostLabels, HostLabelTable } from './host-labels.ts'
import { appendFile, assertWritable, readFile, replaceFile, reserved } from './hostfile.ts'
import { Lanes } from './lanes.ts'
import type { FileStat, ListEntry, Mount, MountMode } from './mount.ts'
import { covers, folderOf, inFolder, namesOf } from './path.ts'
import { assertMode, because, translate } from './reasons.ts'
import { byName } from './virtual.ts'

export interface HostOptions {
  /** A folder of the host. */
  readonly host: string
  readonly mode: MountMode
  /** What the mount must not show. */
  readonly hidden: Hidden
  /** Whether names are reached through open descriptors; only Linux can, and does by default. */
  readonly pinned?: boolean
  /** Kept for all mounts together, since two may show the same files; its own by default. */
  readonly labels?: HostLabelTable
}

/**
 * Opens a host folder, once: what later happens to its path does not move the mount.
 * @throws KernelError ENOENT, ENOTDIR, EACCES, … or EPERM for a folder of the kernel itself; it names the folder as given
 */
export function openHostMount(options: HostOptions): HostMount {
  const pinned = options.pinned ?? process.platform === 'linux'
  try {
    if (options.hidden.coversFolder(options.host)) {
      throw new SyscallError('EPERM', 'it belongs to the kernel and is shown in no mount')
    }
    const root = HostFolder.openRoot(options.host, pinned, options.hidden)
    return new HostMount(root, options, pinned)
  } catch (cause) {
    const reason = translate(cause)
    if (!(reason instanceof SyscallError)) throw reason
    throw new KernelError(reason.code, `cannot mount the folder \`${options.host}\`: ${reason.message}`)
  }
}

export class HostMount implements Mount {
  readonly external = true
  readonly fixed: boolean
  readonly labels: HostLabels
  /** Whether nothing that happens between check and open leads out; false where only real paths can be compared. */
  readonly pinned: boolean
  readonly #root: HostFolder
  readonly #mode: MountMode
  readonly #hidden: Hidden
  readonly #lanes = new Lanes(limits.hostCallsMax)
  #closed: Promise<void> | undefined

  constructor(root: HostFolder, options: HostOptions, pinned: boolean) {
    this.#root = root
    this.#mode = options.mode
    this.fixed = options.mode === 'ro'
    this.#hidden = options.hidden
    this.labels = new HostLabels(options.labels ?? new HostLabelTable(), root.real)
    this.pinned = pinned
  }

  read(path: string, offset: number, length: number | undefined): Promise<Uint8Array> {
    return this.#parent(path, 'EISDIR', (folder, name) => readFile(folder, name, offset, length))
  }

  async write(
    path: string,
    data: Uint8Array,
    how: 'replace' | 'append',
    labels: Labels = noLabels,
    naming = labels,
  ): Promise<void> {
    assertMode(this.#mode, 'add')
    assertFileSize(data.length)
    await this.labels.change(path, labels, naming, () =>
      this.#parent(path, 'EISDIR', async (folder, name) => {
        if (how === 'append') return appendFile(folder, name, data)
        if ((await folder.look(name)).kind === 'file') assertMode(this.#mode, 'alter')
        await replaceFile(folder, name, data)
      }),
    )
  }

  list(path: string): Promise<readonly ListEntry[]> {
    return this.#run(() => this.#within(path, async (folder) => [...(await folder.entries())].sort(byName)))
  }

  async stat(path: string): Promise<FileStat> {
    if (path === '/') {
      const modified = await this.#run(() => this.#root.modified())
      return { type: 'folder', size: 0, modified }
    }
    return this.#parent(path, 'EINVAL', async (folder, name) => {
      const { kind, stat } = await folder.need(name)
      return { type: kind, size: kind === 'file' ? Number(stat.size) : 0, modified: Number(stat.mtimeMs) }
    })
  }

  async mkdir(path: string, labels: Labels = noLabels): Promise<void> {
    assertMode(this.#mode, 'add')
    await this.labels.make(path, labels, () =>
      this.#parent(path, 'EEXIST', async (folder, name) => {
        if ((await folder.look(name)).kind === 'hidden') throw reserved()
        await mkdir(folder.at(name))
      }),
    )
  }

  /** Links, pipes and devices are not removed; a folder that holds one stays, and that is ENOTEMPTY. */
  async remove(path: string, recursive: boolean, labels: Labels = noLabels): Promise<void> {
    assertMode(this.#mode, 'alter')
    await this.labels.change(path, labels, labels, () =>
      this.#parent(path, 'EBUSY', (folder, name) => this.#removeFrom(folder, name, path, recursive)),
    )
  }

  async move(from: string, to: string, labels: Labels = noLabels): Promise<void> {
    assertMode(this.#mode, 'alter')
    if (from === to) return this.#move(from, to)
    await this.labels.move(from, to, labels, () => this.#move(from, to))
  }

  async #move(from: string, to: string): Promise<void> {
    await this.#parent(from, 'EBUSY', async (source, name) => {
      const { kind, stat } = await source.need(name)
      if (from === to) return
      if (covers(from, to)) throw because('EINVAL')
      if (kind === 'folder') this.#assertNotAbove(identityOf(stat))
      await this.#within(folderOf(to), async (target) => {
        const newName = lastOf(to)
        const seen = await target.look(newName)
        if (seen.kind !== 'folder') assertWritable(seen)
        // Linux itself says ENOTEMPTY for a file that is moved onto a folder above it.
        else if (kind === 'file') throw because('EISDIR')
        await rename(source.at(name), target.at(newName))
      })
    })
  }

  /** Waits for calls in flight, then lets go of the folder. What comes later is EIO. */
  close(): Promise<void> {
    this.#closed ??= this.#lanes.close().then(() => this.#root.close())
    return this.#closed
  }

  async #removeFrom(folder: HostFolder, name: string, path: string, recursive: boolean): Promise<void> {
    const { kind } = await folder.need(name)
    if (kind === 'file') return unlink(folder.at(name))
    if (path.length > limits.pathMax) throw because('ENAMETOOLONG')
    const held = await folder.enter(name)
    try {
      this.#assertNotAbove(held.identity)
      if (recursive) {
        for (const entry of await held.entries()) {
          await this.#removeFrom(held, entry.name, inFolder(path, entry.name), true)
        }
      }
    } finally {
      await held.close()
    }
    await rmdir(folder.at(name))
  }

  #assertNotAbove(identity: string): void {
    if (this.#hidden.liesBelow(identity)) {
      throw new SyscallError('EBUSY', 'the folder holds files of the kernel and stays where it is')
    }
  }

  /** Opens the folder of a path for one call. `atRoot` is the errno for the root itself, which has no folder here. */
  async #parent<T>(
    path: string,
    atRoot: string,
    use: (folder: HostFolder, name: string) => Promise<T>,
  ): Promise<T> {
    if (path === '/') throw because(atRoot)
    return this.#run(() => this.#within(folderOf(path), (folder) => use(folder, lastOf(path))))
  }

  /** Walks down one folder at a time, each opened through the one above. */
  async #within<T>(path: string, use: (folder: HostFolder) => Promise<T>): Promise<T> {
    let folder = this.#root
    try {
      for (const name of namesOf(path)) {
        const next = await folder.enter(name)
        if (folder !== this.#root) await folder.close()
        folder = next
      }
      return await use(folder)
    } finally {
      if (folder !== this.#root) await folder.close()
    }
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await this.#lanes.run(task)
    } catch (cause) {
      throw translate(cause)
    }
  }
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
