/** Where a kernel's socket lies: in a folder of its own in the kernel's directory, for its owner alone. */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { limits } from '../limits.ts'
import { ControlError } from './protocol.ts'

/** In the directory in which the kernel keeps its evidence. */
export const controlFolder = 'control'
const socketName = 'socket'

/** The folder held open, so that what was checked is what is used, whatever happens to its name. */
export interface Place {
  /** How the socket is reached while the place is open. */
  readonly path: string
  close(): void
}

/**
 * Makes the folder where there is none, and clears away the socket of a kernel that was killed. Only for the kernel that
 * holds the lock of the directory.
 * @param dir the kernel's directory
 * @throws ControlError EACCES where the folder belongs to somebody else, ENOTDIR where it is none, ENAMETOOLONG
 */
export function makePlace(dir: string): Place {
  const folder = join(dir, controlFolder)
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder, { mode: 0o700 })
  const place = openPlace(dir, (fd) => fchmodSync(fd, 0o700))
  try {
    rmSync(place.path, { force: true })
    return place
  } catch (error) {
    place.close()
    throw error
  }
}

/** The socket, once it is there, for its owner alone; the folder keeps others out until then. */
export const closeToOthers = (place: Place): void => chmodSync(place.path, 0o600)

/** Takes away what `makePlace` made. */
export function removePlace(dir: string, place: Place): void {
  try {
    rmSync(place.path, { force: true })
    rmdirSync(join(dir, controlFolder))
  } finally {
    place.close()
  }
}

/**
 * Finds the socket of a kernel of one's own: every part of the way to it belongs to this user, and none is a link.
 * @param dir the kernel's directory
 * @throws ControlError ENOENT where no kernel listens, EACCES where something belongs to somebody else or is open to others
 */
export function findPlace(dir: string): Place {
  assertOwn(lstatOf(dir, dir), 'folder', dir)
  const place = openPlace(dir)
  try {
    const shown = join(dir, controlFolder, socketName)
    const socket = lstatOf(place.path, dir)
    if (!socket.isSocket()) throw new ControlError('EACCES', `\`${shown}\` is no socket of a kernel`)
    assertOwn(socket, 'socket', shown)
    return place
  } catch (error) {
    place.close()
    throw error
  }
}

/** @param prepare gets the folder's descriptor once it is known to be one's own */
function openPlace(dir: string, prepare: (fd: number) => void = () => {}): Place {
  const folder = join(dir, controlFolder)
  const fd = openFolder(folder, dir)
  try {
    assertOwn(fstatSync(fd), 'folder', folder)
    prepare(fd)
    if ((fstatSync(fd).mode & 0o077) !== 0)
      throw new ControlError('EACCES', `others than its owner can open \`${folder}\`; \`chmod 700\` it`)
    return { path: reach(fd, folder), close: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openFolder(folder: string, dir: string): number {
  try {
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') throw nobody(dir)
    if (code === 'ENOTDIR' || code === 'ELOOP')
      throw new ControlError('ENOTDIR', `\`${folder}\` is a link or a file, where a folder belongs`)
    throw new ControlError('EACCES', `\`${folder}\` cannot be opened: the system says ${code}`)
  }
}

/** By its descriptor no folder is too far away: the address of a socket holds some 100 bytes (unix(7), Linux). */
function reach(fd: number, folder: string): string {
  const byDescriptor = `/proc/self/fd/${fd}`
  if (process.platform === 'linux' && existsSync(byDescriptor)) return `${byDescriptor}/${socketName}`
  const path = resolve(folder, socketName)
  if (Buffer.byteLength(path) <= limits.socketPathBytesMax) return path
  throw new ControlError(
    'ENAMETOOLONG',
    `\`${path}\` is longer than the ${limits.socketPathBytesMax} bytes that a socket's path may have here; keep evidence in a directory nearer to the root`,
  )
}

function lstatOf(path: string, dir: string) {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw nobody(dir)
  return stat
}

/** A link is refused by what it is: it does not matter whose. */
function assertOwn(
  stat: { readonly uid: number; isSymbolicLink(): boolean },
  what: 'folder' | 'socket',
  path: string,
): void {
  if (stat.isSymbolicLink())
    throw new ControlError('EACCES', `\`${path}\` is a link, which is not followed; name the ${what} itself`)
  const own = process.geteuid?.()
  if (own !== undefined && stat.uid !== own)
    throw new ControlError(
      'EACCES',
      `\`${path}\` belongs to another user (uid ${stat.uid}; this is uid ${own}), and so does a kernel there`,
    )
}

const nobody = (dir: string): ControlError => new ControlError('ENOENT', `no kernel listens in \`${dir}\``)

/** The system's own word for what it threw. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
