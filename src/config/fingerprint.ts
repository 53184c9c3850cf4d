/** Whether what a bundle was made of is still what it was: contents of files, and what lies in the folders that were searched. */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../limits.ts'
import { readSource, type Territory } from './territory.ts'

/** A file as it was read. */
export interface FilePrint {
  /** Of its contents. */
  readonly hash: string
  /** What the file system said of it; undefined where it had changed so lately that it could change unseen. */
  readonly stamp: string | undefined
}

export interface Fingerprint {
  /** By path. */
  readonly files: ReadonlyMap<string, FilePrint>
  /** Paths of folders, with what `folderPrint` gave. */
  readonly folders: ReadonlyMap<string, string>
}

/** @returns whether nothing has changed: no file's text, no name, link or package.json in a folder */
export function isCurrent({ files, folders }: Fingerprint, territory: Territory): boolean {
  for (const [folder, print] of folders) if (folderPrint(folder, territory) !== print) return false
  for (const [path, { hash, stamp }] of files)
    if ((stamp === undefined || stampOf(path) !== stamp) && contentsHash(path) !== hash) return false
  return true
}

/**
 * @param path a file that is about to be read
 * @param now ms since 1970
 */
export function filePrint(path: string, contents: Uint8Array, stamp: string, now: number): FilePrint {
  const hash = createHash('sha256').update(contents).digest('hex')
  return { hash, stamp: now - statSync(path).ctimeMs > limits.fileSettledMs ? stamp : undefined }
}

/** @returns what changes whenever the file does, since nobody sets the time of a file's last change; undefined where there is none */
export function stampOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined
    ? undefined
    : `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
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
