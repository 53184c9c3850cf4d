/** Every way an agent's call can fail is an errno from this table, and travels as data. */

/** POSIX error numbers as Linux has them (errno(3)), with what each means in this kernel. */
export const errnos = {
  EPERM: { number: 1, summary: 'the policy does not permit it' },
  ENOENT: { number: 2, summary: 'no such file, folder, tool or agent' },
  ESRCH: { number: 3, summary: 'no such process' },
  EINTR: { number: 4, summary: 'ended by a signal before it was done' },
  EIO: { number: 5, summary: 'the device failed' },
  E2BIG: { number: 7, summary: 'the arguments are too large' },
  ECHILD: { number: 10, summary: 'not a child of this process' },
  EAGAIN: { number: 11, summary: 'too many calls or messages at once; try again later' },
  ENOMEM: { number: 12, summary: 'out of memory' },
  EACCES: { number: 13, summary: 'the host does not let the kernel do it' },
  EFAULT: { number: 14, summary: "the agent's own code failed" },
  EBUSY: { number: 16, summary: 'something else holds it' },
  EEXIST: { number: 17, summary: 'it exists already' },
  EXDEV: { number: 18, summary: 'a move from one mount to another' },
  ENOTDIR: { number: 20, summary: 'a part of the path is not a folder' },
  EISDIR: { number: 21, summary: 'it is a folder' },
  EINVAL: { number: 22, summary: 'the arguments are not sound' },
  EFBIG: { number: 27, summary: 'the file or reply is too large' },
  ENOSPC: { number: 28, summary: 'the device is full' },
  EROFS: { number: 30, summary: 'mounted read-only' },
  EDEADLK: { number: 35, summary: 'it waits for something that can never happen' },
  ENAMETOOLONG: { number: 36, summary: 'the path is too long' },
  ENOSYS: { number: 38, summary: 'no such syscall' },
  ENOTEMPTY: { number: 39, summary: 'the folder is not empty' },
  ELOOP: { number: 40, summary: 'the path leads through a link' },
  EMSGSIZE: { number: 90, summary: 'the message is too long' },
  ETIMEDOUT: { number: 110, summary: 'it took too long' },
  ECONNREFUSED: { number: 111, summary: 'the other side does not answer' },
  EHOSTUNREACH: { number: 113, summary: 'the host has no permitted address' },
  EDQUOT: { number: 122, summary: 'the budget or quota is used up' },
  ECANCELED: { number: 125, summary: 'canceled by the kernel' },
} as const

export type Errno = keyof typeof errnos

/** Whether a text is the name of an errno of the table. */
export const isErrno = (name: unknown): name is Errno =>
  typeof name === 'string' && Object.hasOwn(errnos, name)

/**
 * What an agent may do wrong, or meet. Thrown by decoders and drivers, caught by the gate, sent as data.
 * `message` says why, and what would help; the gate puts what was tried, and on what, before it.
 * It never holds a host path, a stack or a secret.
 */
export class SyscallError extends Error {
  readonly code: Errno
  /** Whether something may have happened outside all the same: then the outcome on record is `unknown`. */
  readonly sent: boolean
  constructor(code: Errno, why: string, sent = false) {
    // Outside text that was cut may end in half a character, which no record takes.
    super(why.toWellFormed())
    this.name = 'SyscallError'
    this.code = code
    this.sent = sent
  }
}

/** What a caller of the kernel's own API gets when a governed call, an option or a policy fails. */
export class KernelError extends Error {
  readonly code: Errno
  /** The decision that refused, where one did. */
  readonly decision: unknown
  /** The signal that ended the process, where one did. */
  readonly signal: string | undefined
  /** The guest's own error, where that is what happened. */
  readonly guest: { readonly name: string; readonly message: string } | undefined
  constructor(
    code: Errno,
    message: string,
    details: { decision?: unknown; signal?: string; guest?: { name: string; message: string } } = {},
  ) {
    super(message)
    this.name = 'KernelError'
    this.code = code
    this.decision = details.decision
    this.signal = details.signal
    this.guest = details.guest
  }
}

/** Broken invariants of the kernel end what they are in; they are never an agent's fault. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`kernel invariant broken: ${what}`)
}
