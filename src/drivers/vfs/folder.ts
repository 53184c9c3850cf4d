/** A folder of the host that is held open, and the only way to name what lies in it. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, realpathSync, statSync } from 'node:fs'
import { type FileHandle, lstat, open, opendir, realpath, stat as statOf } from 'node:fs/promises'
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { type Hidden, identityOf } from './hidden.ts'
import type { ListEntry } from './mount.ts'
import { isName } from './path.ts'
import { because, noFolder } from './reasons.ts'

/** What a name in a folder leads to. `other` is a pipe, socket or device. */
export type Seen =
  | { readonly kind: 'file'; readonly stat: BigIntStats }
  | { readonly kind: 'folder'; readonly stat: BigIntStats }
  | { readonly kind: 'link' }
  | { readonly kind: 'other' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'hidden' }

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const fileFlags = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Names of one listing that are looked at together. */
const looksAtOnce = 64

/**
 * Pinned, a name is reached through the open descriptor (`/proc/self/fd/N/name`, proc(5)), so that nothing that happens
 * to the folders above leads elsewhere. Otherwise by real path, where a swap between two system calls can win.
 */
export class HostFolder {
  readonly identity: string
  /** What the host called it when it was opened, without links; names labels and nothing else. Empty but for the root. */
  readonly real: string
  readonly #base: string
  readonly #pinned: boolean
  readonly #hidden: Hidden
  readonly #shut: () => unknown

  private constructor(
    base: string,
    stat: BigIntStats,
    pinned: boolean,
    hidden: Hidden,
    shut: () => unknown,
    real = '',
  ) {
    this.#base = base
    this.real = real
    this.identity = identityOf(stat)
    this.#pinned = pinned
    this.#hidden = hidden
    this.#shut = shut
  }

  /** Opens the folder of a mount, once; a link as the folder itself is the application's own choice and followed. */
  static openRoot(path: string, pinned: boolean, hidden: Hidden): HostFolder {
    const real = realpathSync(path)
    const fd = openSync(real, folderFlags)
    try {
      const base = pinned ? `/proc/self/fd/${fd}` : real
      const stat = fstatSync(fd, { bigint: true })
      const reached = statSync(base, { bigint: true, throwIfNoEntry: false })
      if (reached === undefined || identityOf(reached) !== identityOf(stat)) throw because('EIO')
      return new HostFolder(base, stat, pinned, hidden, () => closeSync(fd), real)
    } catch (cause) {
      closeSync(fd)
      throw cause
    }
  }

  /** The host path of a name here; good as long as this folder is open. */
  at(name: string): string {
    return `${this.#base}/${name}`
  }

  async look(name: string): Promise<Seen> {
    if (this.#hidden.hidesPlace(this.identity, name)) return { kind: 'hidden' }
    const stat = await lstatIfThere(this.at(name))
    if (stat === undefined) return { kind: 'absent' }
    if (this.#hidden.hidesFile(identityOf(stat))) return { kind: 'hidden' }
    if (stat.isSymbolicLink()) return { kind: 'link' }
    if (!stat.isFile() && !stat.isDirectory()) return { kind: 'other' }
    if (!(await this.#isTrueName(name))) return { kind: 'link' }
    return stat.isFile() ? { kind: 'file', stat } : { kind: 'folder', stat }
  }

  /** @throws SyscallError ENOENT, ELOOP or EPERM for what is no file or folder */
  async need(name: string, missing = because('ENOENT')): Promise<Extract<Seen, { stat: BigIntStats }>> {
    const seen = await this.look(name)
    if (seen.kind === 'file' || seen.kind === 'folder') return seen
    if (seen.kind === 'absent' || seen.kind === 'hidden') throw missing
    throw because(seen.kind === 'link' ? 'ELOOP' : 'ENXIO')
  }

  /** Opens a folder in this one; the caller closes it. */
  async enter(name: string): Promise<HostFolder> {
    if ((await this.need(name, noFolder())).kind === 'file') throw because('ENOTDIR')
    const handle = await open(this.at(name), folderFlags)
    try {
      const stat = await handle.stat({ bigint: true })
      if (this.#hidden.hidesFile(identityOf(stat))) throw because('ENOENT')
      if (!(await this.#isTrueName(name))) throw because('ELOOP')
      const base = this.#pinned ? `/proc/self/fd/${handle.fd}` : this.at(name)
      return new HostFolder(base, stat, this.#pinned, this.#hidden, () => handle.close())
    } catch (cause) {
      await handle.close()
      throw cause
    }
  }

  /**
   * Opens a regular file; the caller closes it.
   * It is looked at first, since opening a pipe would be noticed at its other end, and again once it is open.
   * @param access O_RDONLY or O_WRONLY, with O_APPEND
   */
  async openFile(name: string, access: number): Promise<FileHandle> {
    if ((await this.need(name)).kind === 'folder') throw because('EISDIR')
    const file = await open(this.at(name), access | fileFlags)
    try {
      const stat = await file.stat({ bigint: true })
      if (!stat.isFile()) throw because(stat.isDirectory() ? 'EISDIR' : 'ENXIO')
      if (this.#hidden.hidesFile(identityOf(stat))) throw because('ENOENT')
      return file
    } catch (cause) {
      await file.close()
      throw cause
    }
  }

  /** Makes a file that was not there; the caller closes it. */
  createFile(name: string, access: number): Promise<FileHandle> {
    return open(this.at(name), access | constants.O_CREAT | constants.O_EXCL | fileFlags, 0o666)
  }

  /** Files and folders that a guest path can name; links, pipes, devices and hidden files are left out. */
  async entries(): Promise<readonly ListEntry[]> {
    const names: string[] = []
    for await (const { name } of await opendir(this.#base)) {
      if (!isName(name)) continue
      if (names.length >= limits.listMax) {
        throw new SyscallError('EFBIG', `the folder holds more than ${limits.listMax} names`)
      }
      names.push(name)
    }
    const entries: ListEntry[] = []
    for (let start = 0; start < names.length; start += looksAtOnce) {
      const part = names.slice(start, start + looksAtOnce)
      const seen = await Promise.all(part.map(async (name) => ({ name, kind: (await this.look(name)).kind })))
      for (const { name, kind } of seen) {
        if (kind === 'file' || kind === 'folder') entries.push({ name, type: kind })
      }
    }
    return entries
  }

  /** Last change of the folder itself, ms since 1970. */
  async modified(): Promise<number> {
    return (await statOf(this.#base)).mtimeMs
  }

  async close(): Promise<void> {
    await this.#shut()
  }

  /** Without pinning, a path is only what the host itself calls it: no link, no other case of the same letters. */
  async #isTrueName(name: string): Promise<boolean> {
    return this.#pinned || (await realpath(this.at(name))) === this.at(name)
  }
}

async function lstatIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw cause
  }
}
