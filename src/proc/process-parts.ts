/** What a process is made of, and who is told what happens to it. */
import type { Clock } from '../clock.ts'
import type { Fault } from '../isolate/guest.ts'
import type { Labels } from '../labels.ts'
import type { Isolation, PolicySet } from '../policy/types.ts'
import type { Exit, ProcessState } from './exit.ts'
import type { Ledger } from './ledger.ts'
import type { Process } from './process.ts'
import type { SignalName } from './signals.ts'
import type { Delivery } from './turns.ts'

export interface ProcessIdentity {
  readonly pid: number
  /** 0 for the first process of a run. */
  readonly ppid: number
  readonly run: string
  readonly name: string
  readonly isolation: Isolation
  /** Whether it is an extraction: nobody in user space learns of it but by its one value. */
  readonly sealed?: boolean
}

/** Who is told what happens to a process. */
export interface Supervisor {
  changed(process: Process, from: ProcessState, to: ProcessState): void
  /** On record before it has its effect. */
  signalled(process: Process, signal: SignalName, by: string): void
  ended(process: Process, exit: Exit): void
  /** Agent code is about to learn something; on record before. */
  delivers(process: Process, delivery: Delivery): void
  /**
   * The guest is gone with its cell, for no doing of its own that is known.
   * @returns what the process ends with; undefined where another guest takes its place
   */
  lost(process: Process, fault: Fault): Fault | undefined
  /** Calls that a stopped process had made are admitted now. */
  resumed(process: Process): void
}

export interface ProcessParts {
  readonly policy: PolicySet
  /** What it carries from the start. */
  readonly labels?: Labels
  readonly ledger: Ledger
  readonly parent: Process | undefined
  readonly clock: Clock
  readonly supervisor: Supervisor
  /** How much may be recorded about it and its children. */
  readonly evidenceBytesMax: number
}
