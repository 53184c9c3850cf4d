/** A folder in memory as a mount: its modes, its quota, and the errno for each thing that cannot be done. */
import { SyscallError } from '../../errors.ts'
import { type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import { assertFileSize, spanOf } from './content.ts'
import type { Image } from './image.ts'
import type { FileStat, ListEntry, Mount, MountMode } from './mount.ts'
import { covers, folderOf, inFolder } from './path.ts'
import { PathLabels } from './path-labels.ts'
import { Quota } from './quota.ts'
import { assertMode, because, noFolder } from './reasons.ts'
import type { Sources } from './sources.ts'
import { byName } from './virtual.ts'
import { CountedVolume } from './volume.ts'

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
  /** Where it is remembered of what its files are made; without, no image of it can be taken. */
  readonly sources?: Sources
}

/** Every method is synchronous, so no call sees another one half done. */
export class MemoryMount implements Mount {
  readonly external = false
  readonly fixed = false
  /** Exact: a file is where its path says, and nobody else changes it. */
  readonly labels = new PathLabels()
  readonly #mode: MountMode
  readonly #folders: readonly string[]
  readonly #volume: CountedVolume
  readonly #sources: Sources | undefined
  #isKept = true

  constructor(options: MemoryOptions) {
    this.#mode = options.mode
    this.#folders = options.folders ?? []
    this.#sources = options.sources
    this.#volume = new CountedVolume(options.quota ?? new Quota(), options.now, this.#folders)
    for (const [path, text] of Object.entries(options.files ?? {})) {
      this.#makeFolders(folderOf(path))
      this.#volume.write(path, Buffer.from(text, 'utf8'), 'replace', undefined)
    }
  }

  read(path: string, offset: number, length: number | undefined): Uint8Array {
    const found = this.#need(path)
    if (found.type === 'folder') throw because('EISDIR')
    return this.#volume.read(path, offset, spanOf(found.size, offset, length))
  }

  write(
    path: string,
    data: Uint8Array,
    how: 'replace' | 'append',
    labels: Labels = noLabels,
    naming = labels,
    payload?: string,
  ): void {
    assertMode(this.#mode, 'add')
    const before = this.#volume.find(path)
    if (before?.type === 'folder') throw because('EISDIR')
    if (before === undefined) this.#assertFolder(folderOf(path))
    else if (how === 'replace') assertMode(this.#mode, 'alter')
    assertFileSize(data.length + (how === 'append' ? (before?.size ?? 0) : 0))
    const folder = folderOf(path)
    this.labels.assertRoom([path], labels)
    if (before === undefined) this.labels.assertRoom([folder], naming)
    this.#volume.write(path, data, how, before?.size)
    if (how === 'replace' || before === undefined) this.#sources?.set(path, payload)
    else this.#sources?.add(path, payload)
    if (how === 'replace') this.labels.set(path, labels)
    else this.labels.add(path, labels)
    if (before === undefined) this.labels.add(folder, naming)
  }

  list(path: string): readonly ListEntry[] {
    if (this.#need(path).type === 'file') throw because('ENOTDIR')
    const names = this.#volume.names(path)
    return names
      .map((name): ListEntry => ({ name, type: this.#need(inFolder(path, name)).type }))
      .sort(byName)
  }

  stat(path: string): FileStat {
    return this.#need(path)
  }

  mkdir(path: string, labels: Labels = noLabels): void {
    assertMode(this.#mode, 'add')
    if (this.#volume.find(path) !== undefined) throw because('EEXIST')
    this.#assertFolder(folderOf(path))
    this.labels.assertRoom([folderOf(path)], labels)
    this.#volume.makeFolder(path)
    this.labels.make(path, labels)
    this.labels.add(folderOf(path), labels)
  }

  remove(path: string, recursive: boolean, labels: Labels = noLabels): void {
    assertMode(this.#mode, 'alter')
    const found = this.#need(path)
    this.#assertNotFixed(path)
    if (!recursive) this.#assertEmpty(path, found)
    this.labels.assertRoom([folderOf(path)], labels)
    this.#volume.drop(path)
    this.#sources?.drop(path, found.type === 'folder')
    this.labels.drop(path)
    this.labels.add(folderOf(path), labels)
  }

  /** As rename(2): replaces a file by a file and an empty folder by a folder. */
  move(from: string, to: string, labels: Labels = noLabels): void {
    assertMode(this.#mode, 'alter')
    const source = this.#need(from)
    this.#assertNotFixed(from)
    if (from === to) return
    if (covers(from, to)) throw because('EINVAL')
    const target = this.#volume.find(to)
    if (target === undefined) this.#assertFolder(folderOf(to))
    else this.#assertReplaceable(to, target, source)
    // No path grows beyond what a call can name, so that whatever walks the tree ends within a known depth.
    if (this.#volume.longest(from) - from.length + to.length > limits.pathMax) throw because('ENAMETOOLONG')
    const folders = [folderOf(from), folderOf(to)]
    this.labels.assertRoom([from, ...folders], labels)
    if (target !== undefined) {
      this.#volume.drop(to)
      this.#sources?.drop(to, false)
    }
    this.#volume.rename(from, to)
    this.#sources?.move(from, to, source.type === 'folder')
    this.labels.move(from, to, labels)
    for (const folder of folders) this.labels.add(folder, labels)
  }

  /** From here on a name may lie here that is kept nowhere: no image is taken any more. */
  unkept(): void {
    this.#isKept = false
  }

  /** @returns what it holds now; undefined where something of it may not be kept, or it is not known of what all its files are made */
  image(): Image | undefined {
    if (!this.#isKept) return undefined
    if (!this.#volume.isUsed) return { folders: [], files: [], labels: [] }
    const [folders, files] = [[], []] as [Image['folders'], Image['files']]
    const walk = (path: string): boolean => {
      const { type, size, modified } = this.#need(path)
      if (type === 'folder') {
        folders.push([path, modified])
        return this.#volume.names(path).every((name) => walk(inFolder(path, name)))
      }
      const payloads = this.#sources?.of(path)
      if (payloads !== undefined) files.push([path, modified, size, [...payloads]])
      return payloads !== undefined
    }
    return walk('/') ? { folders, files, labels: this.labels.all } : undefined
  }

  /**
   * Puts into an untouched mount what an image of it names.
   * @param contentOf what the call wrote whose arguments have that hash
   * @throws SyscallError where it does not fit; RangeError where a file would not be as long as it was
   */
  restore(image: Image, contentOf: (payload: string) => Uint8Array): void {
    for (const [path] of image.folders)
      if (this.#volume.find(path) === undefined) this.#volume.makeFolder(path)
    for (const [path, , size, payloads] of image.files) {
      const content = Buffer.concat(payloads.map(contentOf))
      if (content.length !== size)
        throw new RangeError(`\`${path}\` has ${content.length} bytes, and had ${size}`)
      this.#volume.write(path, content, 'replace', undefined)
      payloads.forEach((payload, index) => {
        if (index === 0) this.#sources?.set(path, payload)
        else this.#sources?.add(path, payload)
      })
    }
    for (const [path, modified] of [...image.files, ...image.folders])
      this.#volume.setModified(path, modified)
    this.labels.restore(image.labels)
  }

  #makeFolders(path: string): void {
    if (this.#volume.find(path) !== undefined) return
    this.#makeFolders(folderOf(path))
    this.#volume.makeFolder(path)
  }

  #need(path: string): FileStat {
    const found = this.#volume.find(path)
    if (found === undefined) throw because('ENOENT')
    return found
  }

  #assertFolder(path: string): void {
    const found = this.#volume.find(path)
    if (found === undefined) throw noFolder()
    if (found.type === 'file') throw because('ENOTDIR')
  }

  #assertEmpty(path: string, found: FileStat): void {
    if (found.type === 'folder' && this.#volume.names(path).length > 0) throw because('ENOTEMPTY')
  }

  #assertReplaceable(path: string, target: FileStat, source: FileStat): void {
    this.#assertNotFixed(path)
    if (target.type === 'folder' && source.type === 'file') throw because('EISDIR')
    if (target.type === 'file' && source.type === 'folder') throw because('ENOTDIR')
    this.#assertEmpty(path, target)
  }

  #assertNotFixed(path: string): void {
    if (path === '/' || this.#folders.some((folder) => covers(path, folder))) {
      throw new SyscallError('EBUSY', 'the folder is part of the layout and stays; remove what it holds')
    }
  }
}
