/** Types of the doors of user space that the bootstrap makes by hand; those of the syscall table are in guest.ts. */
import type { Errno } from './errors.ts'
import type { Json } from './json.ts'
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

/** The end of a pipe that another agent reads. */
export interface PipeWriter {
  /** Its number, for `sys`. */
  readonly stream: number
  /** Whom it leads to. */
  readonly to: string
  /**
   * Writes one value after those before, and waits until there is room for it.
   * @throws SyscallError EINVAL for what its schema does not take, EPIPE where nobody reads any more, EPERM
   */
  write(value: Json): Promise<null>
  /** Whoever reads gets what was written, and then the end. */
  close(): Promise<null>
}

/** The end of a pipe that another agent writes: `for await (const value of pipe)`. */
export interface PipeReader extends AsyncIterable<Json> {
  readonly stream: number
  /** Who opened it: the name of the agent, and its process. */
  readonly from: string
  readonly pid: number
  /** What goes through it, as a JSON Schema, where whoever opened it says so. */
  readonly schema: { readonly [key: string]: Json } | undefined
  /** @throws SyscallError EPIPE where whoever writes was ended before it closed the pipe */
  next(): Promise<IteratorResult<Json, undefined>>
  /** Nobody reads any more: whoever writes is told by EPIPE. */
  close(): Promise<void>
}

export interface PipeDoors {
  /**
   * Opens a pipe to an agent, which takes it by its own `ipc.pipe`.
   * @throws SyscallError ENOENT for an unknown agent, EAGAIN where too many wait there, EINVAL, EPERM
   */
  pipe(options: {
    readonly to: string
    /** What goes through it: types, enums, bounds, properties, items and `anyOf` of JSON Schema. */
    readonly schema?: { readonly [key: string]: Json }
  }): Promise<PipeWriter>
  /**
   * Takes the oldest pipe that was opened to this agent, of one agent or of any, and waits where there is none.
   * @throws SyscallError ETIMEDOUT, EPERM
   */
  pipe(options?: { readonly from?: string; readonly timeoutMs?: number }): Promise<PipeReader>
}
