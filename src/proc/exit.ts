/** The states of a process, and how it ended. */
import type { Errno } from '../errors.ts'
import type { Fault } from '../isolate/guest.ts'
import type { Json } from '../json.ts'
import type { Decision } from '../policy/types.ts'
import type { Usage } from './ledger.ts'
import type { SignalName } from './signals.ts'

/**
 * `waiting`: alive, and no agent code runs until a reply, a timer or a signal comes.
 * `stopping`: SIGSTOP was taken, and agent code may still run; `stopped`: it is proved that none does.
 */
export type ProcessState =
  | 'created'
  | 'running'
  | 'waiting'
  | 'stopping'
  | 'stopped'
  | 'exited'
  | 'killed'
  | 'failed'

export interface ExitError {
  readonly code: Errno
  readonly message: string
  /** Where it ended by a refusal that it did not handle: the policy's decision. */
  readonly decision?: Decision
  /** Whether it ended by a refusal that it did not handle. */
  readonly refused?: true
  /** Name and stack of the agent's own error, where it threw one. The stack shows agent code only. */
  readonly name?: string
  readonly stack?: string
}

/** How a process ended. */
export interface Exit {
  readonly status: 'exited' | 'killed' | 'failed'
  readonly value?: Json
  readonly error?: ExitError
  readonly signal?: SignalName
  readonly reason?: string
  /** Where what it had read came from: they ride on its value, its error and its reason. */
  readonly labels: readonly string[]
  readonly usage: Usage & { readonly heapBytes: number; readonly wallMs: number }
}

/** What a process was refused. */
export interface PastRefusal {
  readonly code: Errno
  readonly message: string
  readonly decision: Decision | undefined
}

/** How a process ends whose guest is gone by itself. */
export function faulted({ code, reason, error }: Fault): Omit<Exit, 'usage' | 'labels'> {
  const message = error === undefined ? reason : `${error.name}: ${error.message}`
  const own = error === undefined ? {} : { name: error.name, stack: error.stack ?? '' }
  return { status: 'failed', reason, error: { code, message, ...own } }
}

/** So many are told apart: calls that were in flight together are refused together. */
const refusalsKept = 8

/** What a process was refused lately, so that an error which is a refusal, thrown on, is told apart from the agent's own. */
export class Refusals {
  /** The newest first. */
  #last: readonly PastRefusal[] = []

  note(refusal: PastRefusal): void {
    const others = this.#last.filter(({ message }) => message !== refusal.message)
    this.#last = [refusal, ...others].slice(0, refusalsKept)
  }

  /** @returns the error with the refusal that it is; nothing where it is none */
  blamed(error: ExitError | undefined): { error?: ExitError } {
    const refusal = this.#last.find(({ message }) => error?.message.endsWith(message))
    if (error === undefined || refusal === undefined) return {}
    const { code, decision } = refusal
    return { error: { ...error, code, refused: true, ...(decision !== undefined && { decision }) } }
  }
}
