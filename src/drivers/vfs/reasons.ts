/** Why a file call failed, one sentence per errno; what the host says beyond its errno stays on the host. */
import { type Errno, SyscallError } from '../../errors.ts'
import type { MountMode } from './mount.ts'

/** Errnos of the host and of memfs, with what an agent gets for each. */
const reasons: Readonly<Record<string, readonly [code: Errno, why: string]>> = {
  ENOENT: ['ENOENT', 'no such file or folder'],
  ENOTDIR: ['ENOTDIR', 'a part of the path is a file, not a folder'],
  EISDIR: ['EISDIR', 'it is a folder; `fs.list` shows what it holds'],
  EEXIST: ['EEXIST', 'it exists already'],
  ENOTEMPTY: [
    'ENOTEMPTY',
    'the folder is not empty; `recursive` takes its files and folders too, but no links or devices',
  ],
  EINVAL: ['EINVAL', 'a folder cannot be moved into itself'],
  ELOOP: ['ELOOP', 'the path leads through a link, and links are never followed'],
  ENAMETOOLONG: ['ENAMETOOLONG', 'the path, or one below it, would be too long'],
  EXDEV: ['EXDEV', 'it would move to another file system; write a copy, then remove this one'],
  EFBIG: ['EFBIG', 'the file is larger than the host takes'],
  ENOSPC: ['ENOSPC', 'the disk of the host is full'],
  EDQUOT: ['ENOSPC', 'the quota of the host is used up'],
  EROFS: ['EROFS', 'the file system of the host is read-only'],
  // EPERM is this kernel's own refusal; the host's is told apart.
  EACCES: ['EACCES', 'the host does not let the kernel do it'],
  EPERM: ['EACCES', 'the host does not let the kernel do it'],
  EBUSY: ['EBUSY', 'it is in use'],
  ETXTBSY: ['EBUSY', 'the host runs it as a program'],
  EMFILE: ['EAGAIN', 'too many files are open; try again later'],
  ENFILE: ['EAGAIN', 'too many files are open; try again later'],
  ENODEV: ['EPERM', 'it is a pipe, socket or device; only regular files and folders are served'],
  ENXIO: ['EPERM', 'it is a pipe, socket or device; only regular files and folders are served'],
}

/** The refusal for an errno of the table above, for cases that a mount finds by itself. */
export function because(code: string): SyscallError {
  const [errno, why] = reasons[code] ?? ['EIO', 'the device failed']
  return new SyscallError(errno, why)
}

/**
 * What a failed call of memfs or of the host means to an agent.
 * @returns a SyscallError without any of the cause's own text; a cause that is no errno comes back as it is
 */
export function translate(cause: unknown): unknown {
  if (cause instanceof SyscallError || !(cause instanceof Error)) return cause
  return 'code' in cause && typeof cause.code === 'string' ? because(cause.code) : cause
}

/** Nothing is found, and nothing made, where there is no folder. */
export const noFolder = (): SyscallError =>
  new SyscallError('ENOENT', 'a folder of the path does not exist; `fs.mkdir` makes one')

/**
 * Refuses what the mode of a mount rules out.
 * A read-only mount is EROFS. An append-only one is EPERM, as `chattr +a` is on Linux: the mount does take writes, only
 * not this one, so that calling it read-only would mislead.
 */
export function assertMode(mode: MountMode, change: 'add' | 'alter'): void {
  if (mode === 'ro') throw new SyscallError('EROFS', 'it is mounted read-only')
  if (mode === 'append' && change === 'alter') {
    throw new SyscallError(
      'EPERM',
      'it is append-only: `fs.append` and new files are accepted, replacing, removing and moving are not',
    )
  }
}
