/** What the gate says about a call: to the agent as a sentence, to the record as data. */
import type { Errno, SyscallError } from './errors.ts'
import type { RecordedDecision, RecordedRule } from './evidence/entry.ts'
import { limits } from './limits.ts'
import type { Decision, RuleRef } from './policy/types.ts'

/** What was tried, on what, why not, and what would help. */
export function sentence(code: Errno, name: string, resource: string | undefined, why: string): string {
  const on = resource === undefined || resource === '' ? '' : ` \`${resource}\``
  return `${code}: ${name.slice(0, limits.syscallNameMax)}${on}: ${why}`
}

/** The reply that makes the guest's promise reject. */
export const failureReply = (code: Errno, message: string): string =>
  JSON.stringify({ error: { code, message } })

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
