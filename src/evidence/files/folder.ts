/** The files of one folder of evidence: what they are called, and how they are opened. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type Errno, isErrno } from '../../errors.ts'
import { EvidenceError, type Stream } from '../store.ts'

/** No link is followed, and a FIFO does not hold up whoever opens it. */
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK

export const flags = Object.freeze({
  read: constants.O_RDONLY | careful,
  /** Every write lands at the end, whatever else happens to the file. */
  append: constants.O_RDWR | constants.O_APPEND | careful,
  create: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | careful,
})

/**
 * Makes the folder, readable by its owner alone, where there is none.
 * @throws EvidenceError ENOTDIR where something else than a folder is there
 */
export function makeFolder(dir: string): void {
  const found = lstatSync(dir, { throwIfNoEntry: false })
  if (found === undefined) makeFolders(dir, 0o700)
  else if (found.isSymbolicLink())
    throw new EvidenceError('ENOTDIR', 'it is a link, which is not followed; name the folder it leads to')
  else if (!found.isDirectory()) throw new EvidenceError('ENOTDIR', 'it is a file; name a folder')
}

/** Makes a folder and those above it. `mkdirSync` itself never returns where a folder above says ENOENT, as /proc does. */
export function makeFolders(dir: string, mode: number): void {
  const above = dirname(dir)
  if (above !== dir && !existsSync(above)) makeFolders(above, mode)
  mkdirSync(dir, { mode })
  syncFolder(above)
}

/** The name of a file is kept by its folder: what was made, renamed or removed there survives a loss of power from here on. */
export function syncFolder(dir: string): void {
  try {
    const fd = openSync(dir, constants.O_RDONLY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    // Some file systems flush no folders, and some folders may not be opened by who may write there.
    if (!['EINVAL', 'ENOTSUP', 'EACCES'].includes(systemCode(error))) throw error
  }
}

/**
 * @returns the descriptor of a regular file
 * @throws EvidenceError EACCES for anything else, and for a file that has a second name
 */
export function openRegular(dir: string, file: string, how: number): number {
  const fd = openSync(join(dir, file), how, 0o600)
  const stat = fstatSync(fd)
  if (stat.isFile() && stat.nlink <= 1) return fd
  closeSync(fd)
  const what = stat.isFile() ? 'has a second name (a hard link)' : 'is not a regular file'
  throw new EvidenceError('EACCES', `\`${file}\` ${what}; evidence is kept in files of its own`)
}

/** One file of a stream. */
export interface Segment {
  readonly stream: Stream
  /** From 1. */
  readonly number: number
  /** Whether it is compressed, which only packs are that are not written any more. */
  readonly packed: boolean
}

/** @returns such as `log-000001.jsonl` or `pack-000001.jsonl.zst` */
export const fileOf = ({ stream, number, packed }: Segment): string =>
  `${stream}-${String(number).padStart(6, '0')}.jsonl${packed ? '.zst' : ''}`

export const segmentName = (stream: Stream, number: number): string =>
  fileOf({ stream, number, packed: false })

/**
 * @returns the segments that are there, in order. Where a crash left a pack in both forms, the compressed one counts:
 *   it got its name when it was whole
 */
export function segmentsIn(dir: string, stream: Stream): readonly Segment[] {
  const name = new RegExp(`^${stream}-(\\d{6,12})\\.jsonl(\\.zst)?$`)
  const found = new Map<number, Segment>()
  for (const file of readdirSync(dir)) {
    const [, digits, ending] = name.exec(file) ?? []
    const packed = ending !== undefined
    if (digits === undefined || (packed && stream !== 'pack')) continue
    const number = Number(digits)
    if (packed || !found.has(number)) found.set(number, { stream, number, packed })
  }
  return [...found.values()].sort((a, b) => a.number - b.number)
}

/** The system's own word for what it threw, such as `EMFILE`. */
export const systemCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'

/** The same in the kernel's own terms. */
export function errnoOf(error: unknown): Errno {
  const code = systemCode(error)
  if (code === 'EDQUOT' || code === 'EFBIG') return 'ENOSPC'
  if (code === 'EPERM') return 'EACCES'
  return isErrno(code) ? code : 'EIO'
}

/**
 * Puts before what went wrong what was tried.
 * @throws EvidenceError, whose message holds a path of the host only if `what` does
 */
export function reporting<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof EvidenceError) throw new EvidenceError(error.code, `${what}: ${error.message}`)
    throw new EvidenceError(errnoOf(error), `${what}: the system says ${systemCode(error)}`)
  }
}
