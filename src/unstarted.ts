/** A process whose program could not be started ends with the reason. */
import { KernelError, SyscallError } from './errors.ts'
import { EvidenceError } from './evidence/store.ts'
import type { Process } from './proc/process.ts'

export function endUnstarted(process: Process, error: unknown): void {
  const known =
    error instanceof KernelError || error instanceof SyscallError || error instanceof EvidenceError
  const code = known ? error.code : 'EIO'
  const message = known
    ? error.message
    : `the program could not be read: ${error instanceof Error ? error.message : 'unknown'}`
  process.end({ status: 'failed', reason: message, error: { code, message } })
}
