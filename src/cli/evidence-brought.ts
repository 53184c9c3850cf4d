/** What an auditor brings along, in files: keys, and checkpoints that were kept. */
import { readText } from '../config/read-text.ts'
import { readCheckpoint } from '../evidence/checkpoint.ts'
import { readNote, readVerifier } from '../evidence/note.ts'
import { UsageError } from './failure.ts'

/**
 * One key a line; what begins with `#` is a remark.
 * @throws UsageError for a file that holds none
 */
export function readKeys(file: string): readonly string[] {
  const given = readText(file, file, 'key')
  if (given.includes('PRIVATE KEY'))
    throw new UsageError(
      `\`${file}\` is a private key, which nobody who verifies should have; \`gatehouse evidence key --file\` prints its public form`,
    )
  const lines = given.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (lines.length === 0 || lines.some((line) => readVerifier(line) === undefined))
    throw new UsageError(
      `\`${file}\` holds no keys: write one a line, as \`gatehouse evidence key\` prints it`,
    )
  return lines
}

/** @throws UsageError for a file that is no checkpoint */
export function readSince(file: string): string {
  const note = readText(file, file, 'checkpoint')
  if (readCheckpoint(readNote(note)?.text ?? '') === undefined)
    throw new UsageError(`\`${file}\` is no checkpoint, such as the file \`checkpoint\` beside a log`)
  return note
}
