/** What a kernel stands on: its clock, the place of its guests, and the record. */
import type { Clock } from './clock.ts'
import type { KernelOptions } from './config/options.ts'
import type { OpenedMount } from './drivers/vfs/layout.ts'
import { FileStore } from './evidence/file-store.ts'
import { EvidenceLog } from './evidence/log.ts'
import { MemoryStore } from './evidence/memory-store.ts'
import type { EvidenceStore } from './evidence/store.ts'
import { denyUnanswered } from './evidence/unanswered.ts'
import type { UserSpace } from './isolate/guest.ts'
import { goesOn, type Plan } from './rebuild/plan.ts'

/** A simulation puts its own in place of the real ones. */
export interface Ground {
  readonly clock?: Clock
  /** Where agent code of the isolations `cell` and `inline` runs. */
  readonly space?: UserSpace
  /** Where evidence goes, whatever the options say. */
  readonly store?: EvidenceStore
}

export type EvidenceOption = NonNullable<KernelOptions['evidence']>

/** The kernel's own folder, where it has one. */
export const folderOf = (evidence: EvidenceOption): readonly string[] =>
  evidence === 'memory' ? [] : [evidence.dir]

/**
 * Opens the record, and sees whether it goes on from what lies there. What refuses the kernel's start leaves no mount open and no lock behind.
 * @throws EvidenceError where it cannot be kept
 */
export function openLog(
  evidence: EvidenceOption,
  clock: Clock,
  given: EvidenceStore | undefined,
  mounts: readonly OpenedMount[],
  planFor: (log: EvidenceLog) => Plan | undefined,
): { readonly log: EvidenceLog; readonly plan: Plan | undefined } {
  const durability = evidence === 'memory' ? 'process' : (evidence.durability ?? 'process')
  let store = given
  try {
    store ??= evidence === 'memory' ? new MemoryStore() : FileStore.open(evidence.dir)
    const log = EvidenceLog.open({ store, clock, durability })
    const plan = planFor(log)
    const runs = plan?.fork === undefined ? plan?.survey.unended.filter(goesOn).map(({ run }) => run) : []
    denyUnanswered(store, log, new Set(runs))
    return { log, plan }
  } catch (error) {
    void store?.close()
    for (const { mount } of mounts) void mount.close()
    throw error
  }
}
