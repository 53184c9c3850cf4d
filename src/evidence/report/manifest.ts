/**
 * What a run consists of: its entries, and the files that hold something of it, each by its SHA-256. A log goes on and its
 * newest files grow, so of those the manifest names the beginning, up to the last line about the run: what is true of it
 * once stays true.
 */
import { z } from 'zod'
import { hashOf, isRecordFile, placedLines, type RecordFile, recordFiles, sizeOf } from '../files/contents.ts'
import { EvidenceError } from '../store.ts'
import { isSound, leafHash, readEntry, readPayload } from '../verify.ts'
import { payloadsOf } from './fields.ts'

const hex = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)

const manifestSchema = z.strictObject({
  type: z.literal('gatehouse run manifest'),
  version: z.literal(1),
  run: z.string().min(1),
  entries: z.strictObject({
    count: count.min(1),
    /** `seq` of the first and the last. */
    first: count,
    last: count,
    /** RFC 6962 leaf hash of the last: it fixes every entry of the log before it. */
    head: hex,
  }),
  files: z
    .array(
      z.strictObject({
        name: z.string().refine(isRecordFile, 'it is no file of a record'),
        /** How much of its beginning is hashed; all of it where it is `whole`. */
        bytes: count.min(1),
        sha256: hex,
        /** Whether the file is finished, and has no byte more. */
        whole: z.boolean(),
      }),
    )
    .min(1),
  /** Payloads that the entries name: with their text, by digest only, and not there any more. */
  payloads: z.strictObject({ kept: count, digest: count, deleted: count }),
})

export type RunManifest = z.infer<typeof manifestSchema>

/** @returns the manifest; a sentence where it is none */
export function readManifest(text: string): RunManifest | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'it is not JSON'
  }
  const read = manifestSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`
}

/**
 * @returns undefined where nothing of the run is on record
 * @throws EvidenceError for a record that cannot be read, or is not one; soundness is for whoever verifies
 */
export function makeManifest(dir: string, run: string): RunManifest | undefined {
  const files = recordFiles(dir)
  const entries = new RunEntries(run)
  const named: NamedFile[] = []
  for (const file of files.filter(({ segment }) => segment.stream === 'log')) {
    const end = entries.read(dir, file)
    if (end > 0) named.push({ file, end })
  }
  const found = entries.result()
  if (found === undefined) return undefined
  const payloads = findPayloads(dir, files, entries.payloads)
  return {
    type: 'gatehouse run manifest',
    version: 1,
    run,
    entries: found,
    files: [...named, ...payloads.files].map(({ file, end }) => {
      const bytes = file.isOpen ? end : sizeOf(dir, file)
      return { name: file.name, bytes, sha256: hashOf(dir, file, bytes), whole: !file.isOpen }
    }),
    payloads: payloads.counts,
  }
}

interface NamedFile {
  readonly file: RecordFile
  /** After the last line about the run. */
  readonly end: number
}

/** The entries of a run, counted file by file. */
export class RunEntries {
  /** Hashes of the payloads that they name. */
  readonly payloads = new Set<string>()
  /** Entries after `upTo`. */
  later = 0
  readonly #run: string
  readonly #mark: string
  readonly #upTo: number
  #count = 0
  #first = 0
  #last = 0
  #head = ''

  /** @param upTo the last `seq` that counts */
  constructor(run: string, upTo = Number.MAX_SAFE_INTEGER) {
    this.#run = run
    this.#mark = `"run":${JSON.stringify(run)}`
    this.#upTo = upTo
  }

  /** @returns the position after the last entry of the run in the file; 0 where there is none */
  read(dir: string, file: RecordFile): number {
    let after = 0
    for (const { line, end } of placedLines(dir, file)) {
      if (!line.includes(this.#mark)) continue
      const { entry } = readEntry(line)
      if (entry === undefined)
        throw new EvidenceError('EIO', `a line of \`${file.name}\` is not an entry; verify it`)
      if (entry.run !== this.#run) continue
      if (entry.seq > this.#upTo) {
        this.later += 1
        continue
      }
      if (this.#count === 0) this.#first = entry.seq
      this.#count += 1
      this.#last = entry.seq
      this.#head = leafHash(line)
      for (const [, { hash }] of payloadsOf(entry)) this.payloads.add(hash)
      after = end
    }
    return after
  }

  result(): RunManifest['entries'] | undefined {
    if (this.#count === 0) return undefined
    return { count: this.#count, first: this.#first, last: this.#last, head: this.#head }
  }
}

/**
 * @param hashes of the payloads that are looked for
 * @returns the files that hold some, and how many are kept, known by digest only, or gone
 * @throws EvidenceError where one is not what was hashed
 */
export function findPayloads(
  dir: string,
  files: readonly RecordFile[],
  hashes: ReadonlySet<string>,
): { readonly files: readonly NamedFile[]; readonly counts: RunManifest['payloads'] } {
  const named: NamedFile[] = []
  const left = new Set(hashes)
  const counts = { kept: 0, digest: 0, deleted: 0 }
  for (const file of files) {
    if (file.segment.stream !== 'pack' || left.size === 0) continue
    let after = 0
    for (const { line, end } of placedLines(dir, file)) {
      const payload = readPayload(line)
      if (payload === undefined || !left.delete(payload.hash)) continue
      if (!isSound(payload))
        throw new EvidenceError(
          'EIO',
          `payload ${payload.hash.slice(0, 16)}… in \`${file.name}\` is not what was hashed; verify it`,
        )
      counts[payload.text === undefined ? 'digest' : 'kept'] += 1
      after = end
    }
    if (after > 0) named.push({ file, end: after })
  }
  return { files: named, counts: { ...counts, deleted: left.size } }
}
