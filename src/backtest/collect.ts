/** Lines become entries, as few as are needed, with the texts that they name looked up many at a time. */
import type { Entry } from '../evidence/entry.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Payload } from '../evidence/verify.ts'
import { limits } from '../limits.ts'
import { type RecordedCall, readCall, refOf } from './call.ts'

/** Where a record lies. */
export interface Evidence {
  lines(): Iterable<string>
  payloads(hashes: ReadonlySet<string>): ReadonlyMap<string, Payload>
}

/** An entry, read as a call where it is one. */
export interface Item {
  readonly entry: Entry
  readonly call: RecordedCall | undefined
}

/** @returns the text of a payload; undefined where it is deleted, was never kept, or nobody wanted it */
export type TextOf = (ref: unknown) => string | undefined

/** Says which texts of an entry are wanted; undefined where the entry itself is not. */
export interface Choice {
  /** Whether entries of a kind are looked at at all; decided by the line, which is not read yet. */
  takes(kind: string, line: string): boolean
  wants(item: Item): readonly unknown[]
}

const calls = new Set(['intent', 'refusal', 'ask'])

/**
 * Reads a record in its order.
 * @param take gets each entry, and the texts that were wanted
 * @returns how many lines there are
 * @throws EvidenceError EIO at a line that is not an entry, with its place
 */
export function readAll(
  evidence: Evidence,
  choice: Choice,
  take: (item: Item, textOf: TextOf) => void,
): number {
  const batch = new Batch(evidence, take)
  let position = 0
  for (const line of evidence.lines()) {
    const kind = kindOf(line, position)
    if (position === 0 || choice.takes(kind, line)) {
      const entry = readLine(line, kind, position)
      const item = { entry, call: calls.has(kind) ? readCall(entry) : undefined }
      batch.add(item, choice.wants(item))
    }
    position += 1
  }
  batch.end()
  return position
}

class Batch {
  readonly #evidence: Evidence
  readonly #take: (item: Item, textOf: TextOf) => void
  #items: Item[] = []
  #wanted = new Set<string>()
  #bytes = 0

  constructor(evidence: Evidence, take: (item: Item, textOf: TextOf) => void) {
    this.#evidence = evidence
    this.#take = take
  }

  add(item: Item, wanted: readonly unknown[]): void {
    // Nothing is to be gained by waiting, and what waits is not collected while it is young.
    if (wanted.length === 0 && this.#items.length === 0) return this.#take(item, noText)
    this.#items.push(item)
    for (const each of wanted) {
      const ref = refOf(each)
      if (ref === undefined || this.#wanted.has(ref.hash)) continue
      this.#wanted.add(ref.hash)
      this.#bytes += ref.bytes
    }
    const isFull =
      this.#wanted.size >= limits.backtestTextsMax ||
      this.#bytes >= limits.backtestTextBytes ||
      // Which texts are wanted of what follows depends on the policy that comes into force.
      isOfKernel(item.entry) ||
      this.#items.length >= limits.backtestTextsMax
    if (isFull) this.end()
  }

  end(): void {
    const items = this.#items
    const found = this.#wanted.size === 0 ? none : this.#evidence.payloads(this.#wanted)
    this.#items = []
    this.#wanted = new Set()
    this.#bytes = 0
    const textOf: TextOf = (value) => {
      const ref = refOf(value)
      return ref === undefined ? undefined : found.get(ref.hash)?.text
    }
    for (const item of items) this.#take(item, textOf)
  }
}

const none: ReadonlyMap<string, Payload> = new Map()

const isOfKernel = ({ kind }: Entry): boolean => kind === 'open' || kind === 'reload'

const noText: TextOf = () => undefined

const marker = '"kind":"'

/** @returns the kind that a line says; no text within it can say so, since a quote in a text is escaped */
function kindOf(line: string, position: number): string {
  const at = line.indexOf(marker)
  const from = at + marker.length
  if (at === -1 || !line.endsWith('}')) throw notAnEntry(position)
  return line.slice(from, line.indexOf('"', from))
}

function readLine(line: string, kind: string, position: number): Entry {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw notAnEntry(position)
  }
  const { seq, time, kind: own } = value as Readonly<Record<string, unknown>>
  if (own !== kind || !Number.isSafeInteger(seq) || typeof time !== 'number') throw notAnEntry(position)
  return value as Entry
}

const notAnEntry = (position: number): EvidenceError =>
  new EvidenceError('EIO', `line ${position} of the evidence is not an entry; verify it`)
