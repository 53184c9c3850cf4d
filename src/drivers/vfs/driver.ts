/** The files of a process, behind grants: JSON in, JSON out. */
import { SyscallError } from '../../errors.ts'
import { Grant, type GrantScope } from '../../grant.ts'
import type { Json } from '../../json.ts'
import { type Labels, noLabels } from '../../labels.ts'
import { assertCount, type Content, toBytes, toContent } from './content.ts'
import { type Looked, lookAt } from './look.ts'
import type { Awaitable } from './mount.ts'
import type { Tree } from './tree.ts'

export interface ReadOptions {
  /** Where to begin, in bytes; 0 by default. */
  readonly offset?: number | undefined
  /** How many bytes at most; absent means to the end. */
  readonly length?: number | undefined
  /** `text` (UTF-8) by default. */
  readonly encoding?: 'text' | 'bytes' | undefined
}

/** What a file carries when it is written. */
export interface Written {
  /** Of the content; none by default. */
  readonly labels?: Labels
  /** Of who writes, which a new name carries; those of the content by default. */
  readonly naming?: Labels
}

/**
 * Each method takes the gate's grant for exactly this call, the process's tree and a normalised path.
 * What a memory mount does is done when the method returns; what a host mount does, when its promise resolves.
 * Throws, or rejects with, SyscallError for what an agent may do wrong or meet, and Error for a broken invariant:
 * a grant that is missing, over, or for another call.
 */
export class VfsDriver {
  /** @returns `{ text }`, or `{ base64 }` where bytes are asked for; a read past the end is empty */
  read(grant: Grant, tree: Tree, path: string, options: ReadOptions = {}): Awaitable<Json> {
    demand(grant, 'fs.read', path)
    assertCount(options.offset, 'offset')
    assertCount(options.length, 'length')
    const bytes = tree.read(path, options.offset ?? 0, options.length)
    return then(bytes, (read) => toContent(read, options.encoding ?? 'text'))
  }

  /** Replaces the file, or makes it where its folder exists. */
  write(grant: Grant, tree: Tree, path: string, content: Content, written: Written = {}): Awaitable<Json> {
    const { payload } = demandChange(grant, tree, 'fs.write', path)
    const { labels, naming } = written
    return then(tree.write(path, toBytes(content), 'replace', labels, naming, payload), nothing)
  }

  /** Adds to the end of the file, or makes it where its folder exists. */
  append(grant: Grant, tree: Tree, path: string, content: Content, written: Written = {}): Awaitable<Json> {
    const { payload } = demandChange(grant, tree, 'fs.append', path)
    const { labels, naming } = written
    return then(tree.write(path, toBytes(content), 'append', labels, naming, payload), nothing)
  }

  /** @returns `[{ name, type: 'file' | 'folder' }]`, ordered by name */
  list(grant: Grant, tree: Tree, path: string): Awaitable<Json> {
    demand(grant, 'fs.list', path)
    return then(tree.list(path), (entries) => entries.map(({ name, type }) => ({ name, type })))
  }

  /** @returns `{ type, size, modified }`: bytes, and ms since 1970 */
  stat(grant: Grant, tree: Tree, path: string): Awaitable<Json> {
    demand(grant, 'fs.stat', path)
    return then(tree.stat(path), ({ type, size, modified }) => ({ type, size, modified }))
  }

  mkdir(grant: Grant, tree: Tree, path: string, labels: Labels = noLabels): Awaitable<Json> {
    demandChange(grant, tree, 'fs.mkdir', path)
    return then(tree.mkdir(path, labels), nothing)
  }

  /** @param options with `recursive`, a folder goes with all it holds; without, only when it is empty */
  remove(
    grant: Grant,
    tree: Tree,
    path: string,
    options: { readonly recursive?: boolean | undefined; readonly labels?: Labels } = {},
  ): Awaitable<Json> {
    demand(grant, 'fs.remove', path)
    return then(tree.remove(path, options.recursive ?? false, options.labels), nothing)
  }

  /**
   * A file at the target is replaced, as rename(2) does.
   * @param options with `notFolders`, a folder stays where it is: EPERM with that reason
   */
  move(
    grant: Grant,
    tree: Tree,
    from: string,
    to: string,
    { notFolders, labels = noLabels }: { readonly notFolders?: string; readonly labels?: Labels } = {},
  ): Awaitable<Json> {
    demand(grant, 'fs.move', from)
    demandChange(grant, tree, 'fs.move', to)
    if (notFolders === undefined) return then(tree.move(from, to, labels), nothing)
    return then(tree.stat(from), ({ type }) => {
      if (type === 'folder') throw new SyscallError('EPERM', notFolders)
      demand(grant, 'fs.move', from)
      return then(tree.move(from, to, labels), nothing)
    })
  }

  /** What stands there, for a person who is asked to let it change; at once for a mount in memory. */
  look(grant: Grant, tree: Tree, path: string): Awaitable<Looked> {
    demand(grant, 'approval', path)
    const place = tree.resolve(path)
    return lookAt(place.mount, place.path)
  }

  /** Whether an effect on this path outlives the kernel, so that its intent has to be durable first. */
  isExternal(tree: Tree, path: string): boolean {
    return tree.resolve(path).mount.external
  }

  /** Whether nothing that a guest wrote can be read at a path. */
  isFixed(tree: Tree, path: string): boolean {
    return tree.resolve(path).mount.fixed
  }
}

/** Before something comes to lie at a path. */
function demandChange(grant: Grant, tree: Tree, syscall: string, path: string): GrantScope {
  const scope = demand(grant, syscall, path)
  if (scope.payload === undefined) tree.unkept(path)
  return scope
}

function demand(grant: Grant, syscall: string, path: string): GrantScope {
  const scope = Grant.demand(grant, syscall, path)
  if (grant.aborted) throw new SyscallError('EINTR', 'the process ended before the call began')
  return scope
}

const nothing = (): Json => null

/** Goes on at once where there is nothing to wait for: most calls end in memory. */
function then<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
