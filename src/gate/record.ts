/** Putting what happens to a process on record, on its account. */
import type { EvidenceLog } from '../evidence/log.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Process } from '../proc/process.ts'

/** @returns whether it is on record; where it is not, the process has ended: no record, no reply */
export function tryRecord(log: EvidenceLog, process: Process, append: () => void): boolean {
  const before = log.written
  try {
    append()
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    process.end({ status: 'failed', reason: error.message, error: { code: 'EIO', message: error.message } })
    return false
  }
  process.recorded(log.written - before)
  return true
}
