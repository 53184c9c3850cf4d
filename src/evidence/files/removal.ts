/** Which payloads are about to be removed: kept in a file until it is done, so that a crash does not leave some behind. */
import { hash } from 'node:crypto'
import { closeSync, existsSync, fdatasyncSync, fstatSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../../limits.ts'
import { flags, openRegular, syncFolder } from './folder.ts'
import { readAt } from './read-at.ts'
import { writeWhole } from './repair.ts'

const file = 'removal'
const draft = `${file}.new`

export interface Removal {
  readonly hashes: ReadonlySet<string>
  /** SHA-256 over the hashes, sorted, each with a newline; by it the entry about the removal is known. */
  readonly list: string
}

/** @param hashes of payloads, each of 64 digits */
export function removalOf(hashes: ReadonlySet<string>): Removal {
  return { hashes, list: hash('sha256', textOf(hashes), 'hex') }
}

const textOf = (hashes: ReadonlySet<string>): string =>
  [...hashes]
    .sort()
    .map((each) => `${each}\n`)
    .join('')

/** Writes down what is to go; on return it survives a loss of power. @throws whatever the system says */
export function writeRemoval(dir: string, { hashes }: Removal): void {
  rmSync(join(dir, draft), { force: true })
  const fd = openRegular(dir, draft, flags.create)
  try {
    writeWhole(fd, Buffer.from(textOf(hashes)))
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(join(dir, draft), join(dir, file))
  syncFolder(dir)
}

/** @returns what was to go when somebody was stopped; undefined where there is nothing of the kind */
export function readRemoval(dir: string): Removal | undefined {
  rmSync(join(dir, draft), { force: true })
  if (!existsSync(join(dir, file))) return undefined
  const fd = openRegular(dir, file, flags.read)
  try {
    const size = Math.min(fstatSync(fd).size, limits.removedPayloadsMax * 65)
    const lines = readAt(fd, 0, size).toString('latin1').split('\n')
    return removalOf(new Set(lines.filter((line) => /^[0-9a-f]{64}$/.test(line))))
  } finally {
    closeSync(fd)
  }
}

/** Forgets it, once it is done. @throws whatever the system says */
export function endRemoval(dir: string): void {
  rmSync(join(dir, file), { force: true })
  syncFolder(dir)
}
