/** Where evidence lies, `.gatehouse` unless a command says otherwise, and what is said where it cannot be read. */
import type { Command } from 'commander'
import type { Entry } from '../evidence/entry.ts'
import { type EvidenceFolder, findEvidence } from '../evidence/read.ts'
import { EvidenceError } from '../evidence/store.ts'
import { limits } from '../limits.ts'
import { didYouMean } from '../policy/suggest.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

export const evidenceDir = '.gatehouse'

/** @returns the folder that the command's argument names */
export const dirOf = (command: Command, argument = 0): string => command.args[argument] ?? evidenceDir

/** What an evidence command exits with; its own codes, since scripts and auditors act on them. */
export const verdicts = Object.freeze({ sound: 0, tampered: 1, incomplete: 2, missing: 3 })

/** What a command that only reads exits with: the record is broken, or what was asked for is not on it. */
export const readingCodes = 'Exit codes: 1 a broken record, 3 not there'

/** Says that there is no record to read. @returns the exit code */
export function missing(out: Output, dir: string, reason: string): number {
  out.fail(visibleLine(reason), undefined)
  out.giveLine({ dir, verdict: 'missing', reason })
  return verdicts.missing
}

/** What is asked for and not on record. */
export class NotOnRecord extends Error {}

/**
 * Reads the evidence of a folder; a record that is not there, or is broken, is said and gives the exit code.
 * @param read may throw `NotOnRecord`
 */
export async function reading(
  out: Output,
  dir: string,
  read: (evidence: EvidenceFolder) => number | Promise<number>,
): Promise<number> {
  const found = findEvidence(dir)
  if (found.state !== 'found') return missing(out, dir, found.reason)
  try {
    return await read(found.evidence)
  } catch (error) {
    if (error instanceof NotOnRecord) return missing(out, dir, error.message)
    if (!(error instanceof EvidenceError)) throw error
    out.fail(visibleLine(`\`${dir}\`: ${error.message}`), error.stack)
    // A line, since some commands give their results as lines.
    out.giveLine({ dir, error: { code: error.code, message: error.message } })
    return verdicts.tampered
  }
}

/** @throws NotOnRecord that names a run like it, or the newest */
export function noRun(evidence: EvidenceFolder, run: string): never {
  const runs = new Set<string>()
  for (const { run: other } of evidence.entries({ kind: 'spawn' }))
    if (other !== undefined && runs.add(other).size > limits.reportNamesMax) break
  const like = didYouMean(run, runs)
  const newest = [...runs].at(-1)
  const there =
    newest === undefined
      ? '; there is no run at all'
      : `; there ${runs.size === 1 ? 'is' : 'are'} ${runs.size}, such as \`${newest}\``
  throw new NotOnRecord(`run \`${run}\` is not on record${like === '' ? there : like}`)
}

/** @returns the entries of a run, of which there is one at least @throws NotOnRecord for a run without any */
export function* entriesOf(evidence: EvidenceFolder, run: string): Generator<Entry, void, undefined> {
  let isThere = false
  for (const entry of evidence.run(run)) {
    isThere = true
    yield entry
  }
  if (!isThere) noRun(evidence, run)
}
