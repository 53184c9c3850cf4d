/** One line of the record. Its canonical bytes are the leaf of the chain and, later, of a Merkle tree. */
import type { Json } from '../json.ts'

/**
 * - `open`: a kernel began to write here (under which policy, in which isolation, with which protections of its cells)
 * - `intent`, `outcome`: an admitted call, before and after its effect
 * - `charge`: a model's stream is over: what came of it, and what it has cost
 * - `refusal`: a call that the gate did not admit
 * - `ask`, `answer`: a call that waits for a person, and how that ended
 * - `spawn`, `turn`, `state`, `signal`, `exit`: the life of a process
 * - `rebuild`: a process is brought again to where it was, from what is on record about it
 * - `snapshot`: what the kernel's state was after an entry lies beside the log
 * - `edit`: a run that goes on from another one takes a reply of that for another one
 * - `declassify`: a value was released from labels, by whom and why
 * - `host`: what the application did to a process or its files, or a tool that it registered
 * - `reload`: another policy came into force
 * - `repair`: a torn tail was cut off on start
 * - `redact`: payloads are deleted from here on, by whom and why
 * - `close`: the kernel ended in order
 * - `key`: whose signatures follow, when a log begins and when another key comes
 * - `checkpoint`: a signature over all entries before it
 */
export const entryKinds = [
  'open',
  'spawn',
  'turn',
  'state',
  'intent',
  'outcome',
  'charge',
  'refusal',
  'ask',
  'answer',
  'signal',
  'exit',
  'rebuild',
  'snapshot',
  'edit',
  'declassify',
  'host',
  'reload',
  'repair',
  'redact',
  'close',
  'key',
  'checkpoint',
] as const
export type EntryKind = (typeof entryKinds)[number]

/** A payload by content address: SHA-256 over salt ‖ bytes, as hex. The text lies beside the log and may be deleted. */
export interface PayloadRef {
  readonly hash: string
  readonly bytes: number
  /** Only of a text beyond `limits.evidencePayloadBytesMax`: nothing of it lies there but the digest. */
  readonly kept?: false
}

/** What a writer gives; the log adds `v`, `seq`, `prev` and `time`. */
export interface EntryBody {
  readonly kind: EntryKind
  /** The life of one root process and its children; absent for entries about the kernel itself. */
  readonly run?: string
  readonly pid?: number
  readonly [field: string]: Json | PayloadRef | undefined
}

export type Entry = EntryBody & {
  /** Version of this format. */
  readonly v: 1
  /** Position in the log, from 0. */
  readonly seq: number
  /** SHA-256(0x00 ‖ canonical bytes of the entry before), as hex: its RFC 6962 leaf hash. 64 zeros for the first. */
  readonly prev: string
  /** Kernel time, ms since 1970. */
  readonly time: number
}

/** Where a deciding rule stands; `policy` is a policy's name. */
export type RecordedRule = { readonly id: string; readonly line: number; readonly policy: string }

/** What was decided about a call, and under which policy (`policy` is the hash of the policy set). */
export type RecordedDecision =
  | {
      readonly effect: 'permit' | 'ask' | 'forbid'
      readonly policy: string
      readonly rules: readonly RecordedRule[]
      /** What an observing policy would have done. */
      readonly observed?: { readonly effect: string; readonly rules: readonly RecordedRule[] }
    }
  /** Clock, randomness and output are counted and limited, never judged. */
  | { readonly effect: 'unjudged' }

/** Whose call it was. */
export type Caller = {
  readonly run: string
  readonly pid: number
  readonly agent: string
  readonly isolation: string
  /** The process's own number for the call. */
  readonly call: number
  readonly syscall: string
  /** Whether it is an extraction's, of which nothing is counted. */
  readonly extraction?: true
  /** What the process carried; absent where that is nothing. */
  readonly labels?: readonly string[]
}

/** An admitted call, on record before its effect. */
export type IntentBody = Caller & {
  readonly kind: 'intent'
  readonly resource: string
  readonly args: PayloadRef
  readonly decision: RecordedDecision
  /** Where it waited for a person: the `seq` of the last entry that asked. */
  readonly ask?: number
  /** The `seq` of an intent whose effect is not known, since its kernel ended: it is made again. */
  readonly again?: number
}

/** How an admitted call ended. `unknown`: whether the effect happened cannot be told. */
export type OutcomeBody = {
  readonly kind: 'outcome'
  readonly run: string
  readonly pid: number
  /** The `seq` of its intent. */
  readonly intent: number
  readonly status: 'committed' | 'failed' | 'aborted' | 'unknown'
  /** The errno of a failure, and its cause as the agent is told it, unless a rule keeps it out of the record. */
  readonly code?: string
  readonly reason?: string
  readonly result?: PayloadRef
  /** What the result, or the error, carried; absent where that is nothing. */
  readonly labels?: readonly string[]
  /** What the result came of and does not carry on, by a tool or a call that releases it. */
  readonly released?: readonly string[]
  readonly cost?: Json
}

/** How a model's stream ended, which a call had opened. `aborted`: in the middle, by its reader or with its process. */
export type ChargeBody = {
  readonly kind: 'charge'
  readonly run: string
  readonly pid: number
  /** The `seq` of the intent of the call that opened it. */
  readonly intent: number
  readonly status: 'committed' | 'failed' | 'aborted'
  readonly code?: string
  readonly reason?: string
  /** What the model wrote until then, also what nobody has read. */
  readonly result: PayloadRef
  readonly cost: Json
}

/** A value that does not carry labels on which it came of. */
export type DeclassifyBody = {
  readonly kind: 'declassify'
  /** Whose value it is: a process's, or a file of an agent. */
  readonly run?: string
  readonly pid?: number
  readonly agent?: string
  readonly path?: string
  /** The `seq` of the intent of the call that gave it, where one did. */
  readonly intent?: number
  /** A person, a tool or a syscall. */
  readonly by: string
  readonly reason: string
  readonly labels: readonly string[]
  readonly value: PayloadRef
}

/** A call that touched nothing. */
export type RefusalBody = Caller & {
  readonly kind: 'refusal'
  readonly resource?: string
  readonly code: string
  readonly reason: string
  readonly args?: PayloadRef
  readonly decision?: RecordedDecision
  /** Where it waited for a person: the `seq` of the last entry that asked. */
  readonly ask?: number
}

/** A call that waits for a person; nothing has been touched. */
export type AskBody = Caller & {
  readonly kind: 'ask'
  /** By which people name it. */
  readonly id: string
  readonly resource: string
  readonly args: PayloadRef
  readonly decision: RecordedDecision
  readonly labels: readonly string[]
  /** SHA-256 of the text of `binding`: canonical JSON of all that an approval holds for. */
  readonly digest: string
  readonly binding: PayloadRef
  /** Kernel time from which on it is denied, ms since 1970. */
  readonly expires: number
  /** The request in whose place it came. */
  readonly follows?: string
  /** The `seq` of an intent whose effect is not known: whether it is made again is asked. */
  readonly again?: number
}

/** How a request ended. */
export type AnswerBody = {
  readonly kind: 'answer'
  readonly run: string
  readonly pid: number
  /** The `seq` of the entry that asked. */
  readonly ask: number
  readonly id: string
  readonly answer: 'approved' | 'denied' | 'expired' | 'cancelled'
  /** Who said so. */
  readonly by: string
  readonly reason?: string
  /** Arguments that were approved in place of the agent's. */
  readonly args?: PayloadRef
}

/** Payloads with their salts that are deleted after this entry; what entries say of them stays. */
export type RedactBody = {
  readonly kind: 'redact'
  readonly by: string
  readonly reason: string
  /** How many, and which where they are few. */
  readonly payloads: number
  readonly hashes?: readonly string[]
  /** SHA-256 over the hashes, sorted, each with a newline. */
  readonly list: string
  /** What named them: these entries, this run, or what is older. */
  readonly entries?: readonly number[]
  readonly of?: string
  /** Kernel time, ms since 1970: of runs that did nothing since. */
  readonly before?: number
  /** The number of the first entry that may still have a payload to be deleted by age. */
  readonly done?: number
}

/** What was cut off when a torn log was opened, and the file beside the log that keeps it. */
export type Repair = { readonly file: string; readonly bytes: number; readonly kept: string }

/** A key begins to sign this log. */
export type KeyBody = {
  readonly kind: 'key'
  /** Of the log, for ever; the first line of each checkpoint. */
  readonly origin: string
  /** The key, in the form in which it is handed on: name, id, public key. */
  readonly verifier: string
  /** A note by which the key before names this one; absent for the first, and where the key before was not at hand. */
  readonly endorsement?: string
}

/** Its `time` is that of the newest entry that it covers. */
export type CheckpointBody = {
  readonly kind: 'checkpoint'
  /** A signed note: origin, number of entries before this one, root of their tree. */
  readonly note: string
  /** Roots of the perfect subtrees of that tree, the largest first, as hex: with them the tree goes on. */
  readonly frontier: readonly string[]
}
