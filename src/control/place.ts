/** Where a kernel's socket and key lie: in a folder of its own in the kernel's directory, for its owner alone. */
import { randomBytes } from 'node:crypto'
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
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { limits } from '../limits.ts'
import { ControlError } from './protocol.ts'

/** In the directory in which the kernel keeps its evidence. */
export const controlFolder = 'control'
const socketName = 'socket'
/**
 * Whoever asks sends what this file holds: a cell that a guest has broken out into runs as the same user and may connect
 * to a socket, but Node's permission model lets it read no file.
 */
const keyName = 'key'
const keyBytes = 32

/** The folder held open, so that what was checked is what is used, whatever happens to its name. */
export interface Place {
  /** How the socket is reached while the place is open. */
  readonly path: string
  readonly key: string
  close(): void
}

interface Folder {
  readonly socket: string
  readonly keyFile: string
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
  const place = openFolder(dir, (fd) => fchmodSync(fd, 0o700))
  try {
    rmSync(place.socket, { force: true })
    rmSync(place.keyFile, { force: true })
    const key = randomBytes(keyBytes).toString('hex')
    writeFileSync(place.keyFile, key, { flag: 'wx', mode: 0o600 })
    return { path: place.socket, key, close: place.close }
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
    for (const name of [socketName, keyName]) rmSync(join(dirname(place.path), name), { force: true })
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
  const place = openFolder(dir)
  try {
    const shown = join(dir, controlFolder, socketName)
    const socket = lstatOf(place.socket, dir)
    assertOwn(socket, 'socket', shown)
    if (!socket.isSocket()) throw new ControlError('EACCES', `\`${shown}\` is no socket of a kernel`)
    return { path: place.socket, key: readKey(place.keyFile, dir), close: place.close }
  } catch (error) {
    place.close()
    throw error
  }
}

/** No link is followed, and what is no file of that length is no key. */
function readKey(file: string, dir: string): string {
  const fd = openAt(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK, dir)
  try {
    const key = fstatSync(fd).size === keyBytes * 2 ? readFileSync(fd, 'latin1') : ''
    if (/^[\da-f]+$/.test(key)) return key
    throw new ControlError('EACCES', `the key in \`${join(dir, controlFolder)}\` is none`)
  } finally {
    closeSync(fd)
  }
}

/** @param prepare gets the folder's descriptor once it is known to be one's own */
function openFolder(dir: string, prepare: (fd: number) => void = () => {}): Folder {
  const folder = join(dir, controlFolder)
  const fd = openAt(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW, dir)
  try {
    assertOwn(fstatSync(fd), 'folder', folder)
    prepare(fd)
    if ((fstatSync(fd).mode & 0o077) !== 0)
      throw new ControlError('EACCES', `others than its owner can open \`${folder}\`; \`chmod 700\` it`)
    const base = reach(fd, folder)
    return { socket: join(base, socketName), keyFile: join(base, keyName), close: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openAt(path: string, how: number, dir: string): number {
  try {
    return openSync(path, how)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') throw nobody(dir)
    if (code === 'ENOTDIR' || code === 'ELOOP')
      throw new ControlError('ENOTDIR', `\`${path}\` is a link or a file, where a folder belongs`)
    throw new ControlError('EACCES', `\`${path}\` cannot be opened: the system says ${code}`)
  }
}

/** By its descriptor no folder is too far away: the address of a socket holds some 100 bytes (unix(7), Linux). */
function reach(fd: number, folder: string): string {
  const byDescriptor = `/proc/self/fd/${fd}`
  if (process.platform === 'linux' && existsSync(byDescriptor)) return byDescriptor
  const path = resolve(folder, socketName)
  if (Buffer.byteLength(path) <= limits.socketPathBytesMax) return dirname(path)
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
