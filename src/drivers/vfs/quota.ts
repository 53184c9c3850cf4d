/** What memory mounts may hold together, counted to the byte. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** What all agents' files may take together of the kernel's memory. */
export class Room {
  readonly #bytesMax: number
  #bytes = 0

  /** @param bytesMax contents, and for each file and folder what it counts besides */
  constructor(bytesMax: number = limits.homesBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** @throws SyscallError ENOSPC when so much more does not fit; what frees space is never refused */
  assertRoom(bytes: number, files: number): void {
    const more = bytes + files * limits.homesFileBytes
    if (more > 0 && this.#bytes + more > this.#bytesMax) {
      throw new SyscallError(
        'ENOSPC',
        `the files of all agents would pass ${this.#bytesMax} bytes; \`fs.remove\` below /mem and /state frees some, here or in other agents`,
      )
    }
  }

  book(bytes: number, files: number): void {
    this.#bytes += bytes + files * limits.homesFileBytes
  }
}

export class Quota {
  readonly #bytesMax: number
  readonly #filesMax: number
  #bytes = 0
  #files = 0
  #room: Room | undefined

  /**
   * @param bytesMax contents of all files, in bytes
   * @param filesMax files and folders, the roots of mounts not counted
   */
  constructor(bytesMax: number = limits.vfsBytesMax, filesMax: number = limits.vfsFilesMax) {
    this.#bytesMax = bytesMax
    this.#filesMax = filesMax
  }

  get used(): { readonly bytes: number; readonly files: number } {
    return { bytes: this.#bytes, files: this.#files }
  }

  /** From now on what it holds counts in a room that several quotas share too; what it has already finds place there. */
  shareIn(room: Room): void {
    this.#room = room
    room.book(this.#bytes, this.#files)
  }

  /** @throws SyscallError EDQUOT or ENOSPC when so much more does not fit; what frees space is never refused */
  assertRoom(bytes: number, files: number): void {
    if (bytes > 0 && this.#bytes + bytes > this.#bytesMax) {
      throw new SyscallError(
        'EDQUOT',
        `${bytes} bytes more, and ${this.#bytesMax - this.#bytes} of ${this.#bytesMax} are free; \`fs.remove\` frees some`,
      )
    }
    if (files > 0 && this.#files + files > this.#filesMax) {
      throw new SyscallError(
        'EDQUOT',
        `all ${this.#filesMax} files and folders are in use; \`fs.remove\` frees some`,
      )
    }
    this.#room?.assertRoom(bytes, files)
  }

  /** Books what has happened; negative numbers give back. */
  book(bytes: number, files: number): void {
    this.#bytes += bytes
    this.#files += files
    this.#room?.book(bytes, files)
  }
}
