/** What went wrong, as one sentence and an exit code. */
import { ControlError } from '../control/protocol.ts'
import { KernelError, SyscallError } from '../errors.ts'
import { EvidenceError } from '../evidence/store.ts'

/** Exit codes of the command; 128 + n stands for a signal. */
export const exitCodes = Object.freeze({
  /** It did its work. */
  done: 0,
  /** The agent failed, a check found something, or gatehouse itself has a defect. */
  failed: 1,
  /** Wrong usage, a bad policy, an option that is not sound: nothing has run. */
  usage: 2,
  /** The agent ended because of a refusal that it did not handle. */
  refused: 3,
  signal: 128,
})

/** A command line that is not understood. */
export class UsageError extends Error {
  readonly code = 'EINVAL'
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly exitCode: number
}

/** @returns how a command that threw ends; what the kernel refuses at its start is wrong usage */
export function describeFailure(error: unknown): Failure {
  const isRefusal =
    error instanceof UsageError ||
    error instanceof KernelError ||
    error instanceof SyscallError ||
    error instanceof EvidenceError
  if (error instanceof ControlError)
    return { code: error.code, message: error.message, exitCode: exitCodes.failed }
  if (isRefusal) return { code: error.code, message: error.message, exitCode: exitCodes.usage }
  const what = error instanceof Error ? error.message : String(error)
  return {
    code: 'EIO',
    message: `gatehouse failed: ${what}; --stack shows where, please report it`,
    exitCode: exitCodes.failed,
  }
}
