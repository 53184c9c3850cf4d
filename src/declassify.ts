/** A person releases one value: for a process that will give it away, or of a file. On record first. */

import { KernelError } from './errors.ts'
import type { DeclassifyBody } from './evidence/entry.ts'
import type { EvidenceLog } from './evidence/log.ts'
import type { Json } from './json.ts'
import { type Labels, readLabels } from './labels.ts'
import { limits } from './limits.ts'
import type { Process } from './proc/process.ts'

/** What a person says who releases a value; all of it goes on record. */
export interface Declassification {
  /** Those that the value does not carry on. */
  readonly labels: Labels
  /** Who says so. */
  readonly by: string
  readonly reason: string
}

/** @throws KernelError EINVAL for what is missing, empty or too long */
export function readDeclassification(given: Declassification): Declassification {
  const { labels, by, reason } = given ?? {}
  const read = readLabels(labels, 'declassify')
  if (read.length === 0)
    throw new KernelError('EINVAL', 'declassify: `labels` is empty; name those to release')
  for (const [key, text] of Object.entries({ by, reason }))
    if (
      typeof text !== 'string' ||
      text.trim() === '' ||
      text.length > limits.releaseTextMax ||
      !text.isWellFormed()
    )
      throw new KernelError(
        'EINVAL',
        `declassify: \`${key}\` has to be a text of at most ${limits.releaseTextMax} characters; it stands in the record`,
      )
  return { labels: read, by, reason }
}

/**
 * Lets a process give away exactly this value once without these labels.
 * @throws KernelError EAGAIN where as many values wait for it already, EvidenceError where it cannot be recorded
 */
export function declassifyFor(
  log: EvidenceLog,
  process: Process,
  value: Json,
  given: Declassification,
): void {
  const { labels, by, reason } = readDeclassification(given)
  if (process.releases.count >= limits.releasesMax)
    throw new KernelError(
      'EAGAIN',
      `${limits.releasesMax} values are released for process ${process.pid} and not used yet`,
    )
  log.append({
    kind: 'declassify',
    ...{ run: process.identity.run, pid: process.pid, by, reason, labels },
    value: log.payload(JSON.stringify(value)),
  } satisfies DeclassifyBody)
  process.releases.add(value, labels)
}
