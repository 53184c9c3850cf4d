/** Another policy on record: for the kernel, and for each process that has policies of its own beside it. */
import { documentsText } from './config/policy.ts'
import type { EvidenceLog } from './evidence/log.ts'
import type { SharedPayloads } from './evidence/shared-payloads.ts'
import type { PolicySet } from './policy/types.ts'
import type { Process } from './proc/process.ts'

/** What a process is under from now on; undefined where its own policies cannot be joined with the new one. */
export interface Next {
  readonly process: Process
  readonly under: PolicySet | undefined
}

/**
 * @param by who did it
 * @param before hash of what was in force
 * @throws EvidenceError: then nothing may come into force
 */
export function recordReload(
  log: EvidenceLog,
  shared: SharedPayloads,
  policy: PolicySet,
  before: string,
  next: readonly Next[],
  by: string,
): void {
  log.append({
    kind: 'reload',
    ...{
      policy: policy.hash,
      policies: policy.name,
      documents: shared.of(documentsText(policy.policies)),
      before,
      by,
    },
  })
  for (const { process, under } of next) {
    if (under === undefined || under.hash === policy.hash) continue
    recordUnder(log, shared, process, under, process.policy.hash)
  }
}

/**
 * Another policy on record for one process.
 * @param before hash of what it was under
 * @throws EvidenceError: then it may not come into force
 */
export function recordUnder(
  log: EvidenceLog,
  shared: SharedPayloads,
  process: Process,
  under: PolicySet,
  before: string | undefined,
): void {
  log.append({
    kind: 'reload',
    ...{ run: process.identity.run, pid: process.pid, policy: under.hash, policies: under.name },
    ...{ documents: shared.of(documentsText(under.policies)), ...(before !== undefined && { before }) },
  })
}
