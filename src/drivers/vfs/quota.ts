/** What memory mounts may hold together, counted to the byte. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'

export class Quota {
  readonly #bytesMax: number
  readonly #filesMax: number
  #bytes = 0
  #files = 0

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

  /** @throws SyscallError EDQUOT when so much more does not fit; what frees space is never refused */
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
  }

  /** Books what has happened; negative numbers give back. */
  book(bytes: number, files: number): void {
    this.#bytes += bytes
    this.#files += files
  }
}
