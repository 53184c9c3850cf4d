/** Requests for approval of a kernel that died: nobody can answer them any more, and that goes on record. */
import { byKernel } from '../actors.ts'
import { limits } from '../limits.ts'
import type { AnswerBody, Entry, EntryKind } from './entry.ts'
import type { EvidenceLog } from './log.ts'
import { selectEntries } from './select.ts'
import type { EvidenceStore } from './store.ts'
import { readEntry } from './verify.ts'

const reason = 'the kernel that asked ended before anybody answered; its run does not go on'

/**
 * Denies what an earlier kernel left unanswered in this record. One that ended in order left nothing; only after one
 * that died is it looked for, and only the few entries that matter are read.
 * @param store what lies before the new kernel's own entries
 * @param runs that go on, whose requests wait again
 */
export function denyUnanswered(
  store: EvidenceStore,
  log: EvidenceLog,
  runs: ReadonlySet<string> = new Set(),
): void {
  if (endsInOrder(store)) return
  const open = new Map<number, Entry>()
  for (const ask of selectEntries(store.find({ kind: 'ask' }), { kind: 'ask' }))
    if (!runs.has(ask.run ?? '')) open.set(ask.seq, ask)
  if (open.size === 0) return
  for (const { ask } of selectEntries(store.find({ kind: 'answer' }), { kind: 'answer' }))
    open.delete(Number(ask))
  for (const { run, pid, seq, id } of open.values())
    log.append({
      ...{ kind: 'answer', run: run ?? '', pid: pid ?? 0, ask: seq, id: String(id) },
      ...{ answer: 'denied', by: byKernel, reason },
    } satisfies AnswerBody)
}

/** Whether nothing is there, or `close` is the last entry but for a checkpoint over it. */
function endsInOrder(store: EvidenceStore): boolean {
  if (store.last() === undefined) return true
  let newest: EntryKind | undefined
  for (const line of store.lines('log', limits.evidenceReadBytes)) {
    const { entry } = readEntry(line)
    if (entry?.kind !== 'checkpoint') newest = entry?.kind
  }
  return newest === 'close'
}
