/** What of the host belongs to a program: its own folder and its packages; nothing else is read for it. */

import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path'
import { limits } from '../limits.ts'

export const sourceExtensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json']

export interface Territory {
  /** The program's file, by its real path. */
  readonly entry: string
  /** The nearest folder with a package.json, else the file's own. */
  readonly root: string
  isInside(path: string): boolean
}

/**
 * The nearest folder with a package.json, else the file's own, and every `node_modules` that Node.js would look into.
 * @param file a program's file, which exists
 */
export function territoryOf(file: string): Territory {
  const entry = realpathSync(file)
  const above = foldersAbove(entry)
  const root = above.find((folder) => existsSync(join(folder, 'package.json'))) ?? dirname(entry)
  const packages = above
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => existsSync(folder))
    .map((folder) => realpathSync(folder))
    // A link of that name to any other folder is no folder of packages.
    .filter((folder) => basename(folder) === 'node_modules')
  return {
    entry,
    root,
    isInside: (path) => [root, ...packages].some((folder) => isWithin(folder, path)),
  }
}

/** @returns the folders that a file lies in, the innermost first, without the root of the file system */
export function foldersAbove(path: string): readonly string[] {
  const folder = dirname(path)
  return folder === path ? [] : [folder, ...foldersAbove(folder)]
}

export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** @returns whether a path leads to a source or JSON file of the program, links followed */
export function isSource(path: string, { isInside }: Territory): boolean {
  try {
    const real = realpathSync(path)
    return isInside(real) && sourceExtensions.includes(extname(real))
  } catch {
    return false
  }
}

/**
 * @param path a file that is the program's
 * @returns its bytes, or why it is not read: what is no regular file would hold up the whole application
 */
export function readSource(path: string): Buffer | string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) return 'is no regular file'
    if (stat.size > limits.programFileBytesMax)
      return `has ${stat.size} bytes, at most ${limits.programFileBytesMax} are taken`
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}
