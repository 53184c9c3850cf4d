/** How a process ended, as the error that whoever waits for it gets. */
import { KernelError } from '../errors.ts'
import type { Exit } from '../proc/exit.ts'
import { textOf } from './plain.ts'

/** @param name of the process that was killed, failed, or has exited while something of it was still on its way */
export function endedError(name: string, exit: Exit): KernelError {
  const { status, error, signal, reason } = exit
  if (status === 'exited')
    return new KernelError('EINTR', `\`${name}\` has exited, and with it ended what it still asked for`)
  return new KernelError(
    error?.code ?? 'EINTR',
    `\`${name}\` ${status === 'killed' ? 'was killed' : 'failed'}: ${error?.message ?? reason ?? signal}`,
    {
      ...(error?.decision !== undefined && { decision: error.decision }),
      ...(signal !== undefined && { signal }),
      ...(error?.name !== undefined && {
        guest: { name: error.name, message: error.message, stack: error.stack ?? '' },
      }),
    },
  )
}

/** What ended a function of the application, for the exit of its process. */
export function faultOf(error: unknown): {
  readonly reason: string
  readonly error: { readonly code: 'EFAULT'; readonly message: string; readonly name: string }
} {
  const name = textOf(error instanceof Error ? error.name : 'Error')
  const message = `${name}: ${textOf(error instanceof Error ? error.message : error)}`
  return { reason: message, error: { code: 'EFAULT', message, name } }
}
