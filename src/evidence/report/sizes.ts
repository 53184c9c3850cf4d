/** How much room a record takes. */
import { recordFiles, sizeOf } from '../files/contents.ts'

export interface Sizes {
  readonly files: number
  readonly bytes: number
}

/** @returns the files of the log and of the payloads @throws EvidenceError for one that cannot be read */
export function recordSizes(dir: string): { readonly log: Sizes; readonly pack: Sizes } {
  const sizes = { log: { files: 0, bytes: 0 }, pack: { files: 0, bytes: 0 } }
  for (const file of recordFiles(dir)) {
    const { stream } = file.segment
    sizes[stream].files += 1
    sizes[stream].bytes += sizeOf(dir, file)
  }
  return sizes
}
