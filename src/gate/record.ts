/** Putting what happens to a process on record, on its account. */
import type { PayloadRef } from '../evidence/entry.ts'
import type { EvidenceLog, Receipt } from '../evidence/log.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Decision } from '../policy/types.ts'
import type { Process } from '../proc/process.ts'

/** @returns where it stands on record; where it does not, undefined, and the process has ended: no record, no reply */
export function tryRecord(log: EvidenceLog, process: Process, append: () => Receipt): Receipt | undefined {
  const before = log.written
  let receipt: Receipt
  try {
    receipt = append()
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    process.end({ status: 'failed', reason: error.message, error: { code: 'EIO', message: error.message } })
    return undefined
  }
  process.recorded(log.written - before)
  return receipt
}

/** @returns what an entry says of a text, which is kept beside the log unless a rule of one of the decisions says otherwise */
export const keep = (
  log: EvidenceLog,
  text: string,
  ...decisions: readonly (Decision | undefined)[]
): PayloadRef => (decisions.every(isKept) ? log.payload(text) : log.digest(text))

/** Whether texts of a call may be kept. What a rule looked for and found, or feared, is not for keeping either. */
export const isKept = (decision: Decision | undefined): boolean =>
  decision?.sensitive === undefined && !decision?.obligations?.some(({ log }) => log === 'digest')
