/** Paths of the VFS as rules name them: absolute, normalised, compared part by part. */
import {
  assertGlobstars,
  assertPattern,
  compileParts,
  compileText,
  invalid,
  type PartsMatcher,
} from './glob.ts'

/**
 * @param path what a call names
 * @returns its parts in each way that a file system may read it: as it is, and in Unicode normal form C;
 *   or what keeps it from being judged
 */
export function readPath(path: string): readonly (readonly string[])[] | string {
  const problem = suspect.test(path) ? pathProblem(path) : undefined
  if (problem !== undefined) return `the path ${problem}`
  const composed = beyondAscii.test(path) ? path.normalize('NFC') : path
  return composed === path ? [pathParts(path)] : [pathParts(path), pathParts(composed)]
}

/** What normal forms differ in, and dear to look for otherwise. */
const beyondAscii = /[^\0-\x7f]/

/**
 * @param pattern such as `/mem/**`, `/workspace/*.csv`
 * @returns what tells whether the parts of a path match
 * @throws KernelError EINVAL where no normalised path could ever match, or nothing in this language means it
 */
export function compilePath(pattern: string): PartsMatcher {
  assertPattern(pattern)
  const problem = pathProblem(pattern)
  if (problem !== undefined) throw invalid(`\`${pattern}\` ${problem}`)
  const parts = pathParts(pattern)
  assertGlobstars(parts, pattern)
  return compileParts(parts)
}

/**
 * @param pattern one that compiles
 * @param folder the parts of a path
 * @returns whether there can be a path below the folder, not the folder itself, that the pattern matches
 */
export function mayMatchBelow(pattern: string, folder: readonly string[]): boolean {
  const parts = pathParts(pattern)
  const globstar = parts.indexOf('**')
  const fixed = globstar < 0 ? parts : parts.slice(0, globstar)
  if (globstar < 0 && parts.length <= folder.length) return false
  return fixed.every((part, index) => {
    const name = folder[index]
    return name === undefined || compileText(part)(name)
  })
}

/** @returns whether the pattern matches every path below the folder, for certain */
export const matchesAllBelow = (pattern: string, folder: readonly string[]): boolean =>
  pattern.endsWith('/**') && compilePath(pattern)(folder)

/** @param path a normalised path, or a pattern that compiles */
export const pathParts = (path: string): readonly string[] => (path === '/' ? [] : path.slice(1).split('/'))

/** Finds every path that has a problem, and few that have none. */
const suspect = /^(?!\/)|\0|\/(\/|\.\.?\/|\.{0,2}$)/

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not absolute; begin it with `/`'
  if (path.includes('\0')) return 'holds a NUL'
  if (path === '/') return undefined
  if (path.includes('//')) return 'holds `//`; write one slash'
  if (path.endsWith('/')) return 'ends in a slash; leave it out, or add `**` for all below'
  if (/\/\.\.?(\/|$)/.test(path)) return 'holds `.` or `..` as a part; write where it leads'
  return undefined
}
