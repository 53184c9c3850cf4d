/** One line of the record. Its canonical bytes are the leaf of the chain and, later, of a Merkle tree. */
import type { Json } from '../json.ts'

/**
 * - `open`: a kernel began to write here (under which policy, in which isolation, with which protections of its cells)
 * - `intent`, `outcome`: an admitted call, before and after its effect
 * - `refusal`: a call that the gate did not admit
 * - `ask`, `answer`: a call that waits for a person, and how that ended
 * - `spawn`, `turn`, `state`, `signal`, `exit`: the life of a process
 * - `rebuild`: a process is brought again to where it was, from what is on record about it
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
  'refusal',
  'ask',
  'answer',
  'signal',
  'exit',
  'rebuild',
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

/** A kernel begins to write. */
export type OpenBody = {
  readonly kind: 'open'
  readonly policy: string
  readonly policies: string
  /** Canonical text of all policies of the kernel. */
  readonly documents: PayloadRef
  readonly isolation: string
  /** The tools that there are, with what each takes. */
  readonly tools?: PayloadRef
  readonly protections?: Json
  /**
   * What is within the kernel is as it was after that entry: the effects up to there that stay in the kernel are done
   * again, in their order. `as` is the run that goes on in place of `run`, where that is forked.
   */
  readonly from?: { readonly seq: number; readonly run?: string; readonly as?: string }
}

/** A process begins. */
export type SpawnBody = {
  readonly kind: 'spawn'
  readonly run: string
  readonly pid: number
  readonly ppid: number
  readonly agent: string
  readonly isolation: string
  readonly labels: readonly string[]
  /** SHA-256 of the text of `documents`: all policies that it is under, in canonical form. */
  readonly policy: string
  readonly documents: PayloadRef
  /** Milliseconds, bytes, US dollars, counts. */
  readonly budget: Json
  readonly extraction?: true
  readonly cell?: string
  /** Where it goes on from: the process of the same pid of another run, as it was after that entry. */
  readonly fork?: { readonly run: string; readonly seq: number }
  /** Of its first call, as a JSON array; absent for a function of the application, as all that follows. */
  readonly args?: PayloadRef
  /** The text of the ES module that runs, and how stacks name it. */
  readonly program?: PayloadRef
  readonly filename?: string
  /** What the guest began with: time, seed, doors; as JSON. */
  readonly boot?: PayloadRef
}

/** What agent code is given next: all that it learns from outside until it has run to its end. */
export type TurnBody = {
  readonly kind: 'turn'
  readonly run: string
  readonly pid: number
  /** From 2: the first turn is the start. */
  readonly turn: number
  /** The process's own number of the last call that it made before; 0 where it made none. */
  readonly after: number
  /** The process's own time, ms since 1970; it stands still while the turn lasts. */
  readonly at: number
  /** In their order: the `seq` of the entry that ended a call, or the name of a signal that it handles. */
  readonly replies: readonly (number | string)[]
}

/** A process is made again from the record: its guest repeats these turns, and then goes on live. */
export type RebuildBody = {
  readonly kind: 'rebuild'
  readonly run: string
  readonly pid: number
  /** Its cell was gone, its kernel was, or another run begins where it was. */
  readonly cause: 'cell' | 'resume' | 'fork'
  readonly reason: string
  /** The last turn that is repeated. */
  readonly turn: number
}

/** In a run that goes on from another one, a call of that one gave something else. Before its processes begin. */
export type EditBody = {
  readonly kind: 'edit'
  readonly run: string
  /** The `seq` of the outcome. */
  readonly outcome: number
  readonly result: PayloadRef
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
