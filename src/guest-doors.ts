/** Types of the doors of user space that the bootstrap makes by hand; those of the syscall table are in guest.ts. */
import type { Errno } from './errors.ts'
import type { agentSignals, signals } from './proc/signals.ts'

/** What a refused or failed call rejects with. Told from other errors by its `name`; user space has no class for it. */
export interface SyscallError extends Error {
  readonly name: 'SyscallError'
  /** Which way it failed; docs/errors.md says what would help. */
  readonly code: Errno
}

/**
 * The host tools that the application offers, by name: `await tools.announce({ title })`.
 * An agent names those it uses to have them checked:
 * `declare module 'gatehouse/guest' { interface Tools { announce(args: { title: string }): Promise<string> } }`
 * @throws SyscallError ENOENT for no such tool, EINVAL for arguments beside its schema, EPERM, and what the tool meets
 */
export interface Tools {
  // biome-ignore lint/suspicious/noExplicitAny: any other type is `| undefined` under noUncheckedIndexedAccess, and then no tool could be called
  readonly [name: string]: any
}

/** A signal that an agent may send. */
export type SignalName = (typeof agentSignals)[number]

/** A signal that an agent may handle, ignore or mask. */
export type CatchableSignal = {
  [Name in SignalName]: (typeof signals)[Name]['catchable'] extends true ? Name : never
}[SignalName]

export interface SignalDoors {
  /**
   * Says how a signal is taken: by a function, as `default`, or by `ignore`.
   * SIGINT and SIGTERM end the process after their handler, or at its deadline (docs/limits.md, `handlerMs`).
   */
  on(
    signal: CatchableSignal,
    handler: ((signal: CatchableSignal) => unknown) | 'default' | 'ignore',
  ): Promise<void>
}
