/** Calls that were on their way when the record ends: within the kernel they are made again, the rest is for a choice to say. */

import { byKernel } from '../actors.ts'
import type { Unsettled } from '../config/rebuild.ts'
import type { AnswerBody, OutcomeBody, RefusalBody } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { answer, callerOf, failureReply, sentence } from '../gate/answers.ts'
import { tryRecord } from '../gate/record.ts'
import type { Gate } from '../gate.ts'
import type { Process } from '../proc/process.ts'
import type { Drivers } from '../syscalls/row.ts'
import { findSyscall } from '../syscalls.ts'
import type { Fold } from './fold.ts'
import { decoded, type Known, type PastAsk, type PastIntent } from './known.ts'

export interface SettleParts {
  readonly log: EvidenceLog
  readonly gate: Gate
  readonly drivers: Drivers
  readonly fold: Fold
  readonly choice: Unsettled
  /** Whether the run goes on under another name: then what was on its way is on its way there still, or has ended. */
  readonly isFork: boolean
}

const unknown = 'it was on its way when the kernel ended, and whether it was done is not known'
const forked = 'it was on its way where this run begins, and is not made again'

/** Looking at a file of the host changes nothing there. */
const reads = new Set(['fs.read', 'fs.list', 'fs.stat'])

/** Settles all calls of processes that go on, in the order in which they were made. */
export function settleCalls(parts: SettleParts, all: readonly Known[]): void {
  const calls = all.flatMap((known) => [
    ...[...known.dangling.values()].map((intent) => ({
      ...{ known, seq: intent.seq },
      go: () => settle(parts, known.process, intent),
    })),
    ...[...known.asks].map(([call, ask]) => ({
      ...{ known, seq: ask.seq },
      go: () => askAgain(parts, known, call, ask),
    })),
  ])
  for (const { known, go } of calls.toSorted((one, other) => one.seq - other.seq))
    if (!known.process.over) go()
}

function settle(parts: SettleParts, process: Process, intent: PastIntent): void {
  const { seq, entry, text } = intent
  const how = text === undefined ? 'fail' : wayOf(parts, process, entry.syscall, text)
  if (how === 'fail' || text === undefined) {
    parts.fold.account(process, intent)
    return fail(parts, process, intent)
  }
  if (!parts.isFork) {
    const isExternal = how !== 'inside'
    const recorded = recordEnd(parts.log, process, seq, isExternal ? 'unknown' : 'aborted')
    if (recorded === undefined) return
  }
  const past = { ...(!parts.isFork && { again: seq }), ...(how === 'ask' && { asks: true as const }) }
  parts.gate.callAgain({ process, number: entry.call, name: entry.syscall, text, past })
}

function wayOf(
  { drivers, choice }: SettleParts,
  process: Process,
  syscall: string,
  text: string,
): 'inside' | 'again' | 'ask' | 'fail' {
  const row = findSyscall(syscall)
  const args = decoded(syscall, text) as never
  if (!(row.external?.(args, drivers, process) ?? false)) return 'inside'
  if (reads.has(syscall)) return 'again'
  // What was printed may be on the screen already.
  if (choice === 'fail' || syscall === 'proc.output') return 'fail'
  if (choice === 'ask') return 'ask'
  // It changes nothing but what it costs.
  if (syscall.startsWith('llm.')) return 'again'
  const { name, method = 'GET' } = args as { readonly name?: string; readonly method?: string }
  if (syscall === 'tool.call') return drivers.tool.isIdempotent(name ?? '') ? 'again' : 'fail'
  return syscall === 'net.fetch' && /^(GET|HEAD)$/i.test(method) ? 'again' : 'fail'
}

const recordEnd = (log: EvidenceLog, process: Process, intent: number, status: 'unknown' | 'aborted') =>
  tryRecord(log, process, () =>
    log.append({
      ...{ kind: 'outcome', run: process.identity.run, pid: process.pid, intent, status },
      ...{ code: 'EIO', reason: unknown },
    } satisfies OutcomeBody),
  )

function fail({ log, isFork }: SettleParts, process: Process, { seq, entry, argsRef }: PastIntent): void {
  const { call: number, syscall, resource } = entry
  const recorded = isFork
    ? tryRecord(log, process, () =>
        log.append({
          ...{ kind: 'refusal', ...callerOf(process, number, syscall), resource },
          ...{ code: 'EIO', reason: forked, args: argsRef },
        } satisfies RefusalBody),
      )
    : recordEnd(log, process, seq, 'unknown')
  if (recorded === undefined) return
  const message = sentence('EIO', syscall, resource, isFork ? forked : unknown)
  answer({ process, number }, failureReply('EIO', message), recorded.seq)
}

/** It is admitted anew: where a person was asked and had not answered, under the same id, with the time that was left. */
function askAgain(
  { log, gate, isFork }: SettleParts,
  { process, dangling }: Known,
  number: number,
  { seq, syscall: name, text, request }: PastAsk,
): void {
  // What was asked about was whether it is made again: that is seen to already.
  if (dangling.has(number) || text === undefined) return
  if (isFork || request === undefined) return gate.callAgain({ process, number, name, text })
  const { run } = process.identity
  const reason = 'the kernel that asked ended; it is asked again'
  const recorded = tryRecord(log, process, () =>
    log.append({
      ...{ kind: 'answer', run, pid: process.pid, ask: seq, id: request.id },
      ...{ answer: 'cancelled', by: byKernel, reason },
    } satisfies AnswerBody),
  )
  if (recorded !== undefined) gate.callAgain({ process, number, name, text, past: { request } })
}
