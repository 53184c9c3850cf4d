/** Requests for approval of a kernel that died: nobody can answer them any more, and that goes on record. */
import type { AnswerBody, Entry } from './entry.ts'
import type { EvidenceLog } from './log.ts'
import { selectEntries } from './select.ts'
import type { EvidenceStore } from './store.ts'
import { readEntry } from './verify.ts'

const reason = 'the kernel that asked ended before anybody answered; its run does not go on'

/**
 * Denies what an earlier kernel left unanswered in this record. One that ended in order left nothing; only after one
 * that died is it looked for, and only the few entries that matter are read.
 * @param store what lies before the new kernel's own entries
 */
export function denyUnanswered(store: EvidenceStore, log: EvidenceLog): void {
  const last = store.last()
  if (last === undefined || readEntry(last).entry?.kind === 'close') return
  const open = new Map<number, Entry>()
  for (const ask of selectEntries(store.find({ kind: 'ask' }), { kind: 'ask' })) open.set(ask.seq, ask)
  if (open.size === 0) return
  for (const { ask } of selectEntries(store.find({ kind: 'answer' }), { kind: 'answer' }))
    open.delete(Number(ask))
  for (const { run, pid, seq, id } of open.values())
    log.append({
      ...{ kind: 'answer', run: run ?? '', pid: pid ?? 0, ask: seq, id: String(id) },
      ...{ answer: 'denied', by: 'the kernel', reason },
    } satisfies AnswerBody)
}
