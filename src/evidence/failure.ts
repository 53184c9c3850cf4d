/** What a device that fails means for the log. */
import { EvidenceError } from './store.ts'

/** The message travels to agents: what the store says itself names no path of the host, what the system says may. */
export function failureOf(error: unknown): EvidenceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  const own = error instanceof EvidenceError ? error.message : undefined
  const why = own ?? (isFull ? `no space is left (${code})` : `the device failed (${code})`)
  return new EvidenceError(
    isFull ? 'ENOSPC' : 'EIO',
    `evidence cannot be written, so nothing more is done: ${why}`,
  )
}
