/** What calls of before this kernel used up, and what is remembered of them for policies. */

import type { Entry } from '../evidence/entry.ts'
import { sentence } from '../gate/answers.ts'
import { deedsOf } from '../gate/past.ts'
import { sentOf } from '../gate/seen.ts'
import type { Json } from '../json.ts'
import type { Obligation } from '../policy/types.ts'
import type { Process } from '../proc/process.ts'
import { findSyscall } from '../syscalls.ts'
import type { FoldParts } from './fold-parts.ts'
import { decoded, type PastIntent } from './known.ts'
import type { Past } from './past-entries.ts'

/** An admitted call, as the gate accounted for it. */
export function account({ drivers, runMemory }: FoldParts, process: Process, intent: PastIntent): void {
  const { entry, text } = intent
  const row = findSyscall(entry.syscall)
  const args = text === undefined ? undefined : (decoded(entry.syscall, text) as never)
  process.ledger.spend('syscalls', row.cost)
  if (args !== undefined && row.bits !== undefined) process.ledger.spend('bits', row.bits(args, drivers))
  if (entry.decision.rules === undefined) return
  const used = obligationsOf(process, entry.decision.rules)
  if (used.length > 0 && !process.identity.sealed) {
    const { tallies, now } = runMemory.talliesOf(process)
    tallies.count(used, now)
  }
  const external = args === undefined || isExternal(process, drivers, entry.syscall, args)
  const isPiece = row.stream !== undefined
  const sent = args === undefined || isPiece ? undefined : sentOf(args as Json, external)
  runMemory.again(process, deedsIn(process, entry), { external, sent })
  // A text that is not kept is none that could be seen again.
  if (text !== undefined)
    process.conduct.called(`${entry.syscall} ${text}`, false, process.policy.loopRepeats)
}

/** What a model has cost. */
export function accountCost(
  { ledger }: Process,
  { tokens, costUsd = 0 }: NonNullable<Past<'outcome'>['cost']>,
): void {
  ledger.spend('tokens', tokens)
  ledger.spend('costUsd', costUsd)
}

/** The same for one that the gate did not admit. */
export function accountRefusal(process: Process, refusal: Past<'refusal'>, text: string | undefined): void {
  const { code, reason, syscall, resource, decision } = refusal
  process.ledger.spend('syscalls', 1)
  process.refusals.note({ code, message: sentence(code, syscall, resource, reason), decision: undefined })
  if (decision !== undefined && text !== undefined)
    process.conduct.called(`${syscall} ${text}`, code === 'EPERM', process.policy.loopRepeats)
}

function isExternal(process: Process, drivers: FoldParts['drivers'], syscall: string, args: never): boolean {
  return findSyscall(syscall).external?.(args, drivers, process) ?? false
}

/** Rules of today that go by the names of those that let it pass. */
function obligationsOf(
  { policy }: Process,
  rules: readonly { readonly id: string; readonly policy: string; readonly line: number }[],
): readonly Obligation[] {
  return rules.flatMap((ref) => {
    const found = policy.policies
      .find(({ name }) => name === ref.policy)
      ?.rules.find(({ id }) => id === ref.id)?.demands
    return found === undefined ? [] : [{ ...found, rule: ref }]
  })
}

const deedsIn = (process: Process, { syscall, resource }: Past<'intent'>) =>
  deedsOf({
    ...{ kind: 'intent', agent: process.name, syscall, resource, time: 0, seq: 0, v: 1, prev: '' },
    decision: { policy: '' },
  } as Entry)
