// The module `node:path` as POSIX systems have it, of the package `path-browserify`; the working directory is `/`.
import packaged from 'path-browserify'
import { absent } from './absent.js'

export const {
  basename,
  delimiter,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  relative,
  resolve,
  sep,
} = packaged
export const toNamespacedPath = (path) => path
export const matchesGlob = absent('path.matchesGlob', 'bundle a package such as `picomatch`')
export const posix = {
  basename,
  delimiter,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  matchesGlob,
  normalize,
  parse,
  relative,
  resolve,
  sep,
  toNamespacedPath,
}
export const win32 = new Proxy(
  {},
  { get: (_target, name) => (typeof name === 'string' ? absent(`path.win32.${name}`) : undefined) },
)
posix.posix = posix
posix.win32 = win32
export default posix
