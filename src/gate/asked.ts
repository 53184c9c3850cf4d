/** What is shown, and what is recorded, of a call that a person has to approve. */
import { type Binding, hashOf } from '../approvals/binding.ts'
import { changesOf, type Seen } from '../approvals/changes.ts'
import type { Asking } from '../approvals/desk.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { limits } from '../limits.ts'
import type { Arrival } from '../proc/held.ts'
import type { Asks } from './admission.ts'
import { againOf, callerOf, recordedDecision } from './answers.ts'
import { shownResource } from './content.ts'
import { keep } from './record.ts'

interface Asked {
  readonly call: Arrival
  readonly asks: Asks
  readonly binding: Binding
  /** The request in whose place it comes. */
  readonly follows?: string
}

export function shownOf({ call, asks, binding, follows, seen }: Asked & { readonly seen: readonly Seen[] }) {
  const { process, number, name, text } = call
  const { requests, decision } = asks
  const { run, isolation } = process.identity
  return {
    ...{ run, pid: process.pid, agent: process.name, isolation, call: number, syscall: name },
    ...{ resource: resourceOf(asks), args: argsOf(text), changes: changesOf(seen) },
    questions: requests.map(({ action, resource }) => ({ action, resource })),
    ...{ rules: [...decision.rules], reason: decision.reason, policy: process.policy.hash },
    ...{ labels: [...(requests[0]?.labels ?? [])], digest: binding.digest },
    ...(follows !== undefined && { follows }),
  } satisfies Asking['request']
}

/** As everybody is told of it who may not see the arguments: a person who answers sees them beside it. */
export const resourceOf = ({ resources, decision }: Asks): string =>
  shownResource(resources.join(' → '), decision)

/** Written anew from what was understood: of a key that is given twice, a person sees the one that counts. */
function argsOf(text: string): Asking['request']['args'] {
  const understood = JSON.stringify(JSON.parse(text))
  const { length } = understood
  const max = limits.approvalArgsShownMax
  return {
    text: understood.slice(0, max).toWellFormed(),
    ...{ length, sha256: hashOf(text), cut: length > max },
  }
}

export function recordOf({
  call,
  asks,
  binding,
  follows,
  log,
}: Asked & { readonly log: EvidenceLog }): Asking['record'] {
  const { process, number, name, text } = call
  return (id, expires) => ({
    kind: 'ask',
    ...callerOf(process, number, name),
    ...{ id, resource: resourceOf(asks), args: keep(log, text, asks.decision) },
    decision: recordedDecision(asks.decision, process.policy.hash),
    labels: asks.requests[0]?.labels ?? [],
    ...{ digest: binding.digest, binding: keep(log, binding.text, asks.decision), expires },
    ...(follows !== undefined && { follows }),
    ...againOf(call),
  })
}
