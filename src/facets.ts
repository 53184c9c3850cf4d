/** Parts of the kernel's face: its record, and the calls that wait for a person. */
import type { ApprovalRequest, ApproveOptions, DenyOptions } from './approvals/request.ts'
import type { Entry } from './evidence/entry.ts'
import type { Head } from './evidence/head.ts'
import type { EntryFilter } from './evidence/select.ts'
import type { Verification } from './evidence/verify.ts'
import type { System } from './system.ts'

/** What an application can ask of the record. */
export const evidenceOf = (system: System) => ({
  /** Reads the whole record again and checks it. */
  verify: (): Verification => system.log.verify(),
  /** What is on record, oldest first. */
  entries: (filter: EntryFilter = {}): readonly Entry[] => [...system.log.entries(filter)],
  /** How many entries there are, and the hash that fixes them all. */
  head: (): Head => system.log.head(),
  /**
   * Signs all that is on record now, and waits until that is on the disk.
   * @returns the newest checkpoint, a signed note (C2SP) to be kept elsewhere: whoever has it finds out later whether
   *   the record goes on from it (`gatehouse evidence verify --since`)
   * @throws EvidenceError where the record has failed or is closed
   */
  checkpoint: (): Promise<string> => system.log.checkpoint(),
})

/** Calls that wait for a person, because a rule asks. */
export const approvalsOf = (system: System) => ({
  /** What waits, the oldest first; it is on record, and the kernel alone holds it. */
  list: (): readonly ApprovalRequest[] => system.gate.approvals.list(),
  /**
   * Lets one call pass, once, exactly as it was shown: the policy is asked again, and what has changed meanwhile is
   * asked anew. With `args` in place of the agent's it is a new request, which the policy judges.
   * @throws KernelError ENOENT for what waits no longer; for `args`, why they cannot be
   */
  approve: (id: string, options: ApproveOptions = {}): void => system.gate.approvals.approve(id, options),
  /**
   * Refuses one call with EPERM.
   * @param how the reason, which the agent is told too, and who answers
   * @throws KernelError ENOENT for what waits no longer
   */
  deny: (id: string, how: string | DenyOptions = {}): void =>
    system.gate.approvals.deny(id, typeof how === 'string' ? { reason: how } : how),
})
