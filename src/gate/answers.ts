/** What the gate says about a call: to the agent as a sentence, to the record as data. */
import { type Errno, SyscallError } from '../errors.ts'
import type { Caller, RecordedDecision, RecordedRule } from '../evidence/entry.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import type { Decision, RuleRef } from '../policy/types.ts'
import type { Arrival } from '../proc/held.ts'
import type { Process } from '../proc/process.ts'

/** What was tried, on what, why not, and what would help. */
export function sentence(code: Errno, name: string, resource: string | undefined, why: string): string {
  const on = resource === undefined || resource === '' ? '' : ` \`${resource}\``
  return `${code}: ${name.slice(0, limits.syscallNameMax).toWellFormed()}${on}: ${why}`
}

/** The reply that makes the guest's promise reject. */
export const failureReply = (code: Errno, message: string): string =>
  JSON.stringify({ error: { code, message } })

/**
 * Puts a reply among what the process's next turn brings.
 * @param seq of the entry that ended the call
 */
export function answer(
  { process, number }: Pick<Arrival, 'process' | 'number'>,
  text: string,
  seq: number,
): void {
  if (!process.over) process.turns.post(number, text, seq)
}

/** @param policy hash of the policies that were asked */
export function recordedDecision(decision: Decision, policy: string): RecordedDecision {
  const { effect, rules, observed } = decision
  const recorded = { effect, rules: rules.map(recordedRule), policy }
  if (observed === undefined) return recorded
  return { ...recorded, observed: { effect: observed.effect, rules: observed.rules.map(recordedRule) } }
}

const recordedRule = ({ id, line, policy }: RuleRef): RecordedRule => ({ id, line, policy })

/** `unknown`: it may have happened outside, and nobody can tell. */
export function outcomeStatus(cause: SyscallError, aborted: boolean): 'failed' | 'aborted' | 'unknown' {
  if (cause.sent) return 'unknown'
  return aborted ? 'aborted' : 'failed'
}

/** Why a call ended that its own process canceled. */
export const canceled = (sent = false): SyscallError =>
  new SyscallError('ECANCELED', 'canceled by the agent itself', sent)

/** Whether a driver met what it should not have: a broken invariant, or an error that is not the agent's. */
export const isDefect = (error: unknown): boolean =>
  error !== undefined && !(error instanceof SyscallError) && !(error instanceof EvidenceError)

/** The result as text, or why there is none. */
export interface Outcome {
  readonly text: string
  readonly cause?: SyscallError
}

/** @param error what the driver threw, if it did */
export function outcomeOf(result: Json | undefined, error: unknown): Outcome {
  if (error instanceof SyscallError) return { text: '', cause: error }
  // What a driver had done when it broke nobody can tell.
  if (error !== undefined)
    return {
      text: '',
      cause: new SyscallError('EIO', 'the kernel failed while it was done', isDefect(error)),
    }
  const text = JSON.stringify(result ?? null)
  if (text.length <= limits.replyBytesMax) return { text }
  const why = `the reply has ${text.length} characters, at most ${limits.replyBytesMax} fit; ask for a part`
  return { text: '', cause: new SyscallError('EFBIG', why, true) }
}

/** What the record says of a call that was on its way when its kernel ended. */
export const againOf = ({ past }: Arrival): { readonly again?: number } =>
  past?.again === undefined ? {} : { again: past.again }

/** Whose call it is, for the record. */
export function callerOf(
  { identity, pid, name: agent, labels }: Process,
  call: number,
  name: string,
): Caller {
  const { run, isolation, sealed } = identity
  return {
    ...{ run, pid, agent, isolation, call },
    syscall: name.slice(0, limits.syscallNameMax).toWellFormed(),
    ...(sealed && { extraction: true as const }),
    ...(labels.length > 0 && { labels }),
  }
}
