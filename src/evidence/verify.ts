/**
 * Whether a record is whole: an auditor can read this file and those in verify/ alone, with approvals, trees, notes and
 * the canonical form beside them. Nothing else is needed but node:crypto.
 */
import { Calls } from './verify/calls.ts'
import { leafHash, noEntry, type Payload, readEntry } from './verify/line.ts'
import { type Problem, Problems } from './verify/problems.ts'
import { Texts } from './verify/texts.ts'
import { type Brought, type Signed, Tree } from './verify/tree.ts'

export { isSound, leafHash, noEntry, payloadHash, readEntry, readPayload } from './verify/line.ts'
export type { Brought, Payload }

export interface Verification extends Signed {
  readonly ok: boolean
  readonly entries: number
  /** The hash of the last line; 64 zeros for an empty log. */
  readonly head: string
  /** Whether a kernel ended it in order: `close` is the last entry but for what is signed or deleted afterwards. */
  readonly closed: boolean
  /** Calls whose end is not on record: in flight, or cut short by the death of the kernel. Not a problem. */
  readonly unsettled: number
  /** The first problems found. */
  readonly problems: readonly Problem[]
  /** How many more there are. */
  readonly more: number
}

/** A claim to be further ahead than this is counted as a problem and not believed, since believing takes memory. */
const gapMax = 2 ** 20

/**
 * @param lines the log, oldest first, each without its newline; they are asked for a second time only where a payload is
 *   not sound, to name the entry
 * @param packs lines of payloads; a payload that is not there was deleted, which is no problem
 * @param brought what the auditor brings along; without a key, those of the record are believed
 * @returns what was found. It streams, and keeps a bit for each entry, some hundred bytes for each process that has not
 *   ended, for each call that has no outcome, and for each approval that was used
 * @throws TypeError for a brought text that is no key, or no checkpoint
 */
export function verifyEntries(
  lines: Iterable<string>,
  packs: Iterable<string> = [],
  brought: Brought = {},
): Verification {
  const verifier = new Verifier(brought)
  for (const line of lines) verifier.line(line)
  for (const line of packs) verifier.texts.pack(line)
  if (verifier.texts.hasBad) verifier.name(lines)
  return verifier.result()
}

class Verifier {
  readonly #problems = new Problems()
  readonly #find = this.#problems.find
  readonly #calls: Calls
  readonly #tree: Tree
  readonly texts = new Texts(this.#find)
  #position = 0
  #seq = 0
  #head = noEntry
  #closed = false

  constructor(brought: Brought) {
    this.#tree = new Tree(this.#find, brought)
    this.#calls = new Calls(this.#find, (call, position) => this.texts.approved(call, position))
  }

  line(line: string): void {
    const read = readEntry(line)
    if ('problem' in read) this.#find(this.#position, read.problem, read.detail)
    if (read.entry === undefined) this.#seq += 1
    else {
      const { entry } = read
      if (entry.prev !== this.#head)
        this.#find(
          this.#position,
          'chain',
          'it does not follow from the line before: one of the two was changed',
        )
      this.#number(entry.seq)
      this.#calls.read(entry, this.#position, entry.seq < this.#seq)
      this.#tree.read(entry, this.#position)
      this.texts.read(entry, this.#position)
      if (!isAfterwards(entry.kind)) this.#closed = entry.kind === 'close'
    }
    this.#head = leafHash(line)
    this.#tree.leaf(Buffer.from(this.#head, 'hex'))
    this.#position += 1
  }

  #number(seq: number): void {
    if (seq !== this.#seq)
      this.#find(this.#position, 'sequence', `it is numbered ${seq}, and ${this.#seq} was due`)
    if (seq >= this.#seq && seq <= this.#position + gapMax) this.#seq = seq + 1
  }

  /** Reads the log again for whose payloads are not sound. */
  name(lines: Iterable<string>): void {
    let position = 0
    for (const line of lines) {
      if (!this.texts.hasBad) return
      const { entry } = readEntry(line)
      if (entry !== undefined) this.texts.name(entry, position)
      position += 1
    }
  }

  result(): Verification {
    this.texts.end()
    const signed = this.#tree.end(this.#position)
    return {
      ok: this.#problems.listed.length === 0,
      entries: this.#position,
      head: this.#head,
      closed: this.#closed,
      unsettled: this.#calls.unsettled,
      ...signed,
      problems: this.#problems.listed,
      more: this.#problems.more,
    }
  }
}

const isAfterwards = (kind: string): boolean => kind === 'checkpoint' || kind === 'redact' || kind === 'key'
