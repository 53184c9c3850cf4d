/** The file `checkpoint` beside a log: its newest signed note, for a person to copy away. */
import { closeSync, constants, fstatSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../../limits.ts'
import { EvidenceError } from '../store.ts'
import { errnoOf, flags, openRegular, reporting } from './folder.ts'

const fileName = 'checkpoint'
const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants

/** @param dir where the log lies */
export const checkpointFile = (dir: string) => ({
  read: () => readCheckpointFile(dir),
  write: (note: string) => writeCheckpointFile(dir, note),
})

/**
 * @returns the note; undefined where there is none
 * @throws EvidenceError where it cannot be read
 */
export function readCheckpointFile(dir: string): string | undefined {
  return reporting(`\`${fileName}\` beside the log cannot be read`, () => {
    const fd = opened(dir)
    if (fd === undefined) return undefined
    try {
      if (fstatSync(fd).size > limits.evidenceKeyFileBytesMax)
        throw new EvidenceError('EFBIG', 'no checkpoint is so large')
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  })
}

function opened(dir: string): number | undefined {
  try {
    return openRegular(dir, fileName, flags.read)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Replaces it at once and as a whole, also when power is lost meanwhile. */
async function writeCheckpointFile(dir: string, note: string): Promise<void> {
  const draft = join(dir, `${fileName}.part`)
  const file = await open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(note)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, join(dir, fileName))
}
