/** A first look at a record: what makes up the state after one of its entries, and which runs go on from there. */
import type { Entry } from '../evidence/entry.ts'
import { renamed, type Segment, segmentsTo } from './lineage.ts'
import { openingsIn, type Start } from './start.ts'

/** A process that had not ended. */
export interface Unended {
  readonly run: string
  readonly pid: number
  readonly ppid: number
  readonly agent: string
  readonly isolation: string
  /** Hash of the policies that it was under. */
  readonly policy: string
}

export interface Survey {
  readonly segments: readonly Segment[]
  /** The last entry that counts. */
  readonly seq: number
  /** Its time. */
  readonly time: number
  /** Intents whose end is on record. */
  readonly settled: ReadonlySet<number>
  /** Requests that were answered. */
  readonly answered: ReadonlySet<number>
  /** Processes that had not ended then, by the names that their runs have now. */
  readonly unended: readonly Unended[]
  readonly lastPid: number
  /** Where reading begins. */
  readonly from: number
}

/**
 * @param entries of the record, from one on, each time it is asked
 * @param until the last entry that counts
 * @param start where reading begins; undefined for the first entry
 * @param fork which run goes on, and under which name, where not all do
 */
export function surveyOf(
  entries: (from: number) => Iterable<Entry>,
  until: number,
  start: Start | undefined,
  fork?: { readonly run: string; readonly as: string },
): Survey {
  const plain = start?.segments ?? segmentsTo(openingsIn(entries(0), until), until)
  const from = start?.from ?? 0
  const segments = fork === undefined ? plain : plain.map((each) => renamed(each, fork.run, fork.as))
  const settled = new Set<number>()
  const answered = new Set<number>()
  const unended = new Map<string, Unended>()
  let lastPid = start?.snapshot?.head.lastPid ?? 0
  let time = 0
  for (const { entry, run } of entriesIn(entries(from), segments)) {
    time = entry.time
    if (entry.kind === 'outcome') settled.add(Number(entry.intent))
    if (entry.kind === 'answer') answered.add(Number(entry.ask))
    if (entry.kind === 'spawn') lastPid = Math.max(lastPid, entry.pid ?? 0)
    if (entry.kind === 'reload' && entry.pid === undefined)
      for (const [key, each] of unended) unended.set(key, { ...each, policy: String(entry.policy) })
    if (run === undefined) continue
    if (entry.kind === 'reload') {
      const known = unended.get(`${run} ${entry.pid}`)
      if (known !== undefined) unended.set(`${run} ${entry.pid}`, { ...known, policy: String(entry.policy) })
    }
    if (entry.kind === 'spawn') unended.set(`${run} ${entry.pid}`, unendedOf(entry, run))
    if (entry.kind === 'exit') unended.delete(`${run} ${entry.pid}`)
  }
  const known = { segments, seq: until, time, settled, answered, lastPid, from }
  return { ...known, unended: [...unended.values()] }
}

/** An entry that counts, and what its run is called now; undefined where that does not go on. */
export interface Counted {
  readonly entry: Entry
  readonly run: string | undefined
}

/** @returns what makes up a state, the oldest first */
export function* entriesIn(
  entries: Iterable<Entry>,
  segments: readonly Segment[],
): Generator<Counted, void, undefined> {
  let index = 0
  for (const entry of entries) {
    while ((segments[index]?.to ?? Number.POSITIVE_INFINITY) < entry.seq) index += 1
    const segment = segments[index]
    if (segment === undefined) return
    if (entry.seq < segment.from) continue
    const { run = '' } = entry
    yield { entry, run: segment.names.get(run) ?? (segment.isForked ? undefined : run) }
  }
}

const unendedOf = ({ pid = 0, ppid, agent, isolation, policy }: Entry, run: string): Unended => ({
  ...{ run, pid, ppid: Number(ppid), agent: String(agent), isolation: String(isolation) },
  policy: String(policy),
})
