/** One entry and what belongs to it: the other half of its call, who was asked, and the payloads of all. */
import type { Entry } from '../entry.ts'
import type { EvidenceFolder } from '../read.ts'
import { decisionOf, isObject, numberOf, payloadsOf } from './fields.ts'

/** A payload that an entry names. `digest`: its text was never kept; `deleted`: nothing of it is there any more. */
export interface ShownPayload {
  readonly bytes: number
  /** SHA-256 over salt ‖ bytes. */
  readonly hash: string
  readonly state: 'kept' | 'digest' | 'deleted'
  readonly text?: string
}

/** The entries that belong together; those that there are. */
export interface Related {
  /** How its process began. */
  readonly spawn?: Entry
  readonly ask?: Entry
  readonly answer?: Entry
  /** The call: admitted, or refused after somebody was asked. */
  readonly call?: Entry
  readonly outcome?: Entry
  readonly declassify?: Entry
}

export interface EntryDetail {
  readonly entry: Entry
  readonly related: Related
  /** By the entry's `seq` and the field that names it. */
  readonly payloads: ReadonlyMap<string, ShownPayload>
}

/** @returns under what a payload of the entry is found in `payloads` */
export const payloadKey = ({ seq }: Entry, field: string): string => `${seq}.${field}`

/**
 * @returns undefined where there is no such entry
 * @throws EvidenceError where the record, or a payload, is not what was written
 */
export function readDetail(evidence: EvidenceFolder, seq: number): EntryDetail | undefined {
  const entry = evidence.entry(seq)
  if (entry === undefined) return undefined
  const related = relatedTo(evidence, entry)
  const { spawn: _, ...others } = related
  return { entry, related, payloads: readPayloads(evidence, [entry, ...Object.values(others)]) }
}

function relatedTo(evidence: EvidenceFolder, entry: Entry): Related {
  if (entry.run === undefined) return {}
  const callSeq = seqOf(entry, ['intent', 'refusal'], 'intent')
  const call = callSeq === undefined ? undefined : ownEntry(evidence, entry, callSeq)
  const askSeq = seqOf(entry, ['ask'], 'ask') ?? numberOf(call?.ask)
  const found: { -readonly [Name in keyof Related]: Entry } = {}
  for (const other of evidence.run(entry.run)) {
    const name = nameOf(other, entry, callSeq, askSeq)
    if (name !== undefined) found[name] ??= other
    if (found.outcome !== undefined && other.seq > entry.seq) break
  }
  for (const [name, other] of Object.entries(found))
    if (other.seq === entry.seq) delete found[name as keyof Related]
  return found
}

/** @returns the entry's own `seq` where it is of these kinds, else the one that it names */
const seqOf = (entry: Entry, kinds: readonly string[], field: string): number | undefined =>
  kinds.includes(entry.kind) ? entry.seq : numberOf(entry[field])

/** A record that was tampered with may name an entry of another run. */
function ownEntry(evidence: EvidenceFolder, { run }: Entry, seq: number): Entry | undefined {
  const found = evidence.entry(seq)
  return found?.run === run ? found : undefined
}

/** @returns what the other entry is to this one */
function nameOf(
  other: Entry,
  { pid, seq, kind }: Entry,
  callSeq: number | undefined,
  askSeq: number | undefined,
): keyof Related | undefined {
  if (other.kind === 'spawn') return other.pid === pid ? 'spawn' : undefined
  if (askSeq !== undefined) {
    if (other.kind === 'ask' && other.seq === askSeq) return 'ask'
    if (other.kind === 'answer' && other.ask === askSeq) return 'answer'
  }
  const isCall = other.kind === 'intent' || other.kind === 'refusal'
  if (isCall && (other.seq === callSeq || (kind === 'ask' && other.ask === seq))) return 'call'
  if (callSeq === undefined || other.intent !== callSeq) return undefined
  if (other.kind === 'outcome') return 'outcome'
  return other.kind === 'declassify' ? 'declassify' : undefined
}

function readPayloads(
  evidence: EvidenceFolder,
  entries: readonly Entry[],
): ReadonlyMap<string, ShownPayload> {
  const named = entries.flatMap((entry) =>
    payloadsOf(entry).map(([field, ref]) => [payloadKey(entry, field), ref] as const),
  )
  const found = evidence.payloads(new Set(named.map(([, { hash }]) => hash)))
  return new Map(
    named.map(([key, { hash, bytes }]) => {
      const payload = found.get(hash)
      const state = payload === undefined ? 'deleted' : payload.text === undefined ? 'digest' : 'kept'
      const text = payload?.text === undefined ? {} : { text: payload.text }
      return [key, { bytes, hash, state, ...text }]
    }),
  )
}

/** Fields that are told in words of their own, or stand in every entry. */
const told = new Set('v seq prev time kind run pid agent isolation call syscall resource'.split(' '))

/** @returns what else stands in the entry, payloads apart, as JSON */
export function otherFields(entry: Entry): readonly (readonly [field: string, json: string])[] {
  return Object.entries(entry).flatMap(([field, value]) => {
    if (told.has(field) || value === undefined) return []
    if (field === 'decision' && decisionOf(entry) !== undefined) return []
    if (isObject(value) && typeof value.hash === 'string') return []
    return [[field, typeof value === 'string' ? value : JSON.stringify(value)] as const]
  })
}
