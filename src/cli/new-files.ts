/** Writing files that are not there yet. */
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { makeFolders } from '../evidence/files/folder.ts'
import { UsageError } from './failure.ts'

/** @returns whether it was made; a file or link that is there is never written to */
export function create(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Makes a folder where there is none, and does the work in it.
 * @throws UsageError where the system does not let it
 */
export function inFolder(dir: string, work: () => void): void {
  try {
    if (!existsSync(dir)) makeFolders(resolve(dir), 0o755)
    work()
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined) throw error
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'a part of the path is a file, not a folder'
        : `the system says ${code}`
    throw new UsageError(`cannot write into \`${dir}\`: ${why}; name another folder`)
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** For a shell to read back. */
export const quoted = (word: string): string =>
  /^[\w./@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
