/** Whether a record is whole: an auditor can read this file alone, with approvals and the canonical form beside it. */
import { hash } from 'node:crypto'
import { Approved } from './approved.ts'
import { isCanonicalText } from './canonical.ts'
import type { Entry, EntryBody } from './entry.ts'

/**
 * - `unparsable`: the line is not an entry
 * - `not-canonical`: it is one, in another form than RFC 8785
 * - `sequence`: its number is not the next one: something was deleted, inserted, doubled or moved
 * - `chain`: it does not name the hash of the line before: one of the two was changed
 * - `outcome-without-intent`, `duplicate-outcome`: an effect without a record before it, or two ends of one
 * - `effect-without-permit`: an effect that no policy permitted and no person approved
 * - `answer-without-ask`: a person's answer to what was not asked, or was answered already
 * - `release-without-outcome`: a value that a call is said to have released, and its outcome does not
 * - `payload`: a payload's text is not what was hashed
 */
export type ProblemKind =
  | 'unparsable'
  | 'not-canonical'
  | 'sequence'
  | 'chain'
  | 'outcome-without-intent'
  | 'duplicate-outcome'
  | 'effect-without-permit'
  | 'answer-without-ask'
  | 'release-without-outcome'
  | 'payload'

export interface Problem {
  /** The position of the line in the log, from 0; null where only a line of a pack is known. */
  readonly entry: number | null
  readonly kind: ProblemKind
  readonly detail: string
}

export interface Verification {
  readonly ok: boolean
  readonly entries: number
  /** The hash of the last line; 64 zeros for an empty log. */
  readonly head: string
  /** Calls whose end is not on record: in flight, or cut short by the death of the kernel. Not a problem. */
  readonly unsettled: number
  /** The first problems found. */
  readonly problems: readonly Problem[]
  /** How many more there are. */
  readonly more: number
}

/** What the first entry names as the hash of the one before. */
export const noEntry = '0'.repeat(64)

/** @returns RFC 6962's hash of a leaf, SHA-256(0x00 ‖ bytes of the line), as hex */
export const leafHash = (line: string): string => hash('sha256', `\u0000${line}`, 'hex')

/** @returns SHA-256(salt ‖ UTF-8 bytes of the text), as hex */
export const payloadHash = (salt: Uint8Array, text: string): string =>
  hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'hex')

/** A list longer than this helps nobody; the rest is counted. */
const problemsListed = 100
/** A claim to be further ahead than this is counted as a problem and not believed, since believing takes memory. */
const gapMax = 2 ** 20

/**
 * @param lines the log, oldest first, each without its newline
 * @param packs lines of payloads; a payload that is not there was deleted, which is no problem
 * @returns what was found; it streams, and keeps one byte for each entry, and what is asked or released and not used yet
 */
export function verifyEntries(lines: Iterable<string>, packs: Iterable<string> = []): Verification {
  const verifier = new Verifier()
  for (const line of packs) verifier.pack(line)
  for (const line of lines) verifier.line(line)
  return verifier.result()
}

class Verifier {
  readonly #calls = new Calls()
  readonly #approved = new Approved()
  /** Intents whose outcome released a value, until the entry about that. */
  readonly #releasing = new Set<number>()
  readonly #problems: Problem[] = []
  readonly #badPayloads = new Map<string, string>()
  #more = 0
  #position = 0
  #seq = 0
  #head = noEntry

  pack(line: string): void {
    const payload = readPayload(line)
    if (payload === undefined) return this.#found(null, 'payload', 'a line of a pack is not a payload')
    if (isSound(payload)) return
    const detail = `payload ${payload.hash.slice(0, 16)}… is not the text that was hashed`
    if (this.#badPayloads.size < problemsListed) this.#badPayloads.set(payload.hash, detail)
    else this.#found(null, 'payload', detail)
  }

  line(line: string): void {
    const read = readEntry(line)
    if ('problem' in read) this.#found(this.#position, read.problem, read.detail)
    if (read.entry === undefined) this.#seq += 1
    else this.#entry(read.entry)
    this.#head = leafHash(line)
    this.#position += 1
  }

  #entry(entry: Entry): void {
    if (entry.prev !== this.#head)
      this.#found(
        this.#position,
        'chain',
        'it does not follow from the line before: one of the two was changed',
      )
    this.#number(entry.seq)
    if (!this.#approved.read(entry))
      this.#found(this.#position, 'answer-without-ask', `no open request is on record for it before`)
    if (entry.kind === 'declassify') this.#declassified(entry)
    if (entry.kind === 'intent') this.#intent(entry)
    if (entry.kind === 'outcome') this.#outcome(entry)
    if (this.#badPayloads.size > 0) this.#payloads(entry)
  }

  #number(seq: number): void {
    if (seq !== this.#seq)
      this.#found(this.#position, 'sequence', `it is numbered ${seq}, and ${this.#seq} was due`)
    if (seq >= this.#seq && seq <= this.#position + gapMax) this.#seq = seq + 1
  }

  #intent(entry: Entry): void {
    if (entry.seq < this.#seq) this.#calls.open(entry.seq)
    const effect = decisionOf(entry)
    if (effect === 'permit' || (effect === 'unjudged' && !isJudged(entry.syscall))) return
    if (effect === 'ask' && this.#approved.use(entry)) return
    const why =
      typeof effect === 'string' ? `the decision on it is \`${effect}\`` : 'no decision is on record'
    this.#found(this.#position, 'effect-without-permit', `${why}, and yet it was admitted`)
  }

  /** What a person releases is of no call. */
  #declassified({ intent }: Entry): void {
    if (intent === undefined || this.#releasing.delete(Number(intent))) return
    this.#found(this.#position, 'release-without-outcome', `call ${intent} is not on record as releasing it`)
  }

  #outcome(entry: Entry): void {
    if (entry.released !== undefined) this.#releasing.add(Number(entry.intent))
    const found = this.#calls.settle(entry.intent)
    if (found === 'open') return
    if (found === 'settled')
      return this.#found(this.#position, 'duplicate-outcome', `call ${entry.intent} has ended already`)
    this.#found(this.#position, 'outcome-without-intent', `no intent is on record for it before`)
  }

  #payloads(entry: Entry): void {
    for (const value of Object.values(entry)) {
      if (!isObject(value) || typeof value.hash !== 'string') continue
      const detail = this.#badPayloads.get(value.hash)
      if (detail === undefined) continue
      this.#badPayloads.delete(value.hash)
      this.#found(this.#position, 'payload', detail)
    }
  }

  #found(entry: number | null, kind: ProblemKind, detail: string): void {
    if (this.#problems.length < problemsListed) this.#problems.push({ entry, kind, detail })
    else this.#more += 1
  }

  result(): Verification {
    for (const detail of this.#badPayloads.values()) this.#found(null, 'payload', detail)
    this.#badPayloads.clear()
    return {
      ok: this.#problems.length === 0,
      entries: this.#position,
      head: this.#head,
      unsettled: this.#calls.unsettled,
      problems: this.#problems,
      more: this.#more,
    }
  }
}

const none = 0
const opened = 1
const settled = 2

/** Which intents are open and which have ended, in one byte each. */
class Calls {
  #states = new Uint8Array(512)
  unsettled = 0

  open(seq: number): void {
    if (seq >= this.#states.length) this.#grow(seq)
    if (this.#states[seq] !== none) return
    this.#states[seq] = opened
    this.unsettled += 1
  }

  /** @returns what the intent was before */
  settle(seq: unknown): 'none' | 'open' | 'settled' {
    const state = typeof seq === 'number' ? this.#states[seq] : none
    if (state === settled) return 'settled'
    if (state !== opened || typeof seq !== 'number') return 'none'
    this.#states[seq] = settled
    this.unsettled -= 1
    return 'open'
  }

  #grow(seq: number): void {
    const states = new Uint8Array(Math.max(seq + 1, this.#states.length * 2))
    states.set(this.#states)
    this.#states = states
  }
}

export type ReadEntry =
  | { readonly entry: Entry }
  | {
      readonly entry: Entry | undefined
      readonly problem: 'unparsable' | 'not-canonical'
      readonly detail: string
    }

/** @returns the entry that a line holds; where the line is not sound, what is wrong with it */
export function readEntry(line: string): ReadEntry {
  const value = parse(line)
  if (!isEntry(value)) {
    const detail = value === undefined ? 'the line is not JSON' : 'the line is JSON, but not an entry'
    return { entry: undefined, problem: 'unparsable', detail }
  }
  if (isCanonicalText(line, value)) return { entry: value }
  return { entry: value, problem: 'not-canonical', detail: 'the line is not in canonical form (RFC 8785)' }
}

/** One line of a pack. */
export interface Payload {
  readonly hash: string
  /** 16 bytes, as hex. */
  readonly salt: string
  /** Absent where only its digest is on record. */
  readonly text?: string
}

/** @returns the payload that a line of a pack holds, whether or not its hash is right; undefined when it holds none */
export function readPayload(line: string): Payload | undefined {
  const value = parse(line)
  if (!isObject(value)) return undefined
  const { hash, salt, text } = value
  if (typeof hash !== 'string' || typeof salt !== 'string') return undefined
  if (!/^[0-9a-f]{64}$/.test(hash) || !/^[0-9a-f]{32}$/.test(salt)) return undefined
  if (text === undefined) return { hash, salt }
  return typeof text === 'string' && text.isWellFormed() ? { hash, salt, text } : undefined
}

/** Whether a payload is what was hashed, as far as its text is there. */
export const isSound = ({ hash, salt, text }: Payload): boolean =>
  text === undefined || payloadHash(Buffer.from(salt, 'hex'), text) === hash

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function isEntry(value: unknown): value is Entry {
  return (
    isObject(value) &&
    value.v === 1 &&
    isCount(value.seq) &&
    typeof value.prev === 'string' &&
    typeof value.time === 'number' &&
    typeof value.kind === 'string'
  )
}

function decisionOf(entry: EntryBody): unknown {
  return isObject(entry.decision) ? entry.decision.effect : undefined
}

/** Actions on which a policy has the say; the rest (clock, randomness, output, a process about itself) need no permit. */
const judged = /^(fs|net|tool|llm|ipc)\.|^proc\.(spawn|extract|signal)$/
const isJudged = (syscall: unknown): boolean => typeof syscall !== 'string' || judged.test(syscall)
