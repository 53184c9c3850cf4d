/** Whether a record is still what a manifest of one of its runs says. */
import { hashOf, type RecordFile, recordFiles, sizeOf } from '../files/contents.ts'
import { EvidenceError } from '../store.ts'
import { findPayloads, RunEntries, type RunManifest } from './manifest.ts'

export interface ManifestCheck {
  /** What was changed. */
  readonly problems: readonly string[]
  /** What is gone and may go: payloads that were deleted since. */
  readonly gaps: readonly string[]
  /** What is otherwise than then, and is no fault. */
  readonly remarks: readonly string[]
}

/** @returns what differs; never throws for what is wrong with the record itself */
export function checkManifest(dir: string, manifest: RunManifest): ManifestCheck {
  const problems: string[] = []
  const gaps: string[] = []
  const remarks: string[] = []
  const files = recordFiles(dir)
  const packs = manifest.files.flatMap((file) => {
    const differs = fileDiffers(dir, files, file)
    if (differs === undefined) return []
    if (isLog(file.name)) problems.push(differs)
    return isLog(file.name) ? [] : [differs]
  })
  try {
    const entries = readEntries(dir, files, manifest, problems)
    if (entries.later > 0)
      remarks.push(`the run has gone on: ${entries.later} more of its entries are on record`)
    const { counts } = findPayloads(dir, files, entries.payloads)
    const gone = counts.deleted - manifest.payloads.deleted
    if (gone > 0) gaps.push(`${gone} of ${entries.payloads.size} payloads were deleted since`)
    const emptied = counts.digest - manifest.payloads.digest
    if (emptied > 0) gaps.push(`of ${emptied} payloads only the digest is left since`)
    for (const differs of packs)
      remarks.push(`${differs}; each payload of the run that is there is what was hashed`)
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    problems.push(...packs, error.message)
  }
  return { problems, gaps, remarks }
}

const isLog = (name: string): boolean => name.startsWith('log-')

function fileDiffers(
  dir: string,
  files: readonly RecordFile[],
  { name, bytes, sha256, whole }: RunManifest['files'][number],
): string | undefined {
  try {
    const file = files.find((it) => it.name === name)
    if (file === undefined) return `\`${name}\` is not there`
    const size = sizeOf(dir, file)
    if (size < bytes) return `\`${name}\` has ${size} bytes, and ${bytes} are in the manifest`
    if (whole && size > bytes) return `\`${name}\` was finished with ${bytes} bytes, and has ${size}`
    if (hashOf(dir, file, bytes) !== sha256)
      return `\`${name}\` was changed: the SHA-256 of ${whole ? 'it' : `its first ${bytes} bytes`} is another`
    return undefined
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    return error.message
  }
}

/** Entries are counted again, so that a manifest that leaves out a file of its run is found. */
function readEntries(
  dir: string,
  files: readonly RecordFile[],
  manifest: RunManifest,
  problems: string[],
): RunEntries {
  const { run, entries: then } = manifest
  const entries = new RunEntries(run, then.last)
  const named = new Set(manifest.files.map(({ name }) => name))
  for (const file of files) {
    const { name, segment } = file
    if (segment.stream !== 'log') continue
    if (entries.read(dir, file) > 0 && !named.has(name))
      problems.push(`\`${name}\` holds entries of the run, and the manifest does not name it`)
  }
  const now = entries.result()
  if (now === undefined) problems.push(`no entry of run \`${run}\` is on record`)
  else
    for (const part of ['count', 'first', 'last', 'head'] as const)
      if (now[part] !== then[part])
        problems.push(`${says[part]} is ${now[part]}, and ${then[part]} in the manifest`)
  return entries
}

const says = {
  count: 'the number of entries',
  first: 'the first entry',
  last: 'the last entry',
  head: 'the hash of the last entry',
} as const
