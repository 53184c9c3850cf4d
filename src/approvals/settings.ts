/** The option `approvals` of a kernel, read. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { parseDuration } from '../policy/units.ts'
import type { ApprovalOptions } from './request.ts'

export interface ApprovalSettings {
  readonly timeoutMs: number
  readonly hook: ApprovalOptions['ask']
}

/** @throws KernelError EINVAL for a time that is none */
export function readApprovals({ timeout, ask: hook }: ApprovalOptions = {}): ApprovalSettings {
  const timeoutMs = timeout === undefined ? limits.approvalMs : parseDuration(timeout)
  if (timeoutMs < 1)
    throw new KernelError(
      'EINVAL',
      'the option `approvals.timeout` is no time at all, in which nobody could answer',
    )
  return { timeoutMs, hook }
}
