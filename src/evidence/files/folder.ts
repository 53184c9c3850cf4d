/** The files of one folder of evidence: what they are called, and how they are opened. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
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

/** @returns such as `log-000001.jsonl` */
export const segmentName = (stream: Stream, number: number): string =>
  `${stream}-${String(number).padStart(6, '0')}.jsonl`

/** @returns the numbers of the segments that are there, in order */
export function segmentNumbers(dir: string, stream: Stream): number[] {
  const name = new RegExp(`^${stream}-(\\d{6,12})\\.jsonl$`)
  return readdirSync(dir)
    .flatMap((file) => name.exec(file)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
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
