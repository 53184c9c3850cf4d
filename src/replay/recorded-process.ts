/** One process as it is on record: what it began with, what it asked for, what it was given, and how it ended. */
import type { Errno } from '../errors.ts'
import type { PayloadRef } from '../evidence/entry.ts'
import type { Isolation } from '../policy/types.ts'
import type { SignalName } from '../proc/signals.ts'

export interface RecordedProcess {
  readonly run: string
  readonly pid: number
  /** Undefined where the process ended before its program was there. */
  readonly spawn: RecordedSpawn | undefined
  /** In the order in which it made them, which is that of their numbers. */
  readonly calls: readonly RecordedCall[]
  /** Deliveries, from turn 2. */
  readonly turns: readonly RecordedTurn[]
  /** How it ended; undefined where the record, or the part of it that counts, ends before. */
  readonly exit: RecordedExit | undefined
  /** Whether its end is on record, so that all that it did before is too. */
  readonly isWhole: boolean
  /** Numbers of calls that are on record past the part that counts. */
  readonly later: ReadonlySet<number>
  /** The first entry about it past which nothing can be repeated. What payloads lack is seen when they are read. */
  readonly gap: Gap | undefined
}

export interface RecordedSpawn {
  readonly seq: number
  readonly ppid: number
  readonly agent: string
  readonly isolation: Isolation
  readonly labels: readonly string[]
  /** Hash of its policies. */
  readonly policy: string
  /** Whether it had a cell to itself. */
  readonly ownCell: boolean
  readonly isExtraction: boolean
  readonly heapBytes: number
  /** Undefined for a function of the application, which is nothing that could be repeated. */
  readonly program: RecordedProgram | undefined
}

export interface RecordedProgram {
  readonly text: PayloadRef
  readonly filename: string
  /** Leads to the author's files; of a program that was bundled. */
  readonly map: PayloadRef | undefined
  readonly args: PayloadRef
  readonly boot: PayloadRef
}

export interface RecordedCall {
  /** The process's own number for it. */
  readonly number: number
  readonly syscall: string
  /** The first entry about it. */
  readonly seq: number
  /** As the process gave them; of a refused call at most `limits.refusedArgsMax` UTF-16 units. */
  readonly args: PayloadRef
  readonly isRefused: boolean
  /** Where it waited for a person. */
  readonly isAsked: boolean
  /** `seq` of the intent, where it was admitted. */
  readonly intent: number | undefined
  /** What it was answered; undefined where its end is not on record. */
  readonly reply: RecordedReply | undefined
}

/** A reply or a signal, as far as it can be known without payloads. */
export type RecordedReply = {
  /** The entry that ended the call; for a signal that of its delivery. */
  readonly seq: number
  /** The process's number of the call, or the kernel's of the signal. */
  readonly number: number
} & (
  | { readonly kind: 'result'; readonly result: PayloadRef }
  /** The whole reply: a failure, a refusal or a signal. */
  | { readonly kind: 'text'; readonly text: string }
  /** Why nobody can tell what it was. */
  | { readonly kind: 'lost'; readonly why: string }
)

export interface RecordedTurn {
  /** From 2: the first turn is the start. */
  readonly number: number
  readonly seq: number
  /** The process's own time, ms since 1970. */
  readonly at: number
  /** Number of the last call before it. */
  readonly after: number
  readonly replies: readonly RecordedReply[]
}

export interface RecordedExit {
  readonly seq: number
  readonly status: 'exited' | 'killed' | 'failed'
  readonly value: PayloadRef | undefined
  readonly error: { readonly code: Errno; readonly message: string } | undefined
  readonly signal: SignalName | undefined
  readonly reason: string | undefined
  /** The state before; `waiting`: its last turn had run to its end. */
  readonly from: string
}

/** Why a process can be repeated only up to here. */
export interface Gap {
  /** The entry. */
  readonly seq: number
  /** A sentence's end: "its result is not kept: a rule keeps only its digest". */
  readonly why: string
}

/**
 * @param seq of an entry
 * @returns the process as it was on record before that entry: what follows is yet to happen
 */
export function before(process: RecordedProcess, seq: number): RecordedProcess {
  const calls = process.calls.filter((call) => call.seq < seq)
  const later = process.calls.filter((call) => call.seq >= seq).map(({ number }) => number)
  const isOpen = (at: number | undefined): boolean => at === undefined || at >= seq
  return {
    ...process,
    spawn: isOpen(process.spawn?.seq) ? undefined : process.spawn,
    calls: calls.map((call) => ({
      ...call,
      intent: isOpen(call.intent) ? undefined : call.intent,
      reply: isOpen(call.reply?.seq) ? undefined : call.reply,
    })),
    turns: process.turns.filter((turn) => turn.seq < seq),
    exit: isOpen(process.exit?.seq) ? undefined : process.exit,
    gap: isOpen(process.gap?.seq) ? undefined : process.gap,
    later: new Set([...process.later, ...later]),
  }
}
