/** A read-only tree whose files are computed when they are read: /proc, /policy, /tools, /audit, /ipc. */
import { SyscallError } from '../../errors.ts'
import { spanOf } from './content.ts'
import type { Awaitable, FileStat, ListEntry, Mount } from './mount.ts'
import { folderOf } from './path.ts'
import { type MountLabels, noPathLabels } from './path-labels.ts'
import { because } from './reasons.ts'

export type VirtualNode =
  | { readonly type: 'file'; readonly text: string; readonly modified?: number }
  | { readonly type: 'folder'; readonly entries: readonly ListEntry[] }

/** Says what is at a path of the mount now; undefined where there is nothing. `/` has to be a folder. */
export type VirtualView = (path: string) => Awaitable<VirtualNode | undefined>

export class VirtualMount implements Mount {
  readonly external = false
  /** It shows names and texts that guests gave. */
  readonly fixed = false
  readonly labels: MountLabels
  readonly #view: VirtualView
  readonly #refusal: string

  /**
   * @param view what the tree holds, asked anew for every call
   * @param labels what is shown carries; nothing by default
   * @param refusal why nothing can be written, for the message
   */
  constructor(
    view: VirtualView,
    labels: MountLabels = noPathLabels,
    refusal = 'the kernel writes it, and agents only read it',
  ) {
    this.labels = labels
    this.#view = view
    this.#refusal = refusal
  }

  async read(path: string, offset: number, length: number | undefined): Promise<Uint8Array> {
    const node = await this.#node(path)
    if (node.type === 'folder') throw because('EISDIR')
    const bytes = Buffer.from(node.text, 'utf8')
    return bytes.subarray(offset, offset + spanOf(bytes.length, offset, length))
  }

  async list(path: string): Promise<readonly ListEntry[]> {
    const node = await this.#node(path)
    if (node.type === 'file') throw because('ENOTDIR')
    return [...node.entries].sort(byName)
  }

  async stat(path: string): Promise<FileStat> {
    const node = await this.#node(path)
    if (node.type === 'folder') return { type: 'folder', size: 0, modified: 0 }
    return { type: 'file', size: Buffer.byteLength(node.text), modified: node.modified ?? 0 }
  }

  write(): never {
    throw this.#readOnly()
  }

  mkdir(): never {
    throw this.#readOnly()
  }

  remove(): never {
    throw this.#readOnly()
  }

  move(): never {
    throw this.#readOnly()
  }

  async #node(path: string): Promise<VirtualNode> {
    const node = await this.#view(path)
    if (node !== undefined) return node
    for (let above = folderOf(path); above !== '/'; above = folderOf(above)) {
      const found = await this.#view(above)
      if (found !== undefined) throw because(found.type === 'file' ? 'ENOTDIR' : 'ENOENT')
    }
    throw because('ENOENT')
  }

  #readOnly(): SyscallError {
    return new SyscallError('EROFS', this.#refusal)
  }
}

/** Order of every listing: by UTF-16 units, the same on every host. */
export const byName = (a: ListEntry, b: ListEntry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
