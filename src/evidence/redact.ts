/**
 * Payloads are deleted without a change to the log: which go is decided by the entries that name them, put on record, and
 * only then done. What another entry names that is kept stays, such as a program that later runs have too.
 */

import { limits } from '../limits.ts'
import type { Entry, RedactBody } from './entry.ts'
import type { FileStore } from './file-store.ts'
import { removalOf } from './files/removal.ts'
import type { EvidenceLog } from './log.ts'
import { payloadHashesOf } from './payload-hashes.ts'
import type { EvidenceFolder } from './read.ts'
import { readEntry } from './verify.ts'

/** What names the payloads that go. */
export interface Cut {
  /** Entries of which some are covered, oldest first. */
  readonly entries: Iterable<Entry>
  /** Whether what an entry names may go, as far as it goes by that entry. */
  covers(entry: Entry): boolean
  /** What the record says about it. */
  readonly says: Omit<RedactBody, 'kind' | 'payloads' | 'hashes' | 'list' | 'done'>
  /** Whether a later removal of the same kind need not look at entries again before the first that is not covered. */
  readonly goesOn: boolean
}

/** Where evidence is kept, and who writes there. */
export interface Kept {
  readonly log: EvidenceLog
  readonly store: FileStore
  /** Waits a moment for others who use the thread; throws where the work is to stop. */
  readonly pause: () => Promise<void>
}

export interface Removed {
  readonly payloads: number
  /** Named by what was to go, and kept since other entries name them too. */
  readonly shared: number
  /** Whether there is more to remove, for which it has to be called again. */
  readonly more: boolean
}

/**
 * Deletes payloads with their salts: at most `limits.removedPayloadsMax`.
 * @returns how many have gone; nothing is put on record where there are none
 * @throws EvidenceError where the evidence cannot be read or written; whatever the system says
 */
export async function removePayloads(kept: Kept, cut: Cut): Promise<Removed> {
  kept.log.commit()
  const evidence = kept.store.read()
  const { named, next, done } = await candidates(kept, cut)
  const free = await unshared(kept, evidence, named, (entry) => entry.seq < next && cut.covers(entry))
  const removal = removalOf(new Set(evidence.payloads(free).keys()))
  const { hashes, list } = removal
  const removed = { payloads: hashes.size, shared: named.size - free.size, more: next < Infinity }
  if (hashes.size === 0) return removed
  await kept.pause()
  kept.store.intend(removal)
  kept.log.append({
    ...{ kind: 'redact', ...cut.says, payloads: hashes.size, list },
    ...(hashes.size <= limits.removedNamedMax && { hashes: [...hashes].sort() }),
    ...(cut.goesOn && { done }),
  } satisfies RedactBody)
  kept.log.commit()
  // What cannot be undone waits until its record would survive a loss of power, at every level of durability.
  await kept.store.sync()
  await kept.store.remove(removal)
  return removed
}

interface Candidates {
  readonly named: ReadonlySet<string>
  /** From which entry on nothing is looked at this time. */
  readonly next: number
  readonly done: number
}

async function candidates(kept: Kept, cut: Cut): Promise<Candidates> {
  const named = new Set<string>()
  let uncovered: number | undefined
  let next = Infinity
  let after = 0
  for await (const entry of paced(cut.entries, kept.pause)) {
    const names = payloadHashesOf(entry)
    if (names.length === 0) continue
    if (!cut.covers(entry)) {
      uncovered ??= entry.seq
      continue
    }
    if (named.size >= limits.removedPayloadsMax) {
      next = entry.seq
      break
    }
    after = entry.seq + 1
    for (const name of names) named.add(name)
  }
  return { named, next, done: Math.min(uncovered ?? Infinity, next, after) }
}

/** @returns those that no entry names which is not covered */
async function unshared(
  { pause }: Kept,
  evidence: EvidenceFolder,
  named: ReadonlySet<string>,
  covers: (entry: Entry) => boolean,
): Promise<ReadonlySet<string>> {
  const free = new Set(named)
  if (free.size === 0) return free
  for await (const line of paced(evidence.lines(), pause))
    for (const [, name = ''] of line.matchAll(/"hash":"([0-9a-f]{64})"/g)) {
      if (!free.has(name)) continue
      const { entry } = readEntry(line)
      if (entry === undefined || !covers(entry)) free.delete(name)
    }
  return free
}

async function* paced<T>(items: Iterable<T>, pause: () => Promise<void>): AsyncGenerator<T, void, undefined> {
  let count = 0
  for (const item of items) {
    count += 1
    if (count % limits.evidencePauseLines === 0) await pause()
    yield item
  }
}

/** By whom and why, for the record. */
export interface Author {
  readonly by: string
  readonly reason: string
}

/** Of these entries alone; entries that are not there name nothing. */
export function ofEntries(evidence: EvidenceFolder, seqs: readonly number[], author: Author): Cut {
  const wanted = new Set(seqs)
  return {
    entries: seqs.flatMap((seq) => evidence.entry(seq) ?? []),
    covers: ({ seq }) => wanted.has(seq),
    says: { ...author, entries: seqs.slice(0, limits.removedNamedMax) },
    goesOn: false,
  }
}

/** Of a run, with all that its processes did. */
export const ofRun = (evidence: EvidenceFolder, run: string, author: Author): Cut => ({
  entries: evidence.run(run),
  covers: (entry) => entry.run === run,
  says: { ...author, of: run },
  goesOn: false,
})

/**
 * Of runs that did nothing since a time, and of what is older and of no run.
 * @param before ms since 1970, on the clock of the kernel that wrote
 * @param isLive whether a run goes on
 */
export async function olderThan(
  { store, pause }: Pick<Kept, 'store' | 'pause'>,
  before: number,
  isLive: (run: string) => boolean,
  author: Author,
): Promise<Cut> {
  const evidence = store.read()
  const from = doneBefore(evidence)
  const end = await firstSince(evidence, from, before, pause)
  const recent = new Set<string>()
  if (end !== undefined)
    for await (const { run } of paced(evidence.entries({ from: end }), pause))
      if (run !== undefined) recent.add(run)
  const covers = ({ seq, run, time }: Entry): boolean =>
    (end === undefined || seq < end) &&
    time < before &&
    (run === undefined || !(recent.has(run) || isLive(run)))
  return {
    entries: until(evidence.entries({ from }), end),
    covers,
    says: { ...author, before },
    goesOn: true,
  }
}

function* until(entries: Iterable<Entry>, end = Infinity): Generator<Entry, void, undefined> {
  for (const entry of entries) {
    if (entry.seq >= end) return
    yield entry
  }
}

async function firstSince(
  evidence: EvidenceFolder,
  from: number,
  time: number,
  pause: () => Promise<void>,
): Promise<number | undefined> {
  for await (const entry of paced(evidence.entries({ from }), pause)) if (entry.time >= time) return entry.seq
  return undefined
}

/** Up to where an earlier removal by age has left nothing. */
function doneBefore(evidence: EvidenceFolder): number {
  let done = 0
  for (const entry of evidence.entries({ kind: 'redact' }))
    if (typeof entry.done === 'number') done = Math.max(done, entry.done)
  return done
}

/**
 * Ends what an earlier kernel or command was stopped in: what is on record is done, what is not is not.
 * @throws EvidenceError where the evidence cannot be read; whatever the system says
 */
export async function finishRemoval(store: FileStore): Promise<void> {
  const { removal } = store
  if (removal === undefined) return
  for (const { list } of store.read().entries({ kind: 'redact' }))
    if (list === removal.list) return void (await store.remove(removal))
  store.spare()
}
