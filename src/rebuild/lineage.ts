/** What came before a kernel's own entries: where it, or a run of it, goes on from what another one left. */
import { z } from 'zod'
import type { Entry } from '../evidence/entry.ts'
import type { Json } from '../json.ts'
import type { RunSource } from '../replay/source.ts'

const payload = z.object({ hash: z.string(), bytes: z.int().min(0) })
const count = z.int().min(0)
const from = z.object({ seq: count, run: z.string().optional(), as: z.string().optional() })
const fork = z.object({ run: z.string(), seq: count })
const edit = z.object({ outcome: count, result: payload })
export type Fork = z.infer<typeof fork>

/** One kernel's entries, as far as they count. */
export interface Segment {
  readonly from: number
  readonly to: number
  /** Names of runs that go on under another name. */
  readonly names: ReadonlyMap<string, string>
  /** Whether of this and all before only the named runs go on. */
  readonly isForked: boolean
}

/** A kernel's first entry, as far as it says where it goes on from. */
export interface Opening {
  readonly seq: number
  readonly from: z.infer<typeof from> | undefined
}

export function openingOf(entry: Entry): Opening | undefined {
  if (entry.kind !== 'open') return undefined
  return { seq: entry.seq, from: entry.from === undefined ? undefined : from.parse(entry.from) }
}

/**
 * @param known what made up the state after an entry that lies before all openings, or after those of the same kernel;
 *   nothing of before it is asked of the openings
 * @returns what makes up the state after an entry, the oldest first; nothing where no kernel began before it
 */
export function segmentsTo(
  openings: readonly Opening[],
  to: number,
  known: readonly Segment[] = [],
): readonly Segment[] {
  const opening = openings.findLast(({ seq }) => seq <= to)
  const last = known.at(-1)
  if (last !== undefined && last.from <= to && last.from >= (opening?.seq ?? 0))
    return [...known.slice(0, -1), { ...last, to }]
  if (opening === undefined) return []
  const own = { from: opening.seq, to, names: new Map<string, string>(), isForked: false }
  const before = opening.from
  // A kernel goes on from what was before it.
  if (before === undefined || before.seq >= opening.seq) return [own]
  const { run, as } = before
  const earlier = segmentsTo(openings, before.seq, known)
  if (run === undefined || as === undefined) return [...earlier, own]
  return [...earlier.map((segment) => renamed(segment, run, as)), own]
}

/** Of what is forked from only that run goes on. */
export function renamed(segment: Segment, run: string, as: string): Segment {
  const named = [...segment.names].filter(([, name]) => name === run)
  const names = new Map(segment.isForked ? named : [[run, as] as const, ...named])
  for (const [was] of named) names.set(was, as)
  return { ...segment, names, isForked: true }
}

/** @returns where the process of this entry goes on from, where it is the beginning of one that does */
export function forkOf(entry: Entry): Fork | undefined {
  if (entry.kind !== 'spawn' || entry.fork === undefined) return undefined
  const read = fork.safeParse(entry.fork)
  // Only from what was before it: so no chain of these is without end.
  return read.success && read.data.seq < entry.seq ? read.data : undefined
}

/** @returns where processes begin up to an entry, by pid */
export function beginningsIn(entries: Iterable<Entry>, until: number): ReadonlyMap<number, Entry> {
  const begun = new Map<number, Entry>()
  for (const entry of entries)
    if (entry.kind === 'spawn' && entry.seq <= until && entry.pid !== undefined) begun.set(entry.pid, entry)
  return begun
}

/** @returns the same source, in which a run that goes on from another one begins where that began */
export function withLineage(source: RunSource): RunSource {
  const read: RunSource = {
    payloads: (hashes) => source.payloads(hashes),
    *run(id) {
      const begun = new Map<number, Entry>()
      const edits = new Map<number, Json>()
      let isOpen = true
      const flying = new InFlight()
      for (const entry of source.run(id)) {
        const edited = entry.kind === 'edit' ? edit.safeParse(entry).data : undefined
        if (isOpen && edited !== undefined) edits.set(edited.outcome, edited.result)
        else if (isOpen && forkOf(entry) !== undefined && entry.pid !== undefined) begun.set(entry.pid, entry)
        else {
          if (isOpen) yield* flying.seen(past(read, id, begun, edits))
          isOpen = false
          yield flying.madeAgain(entry)
        }
      }
      if (isOpen) yield* past(read, id, begun, edits)
    },
  }
  return read
}

/** Calls that were on their way where a run goes on from another one: there they are made again, or fail. */
class InFlight {
  /** By process and its number of the call: the `seq` of the intent. */
  readonly #intents = new Map<string, number>()

  /** @returns the entry; where it is about one of these calls for the first time, it names the intent of before */
  madeAgain(entry: Entry): Entry {
    if (entry.kind !== 'intent' && entry.kind !== 'ask' && entry.kind !== 'refusal') return entry
    const again = this.#intents.get(keyOf(entry))
    this.#intents.delete(keyOf(entry))
    return again === undefined || entry.again !== undefined ? entry : { ...entry, again }
  }

  *seen(past: Iterable<Entry>): Generator<Entry, void, undefined> {
    const calls = new Map<number, string>()
    for (const entry of past) {
      if (entry.kind === 'intent') {
        calls.set(entry.seq, keyOf(entry))
        this.#intents.set(keyOf(entry), entry.seq)
      }
      if (entry.kind === 'outcome') this.#intents.delete(calls.get(Number(entry.intent)) ?? '')
      yield entry
    }
  }
}

const keyOf = ({ pid, call }: Entry): string => `${pid} ${call}`

/**
 * @param begun the processes that go on, by pid: what they are now counts, and not what they were
 * @param edits results in place of those on record, by the `seq` of the outcome
 */
function* past(
  source: RunSource,
  id: string,
  begun: ReadonlyMap<number, Entry>,
  edits: ReadonlyMap<number, Json>,
): Generator<Entry, void, undefined> {
  const [first] = begun.values()
  const fork = first === undefined ? undefined : forkOf(first)
  if (fork === undefined) return
  for (const entry of source.run(fork.run)) {
    if (entry.seq > fork.seq) return
    const result = edits.get(entry.seq)
    const now = entry.kind === 'spawn' && entry.pid !== undefined ? begun.get(entry.pid) : undefined
    if (now !== undefined) yield { ...now, seq: entry.seq, time: entry.time, fork: undefined }
    else if (result !== undefined)
      yield { ...entry, run: id, status: 'committed', code: undefined, reason: undefined, result }
    else yield { ...entry, run: id }
  }
}
