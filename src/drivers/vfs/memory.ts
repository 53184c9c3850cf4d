/** A folder in memory: one memfs volume, where nothing is kept beyond its quota. */
import { Volume } from 'memfs'
import { SyscallError } from '../../errors.ts'
import { assertFileSize, spanOf } from './content.ts'
import type { FileStat, ListEntry, Mount, MountMode } from './mount.ts'
import { covers, folderOf, inFolder } from './path.ts'
import { Quota } from './quota.ts'
import { assertMode, because, noFolder, translate } from './reasons.ts'
import { byName } from './virtual.ts'

export interface MemoryOptions {
  readonly mode: MountMode
  /** Wall time in ms since 1970, for `modified`. */
  readonly now: () => number
  /** Shared by mounts that count together; its own by default. */
  readonly quota?: Quota
  /** Folders that are there from the start and cannot be removed or moved; parents first. */
  readonly folders?: readonly string[]
  /** What it holds from the start, by path; the folders on the way are made. The only content of a read-only one. */
  readonly files?: Readonly<Record<string, string>>
}

/**
 * Every method is synchronous, so no call sees another one half done.
 * memfs is asked only for what was checked here first: its own rename would move a folder into itself.
 * No hard or symbolic link can be made, so one path is one file.
 */
export class MemoryMount implements Mount {
  readonly external = false
  readonly #volume = new Volume()
  readonly #mode: MountMode
  readonly #now: () => number
  readonly #quota: Quota
  readonly #fixed: readonly string[]

  constructor(options: MemoryOptions) {
    this.#mode = options.mode
    this.#now = options.now
    this.#quota = options.quota ?? new Quota()
    this.#fixed = ['/', ...(options.folders ?? [])]
    this.#touch('/')
    for (const folder of options.folders ?? []) this.#makeFolder(folder)
    for (const [path, text] of Object.entries(options.files ?? {})) {
      this.#makeFolders(folderOf(path))
      this.#put(path, Buffer.from(text, 'utf8'), 'replace', undefined)
    }
  }

  read(path: string, offset: number, length: number | undefined): Uint8Array {
    const found = this.#need(path)
    if (found.type === 'folder') throw because('EISDIR')
    const bytes = Buffer.alloc(spanOf(found.size, offset, length))
    const file = this.#volume.openSync(path, 'r')
    try {
      this.#volume.readSync(file, bytes, 0, bytes.length, offset)
    } finally {
      this.#volume.closeSync(file)
    }
    return bytes
  }

  write(path: string, data: Uint8Array, how: 'replace' | 'append'): void {
    assertMode(this.#mode, 'add')
    const before = this.#find(path)
    if (before?.type === 'folder') throw because('EISDIR')
    if (before === undefined) this.#assertFolder(folderOf(path))
    else if (how === 'replace') assertMode(this.#mode, 'alter')
    this.#put(path, data, how, before)
  }

  list(path: string): readonly ListEntry[] {
    if (this.#need(path).type === 'file') throw because('ENOTDIR')
    return this.#names(path)
      .map((name): ListEntry => ({ name, type: this.#need(inFolder(path, name)).type }))
      .sort(byName)
  }

  stat(path: string): FileStat {
    return this.#need(path)
  }

  mkdir(path: string): void {
    assertMode(this.#mode, 'add')
    if (this.#find(path) !== undefined) throw because('EEXIST')
    this.#assertFolder(folderOf(path))
    this.#makeFolder(path)
    this.#touch(folderOf(path))
  }

  remove(path: string, recursive: boolean): void {
    assertMode(this.#mode, 'alter')
    const found = this.#need(path)
    this.#assertNotFixed(path)
    if (found.type === 'folder' && !recursive && this.#names(path).length > 0) throw because('ENOTEMPTY')
    const held = this.#count(path)
    this.#volume.rmSync(path, { recursive: true })
    this.#quota.book(-held.bytes, -held.files)
    this.#touch(folderOf(path))
  }

  /** As rename(2): replaces a file by a file and an empty folder by a folder. */
  move(from: string, to: string): void {
    assertMode(this.#mode, 'alter')
    const source = this.#need(from)
    this.#assertNotFixed(from)
    if (from === to) return
    if (covers(from, to)) throw because('EINVAL')
    const target = this.#find(to)
    if (target === undefined) this.#assertFolder(folderOf(to))
    else this.#clear(to, target, source)
    this.#volume.renameSync(from, to)
    this.#touch(folderOf(from))
    this.#touch(folderOf(to))
  }

  #put(path: string, data: Uint8Array, how: 'replace' | 'append', before: FileStat | undefined): void {
    const size = data.length + (how === 'append' ? (before?.size ?? 0) : 0)
    assertFileSize(size)
    const bytes = size - (before?.size ?? 0)
    const files = before === undefined ? 1 : 0
    this.#quota.assertRoom(bytes, files)
    this.#volume.writeFileSync(path, Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
      flag: how === 'append' ? 'a' : 'w',
    })
    this.#quota.book(bytes, files)
    this.#touch(path)
    if (before === undefined) this.#touch(folderOf(path))
  }

  #clear(path: string, target: FileStat, source: FileStat): void {
    this.#assertNotFixed(path)
    if (target.type === 'folder' && source.type === 'file') throw because('EISDIR')
    if (target.type === 'file' && source.type === 'folder') throw because('ENOTDIR')
    if (target.type === 'folder' && this.#names(path).length > 0) throw because('ENOTEMPTY')
    this.#volume.rmSync(path, { recursive: true })
    this.#quota.book(-target.size, -1)
  }

  #makeFolders(path: string): void {
    if (this.#find(path) !== undefined) return
    this.#makeFolders(folderOf(path))
    this.#makeFolder(path)
  }

  #makeFolder(path: string): void {
    this.#quota.assertRoom(0, 1)
    this.#volume.mkdirSync(path)
    this.#quota.book(0, 1)
    this.#touch(path)
  }

  #need(path: string): FileStat {
    const found = this.#find(path)
    if (found === undefined) throw because('ENOENT')
    return found
  }

  #find(path: string): FileStat | undefined {
    try {
      const stat = this.#volume.statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return undefined
      const folder = stat.isDirectory()
      return {
        type: folder ? 'folder' : 'file',
        size: folder ? 0 : Number(stat.size),
        modified: Number(stat.mtimeMs),
      }
    } catch (cause) {
      throw translate(cause)
    }
  }

  #assertFolder(path: string): void {
    const found = this.#find(path)
    if (found === undefined) throw noFolder()
    if (found.type === 'file') throw because('ENOTDIR')
  }

  #assertNotFixed(path: string): void {
    if (this.#fixed.some((folder) => covers(path, folder))) {
      throw new SyscallError('EBUSY', 'the folder is part of the layout and stays; remove what it holds')
    }
  }

  #names(path: string): string[] {
    return this.#volume.readdirSync(path).map(String)
  }

  #count(path: string): { bytes: number; files: number } {
    const found = this.#need(path)
    const total = { bytes: found.size, files: 1 }
    if (found.type === 'file') return total
    for (const name of this.#names(path)) {
      const held = this.#count(inFolder(path, name))
      total.bytes += held.bytes
      total.files += held.files
    }
    return total
  }

  /** memfs stamps with the host's clock; a mount has the kernel's, so that a replay sees the same. */
  #touch(path: string): void {
    const now = new Date(this.#now())
    this.#volume.utimesSync(path, now, now)
  }
}
