/** Requests for approval of a kernel that died: nobody can answer them any more, and that goes on record. */
import type { AnswerBody, Entry } from './entry.ts'
import type { EvidenceLog } from './log.ts'
import type { EvidenceStore } from './store.ts'
import { readEntry } from './verify.ts'

const reason = 'the kernel that asked ended before anybody answered; its run does not go on'

/**
 * Denies what an earlier kernel left unanswered in this record. One that ended in order left nothing; only after one
 * that died is the record read, as text but for the few entries that matter.
 * @param store what lies before the new kernel's own entries
 * @param runs that go on, whose requests wait again
 */
export function denyUnanswered(
  store: EvidenceStore,
  log: EvidenceLog,
  runs: ReadonlySet<string> = new Set(),
): void {
  const last = store.last()
  if (last === undefined || readEntry(last).entry?.kind === 'close') return
  const open = new Map<number, Entry>()
  for (const line of store.lines('log')) {
    if (!line.includes('"kind":"ask"') && !line.includes('"kind":"answer"')) continue
    const { entry } = readEntry(line)
    if (entry?.kind === 'ask' && !runs.has(entry.run ?? '')) open.set(entry.seq, entry)
    if (entry?.kind === 'answer') open.delete(Number(entry.ask))
  }
  for (const { run, pid, seq, id } of open.values())
    log.append({
      ...{ kind: 'answer', run: run ?? '', pid: pid ?? 0, ask: seq, id: String(id) },
      ...{ answer: 'denied', by: 'the kernel', reason },
    } satisfies AnswerBody)
}
