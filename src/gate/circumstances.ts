/** What a person's answer is about besides the arguments of the call: whether it is still so, and the digest that binds both. */
import { type Binding, bindingOf } from '../approvals/binding.ts'
import { type Seen, seenAsJson } from '../approvals/changes.ts'
import { canonicalText } from '../evidence/canonical.ts'
import { type Labels, noLabels } from '../labels.ts'
import type { Arrival } from '../proc/held.ts'
import type { Stakes } from '../syscalls/row.ts'
import type { Asks } from './admission.ts'

export interface Circumstances {
  /** Hash of the policies in force. */
  readonly policy: string
  readonly labels: Labels
  /** The process that the call means, where it means one. */
  readonly target: number | undefined
  /** What stands where it would change something. */
  readonly seen: readonly Seen[]
}

export const circumstancesOf = (
  { process }: Arrival,
  { requests }: Asks,
  { pid }: Stakes,
  seen: readonly Seen[],
): Circumstances => ({
  ...{ policy: process.policy.hash, labels: requests[0]?.labels ?? noLabels, target: pid, seen },
})

/** Whether what stands where it would change something was shown then, as it is, under the same policy and labels. */
export function areSame(then: Circumstances, now: Circumstances): boolean {
  const known = new Set(then.seen.map((each) => canonicalText(seenAsJson([each]))))
  return (
    then.policy === now.policy &&
    then.target === now.target &&
    canonicalText(then.labels) === canonicalText(now.labels) &&
    now.seen.every((each) => each.now.type === 'absent' || known.has(canonicalText(seenAsJson([each]))))
  )
}

/** @returns what an approval of exactly this call, under these circumstances, is bound to */
export function bind(
  { process, number, name, text }: Arrival,
  { requests, decision }: Asks,
  { policy, labels, target, seen }: Circumstances,
  nonce: string,
): Binding {
  const bound = {
    ...{ run: process.identity.run, pid: process.pid, call: number, syscall: name, args: text },
    ...{ policy, labels, target },
    questions: requests.map(({ action, resource }) => ({ action, resource })),
    rules: decision.rules.map(({ policy: of, id }) => ({ policy: of, id })),
    replaces: seenAsJson(seen),
  }
  return bindingOf(bound, nonce)
}
