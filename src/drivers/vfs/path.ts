/** Guest paths: every spelling of one file becomes one text, and only that text is judged. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** Characters that a person who approves a path, or reads the record, could not see. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

/**
 * Resolves `.`, `..` and `//` by the text alone, before anything is judged, so that a path is judged by where it lands.
 * `..` above the root is the root. Nothing is repaired: what would have two spellings is refused
 * (other Unicode forms than NFC, a backslash), as is what cannot be seen (controls, bidi, zero-width, tags).
 * @param text an absolute path as user space or the application wrote it
 * @returns an absolute path without `.`, `..`, empty parts or a trailing slash; `/` for the root
 * @throws SyscallError EINVAL or ENAMETOOLONG, with what is unsound and what would help
 */
export function normalizePath(text: string): string {
  if (typeof text !== 'string') throw new SyscallError('EINVAL', 'a path is a text')
  if (text.length > limits.pathMax) {
    throw new SyscallError(
      'ENAMETOOLONG',
      `a path of ${text.length} characters; at most ${limits.pathMax} fit`,
    )
  }
  const flaw = findFlaw(text)
  if (flaw !== undefined) throw new SyscallError('EINVAL', flaw)
  if (!text.startsWith('/')) {
    throw new SyscallError('EINVAL', `\`${text}\` is not an absolute path; it has to begin with \`/\``)
  }
  const names = resolveNames(text)
  const long = names.find((name) => Buffer.byteLength(name) > limits.pathNameBytesMax)
  if (long !== undefined) {
    const bytes = Buffer.byteLength(long)
    throw new SyscallError(
      'ENAMETOOLONG',
      `a name of ${bytes} bytes in the path; at most ${limits.pathNameBytesMax} fit`,
    )
  }
  return `/${names.join('/')}`
}

function findFlaw(text: string): string | undefined {
  if (!text.isWellFormed()) return 'the path holds a lone surrogate, which UTF-8 cannot carry'
  const found = unseen.exec(text)?.[0].codePointAt(0)
  if (found !== undefined) {
    const point = found.toString(16).toUpperCase().padStart(4, '0')
    return `the path holds U+${point}, which cannot be seen; leave it out`
  }
  if (text.includes('\\')) return 'the path holds a backslash; parts of a path are separated by `/`'
  if (text.normalize('NFC') !== text) {
    return 'the path is not in Unicode form NFC, so it would have two spellings; pass `path.normalize("NFC")`'
  }
  return undefined
}

function resolveNames(text: string): string[] {
  const names: string[] = []
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') names.pop()
    else names.push(part)
  }
  return names
}

/** Whether a guest path can hold this name; what a host folder holds beyond that is not shown. */
export const isName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  !name.includes('/') &&
  Buffer.byteLength(name) <= limits.pathNameBytesMax &&
  findFlaw(name) === undefined

/** The names of a normalised path, from the root down; none for `/`. */
export const namesOf = (path: string): readonly string[] => (path === '/' ? [] : path.slice(1).split('/'))

/** The folder of a normalised path; `/` for the root itself. */
export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

/** The normalised path of a name in a folder. */
export const inFolder = (folder: string, name: string): string =>
  folder === '/' ? `/${name}` : `${folder}/${name}`

/** Whether `path` is `folder` or lies below it: `/work` does not cover `/workspace`. */
export const covers = (folder: string, path: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`)
