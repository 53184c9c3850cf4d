/** One device under a process's tree. Every kind passes the contract test in test/contracts/mount.ts. */
import type { Labels } from '../../labels.ts'
import type { MountLabels } from './path-labels.ts'

export type MountMode = 'ro' | 'rw' | 'append'
export type Awaitable<T> = T | Promise<T>

export interface FileStat {
  readonly type: 'file' | 'folder'
  /** Bytes; 0 for a folder. */
  readonly size: number
  /** Last change, ms since 1970. */
  readonly modified: number
}

export interface ListEntry {
  readonly name: string
  readonly type: 'file' | 'folder'
}

/**
 * Paths here are absolute within the mount (`/` is its root), normalised, without `.`, `..`, NUL or a trailing slash.
 * Errors are SyscallError with the errno of POSIX for that case, and never hold a host path.
 */
export interface Mount {
  /** Whether an effect here outlives the kernel, so that its intent has to be durable first. */
  readonly external: boolean
  /** Whether nothing that a guest wrote can be read here. */
  readonly fixed: boolean
  /** What its files and folders carry. */
  readonly labels: MountLabels
  read(path: string, offset: number, length: number | undefined): Awaitable<Uint8Array>
  /**
   * @param labels of the content; none by default, here and below
   * @param naming of who writes, which a new name carries; those of the content by default
   * @param payload hash of the arguments of the call that writes, where they are on record
   */
  write(
    path: string,
    data: Uint8Array,
    how: 'replace' | 'append',
    labels?: Labels,
    naming?: Labels,
    payload?: string,
  ): Awaitable<void>
  list(path: string): Awaitable<readonly ListEntry[]>
  stat(path: string): Awaitable<FileStat>
  mkdir(path: string, labels?: Labels): Awaitable<void>
  /** Removes a file, or a folder that is empty; with `recursive` a folder and all below it. */
  remove(path: string, recursive: boolean, labels?: Labels): Awaitable<void>
  move(from: string, to: string, labels?: Labels): Awaitable<void>
  /** A change follows of whose arguments nothing may be kept. */
  unkept?(): void
}
