// The module `node:fs/promises` over the file system of the kernel. Each function is the calls of `fs` that it names.
import { absent } from './absent.js'
import { Buffer } from './buffer.js'
import { constants } from './fs-constants.js'
import { join, resolve } from './path.js'
import { fileURLToPath } from './url.js'

const door = globalThis.fs

export { constants }

/** @returns an absolute path; relative ones start at `/` */
export function pathOf(path) {
  if (typeof path === 'string') return resolve('/', path)
  if (path instanceof Uint8Array) return resolve('/', Buffer.from(path).toString())
  if (typeof path?.href === 'string') return fileURLToPath(path)
  throw Object.assign(new TypeError('The "path" argument must be a string, a Buffer or a URL'), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
}

const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding)
const flagOf = (options, fallback) =>
  (typeof options === 'object' && options !== null && options.flag) || fallback

const lacks = (what, instead) =>
  Object.assign(new Error(`ENOSYS: ${what}: user space does not have it; ${instead}`), { code: 'ENOSYS' })

/** A call of the kernel, whose error says also which function of Node.js it was. */
async function call(name, path, work) {
  try {
    return await work()
  } catch (error) {
    if (typeof error?.code === 'string') Object.assign(error, { syscall: name, path })
    throw error
  }
}

export async function readFile(path, options) {
  const file = pathOf(path)
  const encoding = encodingOf(options)
  options?.signal?.throwIfAborted()
  if (/^utf-?8$/i.test(encoding)) return call('open', file, () => door.read(file))
  const bytes = await call('open', file, () => door.read(file, { encoding: 'bytes' }))
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return encoding === undefined || encoding === null || encoding === 'buffer'
    ? buffer
    : buffer.toString(encoding)
}

async function dataOf(data, encoding) {
  if (typeof data === 'string')
    return /^(utf-?8|)$/i.test(encoding ?? '') ? data : asBytes(Buffer.from(data, encoding))
  if (ArrayBuffer.isView(data)) return asBytes(data)
  const isParts =
    typeof data?.[Symbol.asyncIterator] === 'function' || typeof data?.[Symbol.iterator] === 'function'
  if (!isParts)
    throw Object.assign(new TypeError('The "data" argument must be a string, bytes or an iterable of them'), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
  const parts = []
  for await (const part of data)
    parts.push(typeof part === 'string' ? Buffer.from(part, encoding) : asBytes(part))
  return asBytes(Buffer.concat(parts))
}

const asBytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

export async function writeFile(path, data, options) {
  const file = pathOf(path)
  const flag = flagOf(options, 'w')
  options?.signal?.throwIfAborted()
  const text = await dataOf(data, encodingOf(options))
  if (flag !== 'w' && flag !== 'a')
    throw lacks(`fs.writeFile with flag ${flag}`, 'the kernel writes a whole file, or to its end')
  await call('open', file, () => (flag === 'a' ? door.append(file, text) : door.write(file, text)))
}

export const appendFile = (path, data, options) =>
  writeFile(path, data, { encoding: encodingOf(options), flag: 'a' })

/** What `stat` gives. There are files and folders, and no owners, modes or links. */
export class Stats {
  constructor({ type, size, modified }) {
    const isFile = type === 'file'
    Object.assign(this, {
      dev: 0,
      ino: 0,
      mode: isFile ? 0o100666 : 0o40777,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size,
    })
    Object.assign(this, { blksize: 4_096, blocks: Math.ceil(size / 512) })
    Object.assign(this, { atimeMs: modified, mtimeMs: modified, ctimeMs: modified, birthtimeMs: modified })
    for (const name of ['atime', 'mtime', 'ctime', 'birthtime']) this[name] = new Date(modified)
    Object.defineProperty(this, 'type', { value: type })
  }
  isFile() {
    return this.type === 'file'
  }
  isDirectory() {
    return this.type === 'folder'
  }
}

/** One entry of a folder. */
export class Dirent {
  constructor(name, parentPath, type) {
    Object.assign(this, { name, parentPath, path: parentPath })
    Object.defineProperty(this, 'type', { value: type })
  }
  isFile() {
    return this.type === 'file'
  }
  isDirectory() {
    return this.type === 'folder'
  }
}
for (const kind of ['isSymbolicLink', 'isFIFO', 'isSocket', 'isBlockDevice', 'isCharacterDevice'])
  for (const { prototype } of [Stats, Dirent]) prototype[kind] = () => false

export async function stat(path, options) {
  const file = pathOf(path)
  if (options?.bigint) throw lacks('fs.stat with bigint', 'sizes are numbers')
  try {
    return new Stats(await call('stat', file, () => door.stat(file)))
  } catch (error) {
    if (options?.throwIfNoEntry === false && error.code === 'ENOENT') return undefined
    throw error
  }
}
export const lstat = stat

export async function readdir(path, options) {
  const folder = pathOf(path)
  const entries = await call('scandir', folder, () => door.list(folder))
  const found = []
  for (const { name, type } of entries) {
    found.push({ name, folder, type, shown: name })
    if (!options?.recursive || type !== 'folder') continue
    const below = await readdir(join(folder, name), { recursive: true, withFileTypes: true })
    for (const each of below)
      found.push({
        name: each.name,
        folder: each.parentPath,
        type: each.type,
        shown: join(each.parentPath, each.name).slice(join(folder, '/').length),
      })
  }
  return found.map(({ name, folder: parent, type, shown }) =>
    options?.withFileTypes ? new Dirent(name, parent, type) : shown,
  )
}

export async function mkdir(path, options) {
  const folder = pathOf(path)
  if (!options?.recursive) {
    await call('mkdir', folder, () => door.mkdir(folder))
    return undefined
  }
  let first
  let at = ''
  for (const name of folder.split('/').slice(1)) {
    at = `${at}/${name}`
    try {
      await door.mkdir(at)
      first ??= at
    } catch (error) {
      const isThere = await door.stat(at).then(
        ({ type }) => type === 'folder',
        () => false,
      )
      if (!isThere) throw Object.assign(error, { syscall: 'mkdir', path: at })
    }
  }
  return first
}

export async function rm(path, options) {
  const file = pathOf(path)
  try {
    const { type } = await call('rm', file, () => door.stat(file))
    if (type === 'folder' && !options?.recursive)
      throw Object.assign(new Error(`Path is a directory: rm returned EISDIR (is a directory) ${file}`), {
        code: 'ERR_FS_EISDIR',
      })
    await call('rm', file, () => door.remove(file, { recursive: type === 'folder' }))
  } catch (error) {
    if (!(options?.force && error.code === 'ENOENT')) throw error
  }
}

const removing = (name, wanted, code) => async (path) => {
  const file = pathOf(path)
  const { type } = await call(name, file, () => door.stat(file))
  if (type !== wanted)
    throw Object.assign(new Error(`${code}: ${name} \`${file}\`: it is a ${type}`), {
      code,
      syscall: name,
      path: file,
    })
  await call(name, file, () => door.remove(file))
}
export const unlink = removing('unlink', 'file', 'EISDIR')
export const rmdir = removing('rmdir', 'folder', 'ENOTDIR')

export async function rename(from, to) {
  const [source, dest] = [pathOf(from), pathOf(to)]
  await call('rename', source, () => door.move(source, dest)).catch((error) => {
    throw Object.assign(error, { dest })
  })
}

/** Tells whether it is there: whether it may be read or written, the policy says when it is. */
export async function access(path) {
  const file = pathOf(path)
  await call('access', file, () => door.stat(file))
}

export async function copyFile(from, to, mode = 0) {
  const [source, dest] = [pathOf(from), pathOf(to)]
  if (mode & constants.COPYFILE_EXCL)
    throw lacks('fs.copyFile with COPYFILE_EXCL', 'look with fs.access first')
  const bytes = await call('copyfile', source, () => door.read(source, { encoding: 'bytes' }))
  await call('copyfile', dest, () => door.write(dest, bytes))
}

/** There are no links: a path that is there is its own. */
export async function realpath(path) {
  const file = pathOf(path)
  await call('realpath', file, () => door.stat(file))
  return file
}

export async function mkdtemp(prefix) {
  const folder = `${pathOf(prefix)}${globalThis.crypto.randomUUID().slice(0, 6)}`
  await call('mkdtemp', folder, () => door.mkdir(folder))
  return folder
}

const wholeFiles = 'files are read and written whole, or with `fs.read` of user space by offset and length'
const noLinks = 'there are no links, owners or modes'
export const open = absent('fs.open', wholeFiles)
export const opendir = absent('fs.opendir', 'use fs.readdir')
export const truncate = absent('fs.truncate', wholeFiles)
export const cp = absent('fs.cp', 'use fs.copyFile')
export const glob = absent('fs.glob', 'use fs.readdir')
export const watch = absent('fs.watch', 'look again with fs.stat')
export const statfs = absent('fs.statfs')
export const readlink = absent('fs.readlink', noLinks)
export const symlink = absent('fs.symlink', noLinks)
export const link = absent('fs.link', noLinks)
export const chmod = absent('fs.chmod', noLinks)
export const chown = absent('fs.chown', noLinks)
export const lchown = absent('fs.lchown', noLinks)
export const utimes = absent('fs.utimes', noLinks)
export const lutimes = absent('fs.lutimes', noLinks)

export default {
  access,
  appendFile,
  chmod,
  chown,
  constants,
  copyFile,
  cp,
  glob,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  mkdtemp,
  open,
  opendir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  symlink,
  truncate,
  unlink,
  utimes,
  watch,
  writeFile,
}
