/** What the checker knows of one process from what it was told, apart from what the kernel says of itself. */
import type { ProcessState } from '../../src/proc/exit.ts'
import type { Process } from '../../src/proc/process.ts'

/** From each state, those that may come next. `waiting` is `running` as seen from outside. */
export const legal: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  created: ['running', 'stopping', 'stopped', 'exited', 'killed', 'failed'],
  running: ['stopping', 'stopped', 'exited', 'killed', 'failed'],
  waiting: ['running', 'stopping', 'stopped', 'exited', 'killed', 'failed'],
  stopping: ['stopped', 'running', 'waiting', 'exited', 'killed', 'failed'],
  stopped: ['running', 'waiting', 'exited', 'killed', 'failed'],
  exited: [],
  killed: [],
  failed: [],
}

export const isOver = (state: ProcessState): boolean => legal[state].length === 0
export const isStill = (state: ProcessState): boolean => state === 'stopped' || state === 'stopping'

export class ProcessModel {
  readonly pid: number
  /** As the kernel holds it; undefined once it was let go. */
  process: Process | undefined
  ppid = 0
  state: ProcessState = 'created'
  /** Its program is on record. */
  begun = false
  /** State on record; one that the record does not agree with is a violation. */
  recorded: ProcessState | undefined
  /** How its end is on record. */
  exit: string | undefined
  /** Where in the chain. */
  exitAt = 0
  /** Whether the checker was shown it, and waits for its exit. */
  held = false
  settled = false
  /** A guest of it was started. */
  hosted = false
  inTurn = false
  /** Its guest was asked to stand still. */
  freezing = false
  /** It does. */
  frozen = false
  lastTime = 0
  stoppedAt = 0
  stoppedMs = 0
  /** Calls that the kernel was given and has not answered, by the guest's number. */
  readonly asked = new Map<number, number>()
  /** Intents without outcome, by their place in the chain: the guest's number of the call. */
  readonly open = new Map<number, number>()
  /** Calls that wait for a person or for their process to go on, by the `seq` of the entry that asked. */
  readonly asking = new Map<number, string>()
  /** Of these, the ones that a person has approved. */
  readonly approved = new Set<number>()
  /** Syscalls that were admitted for it and all below it, by their cost. */
  charged = 0
  used = { syscalls: 0, cpuMs: 0 }

  constructor(pid: number) {
    this.pid = pid
  }

  get over(): boolean {
    return isOver(this.state)
  }

  get still(): boolean {
    return isStill(this.state)
  }
}
