// The module `node:fs` over the file system of the kernel: with callbacks, as promises and as streams, and never synchronous.
import { absent } from './absent.js'
import { constants } from './fs-constants.js'
import promises, { Dirent, pathOf, Stats } from './fs-promises.js'
import { createReadStream, createWriteStream } from './fs-streams.js'

export { constants, createReadStream, createWriteStream, Dirent, promises, Stats }
export const { F_OK, R_OK, W_OK, X_OK } = constants

const calledBack =
  (name) =>
  (...args) => {
    const callback = args.pop()
    if (typeof callback !== 'function')
      throw Object.assign(new TypeError(`fs.${name} takes a callback; fs.promises.${name} gives a promise`), {
        code: 'ERR_INVALID_ARG_TYPE',
      })
    // A callback that throws is an error of nobody's promise.
    const call = (...values) => queueMicrotask(() => callback(...values))
    promises[name](...args).then(
      (value) => (value === undefined ? call(null) : call(null, value)),
      (error) => call(error),
    )
  }

export const access = calledBack('access')
export const appendFile = calledBack('appendFile')
export const copyFile = calledBack('copyFile')
export const lstat = calledBack('lstat')
export const mkdir = calledBack('mkdir')
export const mkdtemp = calledBack('mkdtemp')
export const readdir = calledBack('readdir')
export const readFile = calledBack('readFile')
export const realpath = calledBack('realpath')
export const rename = calledBack('rename')
export const rm = calledBack('rm')
export const rmdir = calledBack('rmdir')
export const stat = calledBack('stat')
export const unlink = calledBack('unlink')
export const writeFile = calledBack('writeFile')
/** Calls back with whether it is there, and nothing else. */
export const exists = (path, callback) => {
  promises.access(path).then(
    () => callback(true),
    () => callback(false),
  )
}

const later = (name) =>
  absent(
    `fs.${name}Sync`,
    `a call of the kernel takes its time, so nothing is synchronous: use \`await fs.promises.${name}(…)\``,
  )
export const accessSync = later('access')
export const appendFileSync = later('appendFile')
export const copyFileSync = later('copyFile')
export const existsSync = absent(
  'fs.existsSync',
  'a call of the kernel takes its time, so nothing is synchronous: use `await fs.promises.access(…)`',
)
export const lstatSync = later('lstat')
export const mkdirSync = later('mkdir')
export const mkdtempSync = later('mkdtemp')
export const openSync = later('open')
export const closeSync = absent('fs.closeSync')
export const readSync = absent('fs.readSync', 'use `await fs.promises.readFile(…)`')
export const writeSync = absent('fs.writeSync', 'use `await fs.promises.writeFile(…)`')
export const fstatSync = absent('fs.fstatSync', 'use `await fs.promises.stat(…)`')
export const readdirSync = later('readdir')
export const readFileSync = later('readFile')
export const readlinkSync = later('readlink')
export const realpathSync = later('realpath')
export const renameSync = later('rename')
export const rmdirSync = later('rmdir')
export const rmSync = later('rm')
export const statSync = later('stat')
export const symlinkSync = later('symlink')
export const truncateSync = later('truncate')
export const unlinkSync = later('unlink')
export const utimesSync = later('utimes')
export const chmodSync = later('chmod')
export const writeFileSync = later('writeFile')

const { chmod, chown, cp, glob, link, open, opendir, readlink, statfs, symlink, truncate, utimes } = promises

export { chmod, chown, cp, glob, link, open, opendir, readlink, statfs, symlink, truncate, utimes }

const descriptors = 'files are read and written whole: use fs.readFile and fs.writeFile'
export const close = absent('fs.close', descriptors)
export const fstat = absent('fs.fstat', descriptors)
export const fsync = absent('fs.fsync', descriptors)
export const ftruncate = absent('fs.ftruncate', descriptors)
export const futimes = absent('fs.futimes', descriptors)
export const read = absent('fs.read', descriptors)
export const write = absent('fs.write', descriptors)
export const watch = absent('fs.watch', 'look again with fs.stat')
export const watchFile = absent('fs.watchFile', 'look again with fs.stat')
export const unwatchFile = absent('fs.unwatchFile', 'look again with fs.stat')
export { pathOf as _toPath }

export default {
  access,
  accessSync,
  appendFile,
  appendFileSync,
  chmod,
  chmodSync,
  chown,
  close,
  closeSync,
  constants,
  copyFile,
  copyFileSync,
  cp,
  createReadStream,
  createWriteStream,
  Dirent,
  exists,
  existsSync,
  F_OK,
  fstat,
  fstatSync,
  fsync,
  ftruncate,
  futimes,
  glob,
  link,
  lstat,
  lstatSync,
  mkdir,
  mkdirSync,
  mkdtemp,
  mkdtempSync,
  open,
  opendir,
  openSync,
  promises,
  R_OK,
  read,
  readdir,
  readdirSync,
  readFile,
  readFileSync,
  readlink,
  readlinkSync,
  readSync,
  realpath,
  realpathSync,
  rename,
  renameSync,
  rm,
  rmdir,
  rmdirSync,
  rmSync,
  stat,
  statfs,
  Stats,
  statSync,
  symlink,
  symlinkSync,
  truncate,
  truncateSync,
  unlink,
  unlinkSync,
  unwatchFile,
  utimes,
  utimesSync,
  W_OK,
  watch,
  watchFile,
  write,
  writeFile,
  writeFileSync,
  writeSync,
  X_OK,
}
