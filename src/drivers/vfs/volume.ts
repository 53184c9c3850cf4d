/** One memfs volume, counted: nothing is kept beyond its quota, and every time is the kernel's. */
import { type IProcess, Volume } from 'memfs'
import { limits } from '../../limits.ts'
import type { FileStat } from './mount.ts'
import { folderOf, inFolder } from './path.ts'
import type { Quota } from './quota.ts'
import { translate } from './reasons.ts'

/** Whose files these are: nobody of the host's; memfs would otherwise ask the system at every step of every path. */
const nobody: IProcess = {
  cwd: () => '/',
  platform: 'linux',
  emitWarning: () => {},
  env: {},
  getuid: () => 0,
  getgid: () => 0,
}

/**
 * Does what it is told without judging it: memfs is asked only for what MemoryMount has checked, since its own rename
 * would move a folder into itself. No hard or symbolic link is ever made, so one path is one file.
 */
export class CountedVolume {
  readonly #quota: Quota
  readonly #now: () => number
  readonly #folders: readonly string[]
  #made: Volume | undefined
  readonly #readers = new Map<string, number>()

  /** @param folders that are there from the start, parents first; counted at once */
  constructor(quota: Quota, now: () => number, folders: readonly string[]) {
    this.#quota = quota
    this.#now = now
    this.#folders = folders
    quota.assertRoom(0, folders.length)
    quota.book(0, folders.length)
  }

  /** @throws SyscallError ENOTDIR for a path below a file */
  find(path: string): FileStat | undefined {
    try {
      const stat = this.#volume.statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return undefined
      const modified = Number(stat.mtimeMs)
      if (stat.isDirectory()) return { type: 'folder', size: 0, modified }
      return { type: 'file', size: Number(stat.size), modified }
    } catch (cause) {
      throw translate(cause)
    }
  }

  names(folder: string): readonly string[] {
    return this.#volume.readdirSync(folder).map(String)
  }

  read(path: string, offset: number, span: number): Uint8Array {
    const bytes = Buffer.alloc(span)
    this.#volume.readSync(this.#openToRead(path), bytes, 0, span, offset)
    return bytes
  }

  /** Opening costs more than reading, and the same few files are read again and again. */
  #openToRead(path: string): number {
    const known = this.#readers.get(path)
    if (known !== undefined) return known
    if (this.#readers.size >= limits.volumeReadersMax) this.#closeReaders()
    const file = this.#volume.openSync(path, 'r')
    this.#readers.set(path, file)
    return file
  }

  /** A path may mean another file from now on. */
  #closeReaders(): void {
    for (const file of this.#readers.values()) this.#volume.closeSync(file)
    this.#readers.clear()
  }

  /**
   * @param sizeBefore of the file in bytes; undefined where there is none
   * @throws SyscallError EDQUOT, and then nothing has changed
   */
  write(path: string, data: Uint8Array, how: 'replace' | 'append', sizeBefore: number | undefined): void {
    const bytes = data.length - (how === 'replace' ? (sizeBefore ?? 0) : 0)
    const files = sizeBefore === undefined ? 1 : 0
    this.#quota.assertRoom(bytes, files)
    const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#volume.writeFileSync(path, buffer, { flag: how === 'append' ? 'a' : 'w' })
    this.#quota.book(bytes, files)
    this.#touch(path)
    if (sizeBefore === undefined) this.#touch(folderOf(path))
  }

  /** @throws SyscallError EDQUOT, and then nothing has changed */
  makeFolder(path: string): void {
    this.#quota.assertRoom(0, 1)
    this.#volume.mkdirSync(path)
    this.#quota.book(0, 1)
    this.#touch(path)
    this.#touch(folderOf(path))
  }

  /** Whether anybody has looked or written here. */
  get isUsed(): boolean {
    return this.#made !== undefined
  }

  /** @param modified ms since 1970 */
  setModified(path: string, modified: number): void {
    const time = new Date(modified)
    this.#volume.utimesSync(path, time, time)
  }

  /** Removes a file, or a folder with all it holds. */
  drop(path: string): void {
    const held = this.#count(path)
    this.#closeReaders()
    this.#volume.rmSync(path, { recursive: true })
    this.#quota.book(-held.bytes, -held.files)
    this.#touch(folderOf(path))
  }

  /** To a name that is free. */
  rename(from: string, to: string): void {
    this.#closeReaders()
    this.#volume.renameSync(from, to)
    this.#touch(folderOf(from))
    this.#touch(folderOf(to))
  }

  /** The length of the longest path at or below one. */
  longest(path: string): number {
    if (this.find(path)?.type !== 'folder') return path.length
    return Math.max(path.length, ...this.names(path).map((name) => this.longest(inFolder(path, name))))
  }

  /** Made on first use: a volume is some 17 KB, and most agents touch few of their mounts. */
  get #volume(): Volume {
    if (this.#made === undefined) {
      this.#made = Volume.fromNestedJSON({}, '/', { process: nobody })
      this.#touch('/')
      for (const folder of this.#folders) {
        this.#made.mkdirSync(folder)
        this.#touch(folder)
      }
    }
    return this.#made
  }

  #count(path: string): { readonly bytes: number; readonly files: number } {
    const found = this.find(path)
    if (found?.type !== 'folder') return { bytes: found?.size ?? 0, files: 1 }
    let bytes = 0
    let files = 1
    for (const name of this.names(path)) {
      const held = this.#count(inFolder(path, name))
      bytes += held.bytes
      files += held.files
    }
    return { bytes, files }
  }

  /** memfs stamps with the host's clock; the kernel's makes a replay see the same. */
  #touch(path: string): void {
    this.setModified(path, this.#now())
  }
}
