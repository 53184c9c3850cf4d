/** What is known of processes of before this kernel, and of their calls. */
import type { PayloadRef } from '../evidence/entry.ts'
import { type Json, parseGuestJson } from '../json.ts'
import type { Process } from '../proc/process.ts'
import type { SignalName } from '../proc/signals.ts'
import { findSyscall } from '../syscalls.ts'
import type { Past } from './past-entries.ts'

/** An intent, as far as it is known. */
export interface PastIntent {
  readonly seq: number
  readonly entry: Past<'intent'>
  /** Undefined where it is not kept. */
  readonly text: string | undefined
  readonly argsRef: PayloadRef
}

/** A call about which a person was asked. */
export interface PastAsk {
  readonly seq: number
  readonly syscall: string
  readonly text: string | undefined
  /** The request and what was left of its time in ms, where nobody had answered. */
  readonly request: { readonly id: string; readonly leftMs: number } | undefined
}

/** A process of before this kernel. */
export interface Known {
  readonly process: Process
  /** Whether it goes on, unless it has ended. */
  readonly goesOn: boolean
  /** Admitted calls whose end is not on record, by number. */
  readonly dangling: Map<number, PastIntent>
  /** Calls that were neither admitted nor refused since a person was asked, by number. */
  readonly asks: Map<number, PastAsk>
  /** Handled signals that were not delivered. */
  readonly posted: SignalName[]
  /** The call that was admitted last. */
  latest: PastIntent | undefined
  /** Whether it was stopped. */
  isHeld: boolean
  /** The process's own time, when it was stopped. */
  heldAt: number
}

/** @returns arguments as the gate understood them */
export function decoded(syscall: string, text: string): Json {
  return findSyscall(syscall).args.parse(parseGuestJson(text))
}
