/** A person releases one value: for a process that will give it away, or of a file. On record first. */

import { KernelError, SyscallError } from './errors.ts'
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
        `declassify: \`${key}\` has to be a text of 1 to ${limits.releaseTextMax} characters; it stands in the record`,
      )
  return { labels: read, by, reason }
}

/**
 * A release of what is not there would be on record as one, and somebody would count on it.
 * @param whose for the message
 * @throws SyscallError EINVAL with what it does carry
 */
export function assertCarried(labels: Labels, carried: Labels, whose: string): void {
  const missing = labels.find((label) => !carried.includes(label))
  if (missing === undefined) return
  const there =
    carried.length === 0 ? 'no labels' : `only ${carried.map((label) => `\`${label}\``).join(', ')}`
  throw new SyscallError(
    'EINVAL',
    `\`${missing}\` cannot be released: ${whose} carries ${there}; name labels that are there`,
  )
}

/**
 * Lets a process give away exactly this value once without these labels.
 * @throws SyscallError EINVAL for labels that the process does not carry; KernelError EAGAIN where as many values wait for it already, EvidenceError where it cannot be recorded
 */
export function declassifyFor(
  log: EvidenceLog,
  process: Process,
  value: Json,
  given: Declassification,
): void {
  const { labels, by, reason } = readDeclassification(given)
  assertCarried(labels, process.labels, `process ${process.pid}`)
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
