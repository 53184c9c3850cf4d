/** What a kernel stands on: its clock, the place of its guests, and the record. */
import type { Clock } from './clock.ts'
import type { KernelOptions } from './config/options.ts'
import type { Hidden } from './drivers/vfs/hidden.ts'
import type { HostMounts, OpenedMount } from './drivers/vfs/layout.ts'
import { FileStore } from './evidence/file-store.ts'
import { checkpointFile } from './evidence/files/checkpoint-file.ts'
import { defaultKeyFile, keyFolder, liesIn, makeDefaultKey, readKeyFile } from './evidence/files/key-file.ts'
import { makeSigner, readSigner, type SignerOption } from './evidence/keys.ts'
import { EvidenceLog } from './evidence/log.ts'
import { MemoryStore } from './evidence/memory-store.ts'
import type { Signer } from './evidence/note.ts'
import { EvidenceError, type EvidenceStore } from './evidence/store.ts'
import { denyUnanswered } from './evidence/unanswered.ts'
import type { UserSpace } from './isolate/guest.ts'
import { limits } from './limits.ts'
import { goesOn, type Plan } from './rebuild/plan.ts'
import { type Around, Retention } from './retention.ts'

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

/** As much evidence as a process and its children may make, in bytes. */
export const processBytesMax = (evidence: EvidenceOption): number =>
  evidence === 'memory' ? limits.processEvidenceMemoryBytes : limits.processEvidenceDiskBytes

/** With what the record is signed. */
export interface Keys {
  readonly signer: Signer
  readonly previous: Signer | undefined
}

/**
 * Opens the keys, and hides their files; by default that of this user, which is made where there is none. A record in memory, and one of a
 * simulation, has a key that lives as long as its kernel.
 * @throws EvidenceError for a key that is not sound, that others can read, or that agents or auditors would be shown
 */
export function openKeys(
  { evidence = 'memory', mounts = {} }: KernelOptions,
  { store }: Ground,
  hidden: Hidden,
): Keys {
  if (evidence === 'memory' || store !== undefined) return { signer: makeSigner(), previous: undefined }
  const { dir, key, previousKey } = evidence
  const named = [key, previousKey].filter((it) => typeof it === 'string')
  for (const file of named) assertApart(file, mounts)
  if (key === undefined) makeDefaultKey()
  const files = key === undefined ? [...named, defaultKeyFile()] : named
  for (const file of files)
    if (liesIn(dir, file))
      throw new EvidenceError(
        'EACCES',
        `the key \`${file}\` lies in \`${dir}\`, which is what auditors are handed; name one elsewhere`,
      )
  hidden.add([...files, keyFolder()])
  return {
    signer: signerFrom(key ?? defaultKeyFile()),
    previous: previousKey === undefined ? undefined : signerFrom(previousKey),
  }
}

const signerFrom = (key: string | SignerOption): Signer =>
  typeof key === 'string' ? readKeyFile(key) : readSigner(key)

function assertApart(file: string, mounts: HostMounts): void {
  for (const [path, { host }] of Object.entries(mounts))
    if (liesIn(host, file))
      throw new EvidenceError(
        'EACCES',
        `the key \`${file}\` lies in the mount \`${path}\`, which agents see; name one elsewhere`,
      )
}

interface OpenedLog {
  readonly log: EvidenceLog
  /** From where it goes on; undefined where it begins anew. */
  readonly plan: Plan | undefined
  readonly retain: (around: Around) => void
}

/**
 * Opens the record, and sees whether it goes on from what lies there; `retain` begins to delete what it need not keep. What refuses the kernel's
 * start leaves no mount open and no lock behind.
 * @throws EvidenceError where it cannot be kept
 */
export function openLog(
  evidence: EvidenceOption,
  clock: Clock,
  { store: given }: Ground,
  { signer, previous }: Keys,
  mounts: readonly OpenedMount[],
  hidden: Hidden,
  planFor: (log: EvidenceLog) => Plan | undefined,
): OpenedLog {
  const durability = evidence === 'memory' ? 'process' : (evidence.durability ?? 'process')
  const file = evidence === 'memory' || given !== undefined ? undefined : checkpointFile(evidence.dir)
  const sealing = { signer, ...(previous && { previous }), ...(file && { file }) }
  let store = given
  try {
    store ??= evidence === 'memory' ? new MemoryStore() : FileStore.open(evidence.dir)
    const log = EvidenceLog.open({ store, clock, durability, sealing })
    const plan = planFor(log)
    const runs = plan?.fork === undefined ? plan?.survey.unended.filter(goesOn).map(({ run }) => run) : []
    denyUnanswered(store, log, new Set(runs))
    // The folder may have been made only now.
    hidden.add(folderOf(evidence))
    const age = evidence === 'memory' ? undefined : evidence.retention
    const retain = (around: Around): void => {
      if (store instanceof FileStore) Retention.start({ log, store, clock, age }, around)
    }
    return { log, plan, retain }
  } catch (error) {
    store?.close().catch(() => {})
    for (const { mount } of mounts) void mount.close()
    throw error
  }
}
