/** Whether what a bundle was made of is still what it was: contents of files, and what lies in the folders that were searched. */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../limits.ts'
import { readSource, type Territory } from './territory.ts'

export interface Fingerprint {
  /** Paths of files, with the hash of their contents. */
  readonly files: ReadonlyMap<string, string>
  /** Paths of folders, with what `folderPrint` gave. */
  readonly folders: ReadonlyMap<string, string>
}

/** @returns whether nothing has changed: no file's text, no name, link or package.json in a folder */
export function isCurrent({ files, folders }: Fingerprint, territory: Territory): boolean {
  for (const [folder, print] of folders) if (folderPrint(folder, territory) !== print) return false
  for (const [path, hash] of files) if (contentsHash(path) !== hash) return false
  return true
}

function contentsHash(path: string): string | undefined {
  try {
    const read = readSource(path)
    return typeof read === 'string' ? undefined : createHash('sha256').update(read).digest('hex')
  } catch {
    return undefined
  }
}

/** @returns what would make the search for modules in a folder go another way, as one text */
export function folderPrint(folder: string, { isInside }: Territory): string {
  try {
    const packages = join(folder, 'node_modules')
    const outer = [existsSync(join(folder, 'package.json')), existsSync(packages) && realpathSync(packages)]
    if (!isInside(folder)) return JSON.stringify(outer)
    const { ctimeMs, ino } = statSync(folder)
    return createHash('sha256')
      .update(JSON.stringify([...outer, ctimeMs, ino, readdirSync(folder)]))
      .update(outer[0] ? manifest(join(folder, 'package.json')) : '')
      .digest('hex')
  } catch {
    return 'none'
  }
}

function manifest(path: string): Uint8Array | string {
  const { size } = statSync(path)
  return statSync(path).isFile() && size <= limits.programFileBytesMax ? readFileSync(path) : ''
}
