/** What the kernel knows of a place where agent code runs. Cell and inline hosts both offer exactly this. */
import type { Errno } from '../errors.ts'

/** Everything an isolate needs to begin; data only, so that it can cross to a cell. */
export interface GuestSpec {
  /** The program: text of an ES module whose imports are bundled. */
  readonly program: string
  /** How stack traces name the program; never a host path. */
  readonly filename: string
  /** The arguments of the program's default export, as a JSON array. */
  readonly args: string
  /** What the bootstrap reads: time, seed, doors; as JSON. */
  readonly boot: string
  readonly heapBytes: number
  /** Of its first turn. */
  readonly limit: TurnLimit
  /**
   * Number of a call of which it is asked where agent code made it: the stack comes as call 0, named `trace`, right before
   * it. Only for a guest that is repeated; agent code can notice it.
   */
  readonly trace?: number
}

/** How long one turn may take. */
export interface TurnLimit {
  /** As a clock on the wall has it. */
  readonly wallMs: number
  /** Of CPU time; undefined where no budget is left to keep. */
  readonly cpuMs?: number
}

/** What a turn used, counted since the guest began. */
export interface Usage {
  readonly cpuMs: number
  readonly heapBytes: number
}

/** Why a guest is gone, or will be. Without an error of its own, EDQUOT means that its turn used up its CPU time. */
export interface Fault {
  readonly code: Errno
  /** The end of a sentence: "ran out of memory (limit 64 MiB)". */
  readonly reason: string
  /** The place where it ran is gone, and not for what it did, as far as anybody knows. */
  readonly lost?: true
  /** The guest's own error, where agent code threw one that nobody caught. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string }
}

/** One frame of agent code that stands still. */
export interface StackFrame {
  /** The function's name; empty where it has none. */
  readonly name: string
  /** Position in the program that runs, from 1. */
  readonly line: number
  readonly column: number
}

/** The proof that a guest stands still, and where. */
export interface Frozen {
  /** `paused`: by V8, in the middle of a turn; `idle`: between turns; `system`: with its whole cell, by the operating system. */
  readonly how: 'paused' | 'idle' | 'system'
  /** Agent code only, the innermost first, not all of a deep one; empty where nothing runs or nobody can look. */
  readonly stack: readonly StackFrame[]
  /** How many frames there are. */
  readonly depth: number
}

/** What comes out of a guest; none of these throws. */
export interface GuestEvents {
  /** One syscall: the guest's number for it, its name and its arguments as text. All of it is hostile. */
  call(number: number, name: string, text: string): void
  /** The delivery before (or the start) has run to its end, microtasks included. */
  turn(usage: Usage): void
  /** The guest is gone; nothing comes after this. */
  fault(fault: Fault): void
}

export interface Guest {
  /**
   * Runs one turn of agent code; `events.turn` or `events.fault` follows. One at a time.
   * @param time kernel time, ms since 1970; stands still within the turn
   * @param batch JSON array of [number, reply]
   * @param limit how long the turn may take
   */
  deliver(time: number, batch: string, limit: TurnLimit): void
  /**
   * Stops agent code in the middle of an instruction; the time limit of its turn stands still too.
   * @returns resolves when no instruction of it runs any more; with undefined where it ended or was thawed before. Never rejects
   */
  freeze(): Promise<Frozen | undefined>
  /**
   * Goes on exactly where it was frozen.
   * @returns resolves when it does, or has ended. Never rejects
   */
  thaw(): Promise<void>
  /**
   * Ends the guest in the middle of whatever it does. No event follows.
   * @returns resolves when none of its code runs any more, which one uninterruptible builtin can delay
   */
  end(): Promise<void>
}

/** Who may share a cell: processes of one agent under one policy, or nobody. */
export interface Tenancy {
  readonly agent: string
  /** Hash of its policy. */
  readonly policy: string
  /** Whether it has a cell to itself. */
  readonly own: boolean
  /** Its first process and all below: no run gets every cell. */
  readonly run: string
}

/** A place for guests. */
export interface UserSpace {
  start(tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest
  /** Ends what is left and frees it. */
  close(): Promise<void>
}
