/** Every way an agent's call can fail is an errno from this table, and travels as data. */
import { limits } from './limits.ts'

/** POSIX error numbers as Linux has them (errno(3)), with what each means in this kernel and what would help. */
export const errnos = {
  EPERM: {
    number: 1,
    summary: 'the policy does not permit it',
    help: 'read the rule that the message names; the owner of the policy can permit it, the agent cannot',
  },
  ENOENT: {
    number: 2,
    summary: 'no such file, folder, tool or agent',
    help: 'list the folder above, or read /tools and /ipc for the names there are',
  },
  ESRCH: {
    number: 3,
    summary: 'no such process',
    help: 'it may have ended; read /proc for the processes that live',
  },
  EINTR: {
    number: 4,
    summary: 'ended by a signal before it was done',
    help: 'whoever sent the signal wanted it to end; look at the record before doing it again',
  },
  EIO: {
    number: 5,
    summary: 'the device failed',
    help: 'look at the record to see whether it was done before doing it again',
  },
  E2BIG: {
    number: 7,
    summary: 'the arguments are too large',
    help: 'put the document into a file, in parts, and send its path',
  },
  EBADF: {
    number: 9,
    summary: 'no such open stream',
    help: 'a stream is open from the reply that gives its number until it ends, fails or is closed; open another one',
  },
  ECHILD: { number: 10, summary: 'not a child of this process', help: 'wait in the process that started it' },
  EAGAIN: {
    number: 11,
    summary: 'too many calls or messages at once; try again later',
    help: 'wait for calls that are in flight, or a little, and try again',
  },
  ENOMEM: {
    number: 12,
    summary: 'out of memory',
    help: 'hold less at once, read files in parts, or get a larger `memory` in the budget',
  },
  EACCES: {
    number: 13,
    summary: 'the host does not let the kernel do it',
    help: 'the owner of the host folder has to change its permissions',
  },
  EFAULT: {
    number: 14,
    summary: "the agent's own code failed",
    help: 'repair the program: name, message and stack are those of its own error',
  },
  EBUSY: {
    number: 16,
    summary: 'something else holds it',
    help: 'wait until the other side is done, and try again',
  },
  EEXIST: { number: 17, summary: 'it exists already', help: 'choose another name, or remove what is there' },
  EXDEV: {
    number: 18,
    summary: 'a move from one mount to another',
    help: 'read the file, write it at the new place and remove the old one',
  },
  ENOTDIR: {
    number: 20,
    summary: 'a part of the path is not a folder',
    help: 'stat the parts of the path one by one',
  },
  EISDIR: { number: 21, summary: 'it is a folder', help: 'list it, or name a file in it' },
  EINVAL: {
    number: 22,
    summary: 'the arguments are not sound',
    help: 'compare the arguments with docs/syscalls.md; the message names the one that is wrong',
  },
  EFBIG: {
    number: 27,
    summary: 'the file or reply is too large',
    help: 'read it by offset and length, or ask for less',
  },
  ENOSPC: {
    number: 28,
    summary: 'the device is full',
    help: 'remove files that nobody needs: below /mem and /state of any agent, or of the host for a host folder',
  },
  EROFS: {
    number: 30,
    summary: 'mounted read-only',
    help: 'write below /mem, /state or /tmp; the application can mount a host folder with mode `rw`',
  },
  EPIPE: {
    number: 32,
    summary: 'the other end of the stream is gone',
    help: 'nobody will read what is written, or what is read is not all: open another one when the other side is there',
  },
  EDEADLK: {
    number: 35,
    summary: 'it waits for something that can never happen',
    help: 'await a call, a timer or a message; a promise that nothing settles ends the process',
  },
  ENAMETOOLONG: { number: 36, summary: 'the path is too long', help: 'use shorter names or fewer folders' },
  ENOSYS: {
    number: 38,
    summary: 'no such syscall',
    help: 'the message names the call that was perhaps meant; docs/syscalls.md lists all',
  },
  ENOTEMPTY: {
    number: 39,
    summary: 'the folder is not empty',
    help: 'remove what is in it first, or remove with `recursive`',
  },
  ELOOP: {
    number: 40,
    summary: 'the path leads through a link',
    help: 'name the file itself: links are not followed',
  },
  EMSGSIZE: {
    number: 90,
    summary: 'the message is too long',
    help: 'write the content to a file that both can read, and send its path',
  },
  ETIMEDOUT: {
    number: 110,
    summary: 'it took too long',
    help: 'ask for less, in smaller steps, or later; the limit is in docs/limits.md',
  },
  ECONNREFUSED: {
    number: 111,
    summary: 'the other side does not answer',
    help: 'check host and port, and that the server runs',
  },
  EHOSTUNREACH: {
    number: 113,
    summary: 'the host has no permitted address',
    help: 'check the name; a rule can permit `loopback`, `private` or `linkLocal` addresses by `addresses`',
  },
  EDQUOT: {
    number: 122,
    summary: 'the budget or quota is used up',
    help: 'do less, remove files, or get a larger budget',
  },
  ECANCELED: {
    number: 125,
    summary: 'canceled',
    help: 'by the agent’s own `call.cancel`, or by a kernel that is shutting down; then run the agent again',
  },
} as const

export type Errno = keyof typeof errnos

/** Whether a text is the name of an errno of the table. */
export const isErrno = (name: unknown): name is Errno =>
  typeof name === 'string' && Object.hasOwn(errnos, name)

/**
 * What an agent may do wrong, or meet. Thrown by decoders and drivers, caught by the gate, sent as data.
 * `message` says why, and what would help; the gate puts what was tried, and on what, before it.
 * It never holds a host path, a stack or a secret, and is cut at `limits.errorTextMax`.
 */
export class SyscallError extends Error {
  readonly code: Errno
  /** Whether something may have happened outside all the same: then the outcome on record is `unknown`. */
  readonly sent: boolean
  constructor(code: Errno, why: string, sent = false) {
    // Outside text that was cut may end in half a character, which no record takes.
    super(why.slice(0, limits.errorTextMax).toWellFormed())
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
  /** The agent's own error, where that is what happened, with the lines of its own files. */
  readonly guest: { readonly name: string; readonly message: string; readonly stack: string } | undefined
  constructor(
    code: Errno,
    message: string,
    details: {
      decision?: unknown
      signal?: string
      guest?: { name: string; message: string; stack: string }
    } = {},
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
