/** The files of a process, behind grants: JSON in, JSON out. */
import { SyscallError } from '../../errors.ts'
import { Grant } from '../../grant.ts'
import type { Json } from '../../json.ts'
import { assertCount, type Content, toBytes, toContent } from './content.ts'
import type { Tree } from './tree.ts'

export interface ReadOptions {
  /** Where to begin, in bytes; 0 by default. */
  readonly offset?: number | undefined
  /** How many bytes at most; absent means to the end. */
  readonly length?: number | undefined
  /** `text` (UTF-8) by default. */
  readonly encoding?: 'text' | 'bytes' | undefined
}

/**
 * Each method takes the gate's grant for exactly this call, the process's tree and a normalised path.
 * A promise rejects with SyscallError for what an agent may do wrong or meet, and with Error for a broken invariant:
 * a grant that is missing, over, or for another call.
 */
export class VfsDriver {
  /** @returns `{ text }`, or `{ base64 }` where bytes are asked for; a read past the end is empty */
  async read(grant: Grant, tree: Tree, path: string, options: ReadOptions = {}): Promise<Json> {
    demand(grant, 'fs.read', path)
    assertCount(options.offset, 'offset')
    assertCount(options.length, 'length')
    const bytes = await tree.read(path, options.offset ?? 0, options.length)
    return toContent(bytes, options.encoding ?? 'text')
  }

  /** Replaces the file, or makes it where its folder exists. */
  async write(grant: Grant, tree: Tree, path: string, content: Content): Promise<Json> {
    demand(grant, 'fs.write', path)
    await tree.write(path, toBytes(content), 'replace')
    return null
  }

  /** Adds to the end of the file, or makes it where its folder exists. */
  async append(grant: Grant, tree: Tree, path: string, content: Content): Promise<Json> {
    demand(grant, 'fs.append', path)
    await tree.write(path, toBytes(content), 'append')
    return null
  }

  /** @returns `[{ name, type: 'file' | 'folder' }]`, ordered by name */
  async list(grant: Grant, tree: Tree, path: string): Promise<Json> {
    demand(grant, 'fs.list', path)
    return (await tree.list(path)).map(({ name, type }) => ({ name, type }))
  }

  /** @returns `{ type, size, modified }`: bytes, and ms since 1970 */
  async stat(grant: Grant, tree: Tree, path: string): Promise<Json> {
    demand(grant, 'fs.stat', path)
    const { type, size, modified } = await tree.stat(path)
    return { type, size, modified }
  }

  async mkdir(grant: Grant, tree: Tree, path: string): Promise<Json> {
    demand(grant, 'fs.mkdir', path)
    await tree.mkdir(path)
    return null
  }

  /** @param options with `recursive`, a folder goes with all it holds; without, only when it is empty */
  async remove(
    grant: Grant,
    tree: Tree,
    path: string,
    options: { readonly recursive?: boolean | undefined } = {},
  ): Promise<Json> {
    demand(grant, 'fs.remove', path)
    await tree.remove(path, options.recursive ?? false)
    return null
  }

  /** A file at the target is replaced, as rename(2) does. */
  async move(grant: Grant, tree: Tree, from: string, to: string): Promise<Json> {
    demand(grant, 'fs.move', from)
    demand(grant, 'fs.move', to)
    await tree.move(from, to)
    return null
  }

  /** Whether an effect on this path outlives the kernel, so that its intent has to be durable first. */
  isExternal(tree: Tree, path: string): boolean {
    return tree.resolve(path).mount.external
  }
}

function demand(grant: Grant, syscall: string, path: string): void {
  Grant.demand(grant, syscall, path)
  if (grant.signal.aborted) throw new SyscallError('EINTR', 'the process ended before the call began')
}
