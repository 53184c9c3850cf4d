/** Finds a run by the beginning of its id. */
import type { Entry } from '../evidence/entry.ts'

/** Evidence that can be looked through. */
interface Runs {
  run(id: string): Iterable<Entry>
  entries(filter: { readonly kind: 'spawn' }): Iterable<Entry>
}

/**
 * @param given a run's id, or as much of it as no other begins with
 * @returns the ids that it can mean, at most `most`: one where it is clear, none where there is no such run
 * @throws EvidenceError EIO at a line that is not an entry
 */
export function findRuns(evidence: Runs, given: string, most: number): readonly string[] {
  for (const _ of evidence.run(given)) return [given]
  const found = new Set<string>()
  for (const { run } of evidence.entries({ kind: 'spawn' })) {
    if (run?.startsWith(given)) found.add(run)
    if (found.size === most) break
  }
  return [...found]
}
