/** The process table as people and agents see it: one row a process. */
import type { Isolation } from '../policy/types.ts'
import type { ProcessState } from './exit.ts'
import type { Charge } from './ledger.ts'
import type { Process } from './process.ts'

export interface ProcessRow {
  readonly pid: number
  readonly ppid: number
  readonly run: string
  readonly name: string
  readonly state: ProcessState
  readonly isolation: Isolation
  /** Names of the policies it is under. */
  readonly policy: string
  /** CPU time of its agent code, in ms; a turn that is under way counts by the wall until it is measured at its end. */
  readonly cpuMs: number
  /** Heap of its isolate at the end of a turn, in bytes; 0 where none has ended yet. */
  readonly heapBytes: number
  readonly wallMs: number
  readonly syscalls: number
  readonly inFlight: number
  /** How many of these wait for a person's approval; absent where none does. */
  readonly asking?: number
  /** What is left of each charge that a budget names. */
  readonly budgetLeft: Partial<Record<Charge, number>>
  readonly labels: readonly string[]
}

/** @returns what `ps` and /proc show of a process now */
export function rowOf(process: Process): ProcessRow {
  const { pid, ppid, run, name, isolation } = process.identity
  const { heapBytes, wallMs, syscalls, ...used } = process.usage
  const turnMs = process.over ? 0 : process.turns.activeMs
  const cpuMs = used.cpuMs + turnMs
  const asking = [...process.inFlight].filter(({ approval }) => approval !== undefined).length
  const budgetLeft = process.ledger.remaining()
  return {
    ...{ pid, ppid, run, name, state: process.state, isolation, policy: process.policy.name },
    ...{ cpuMs: Math.round(cpuMs * 1_000) / 1_000, heapBytes, wallMs, syscalls },
    ...{ inFlight: process.inFlight.size, labels: process.labels },
    ...(asking > 0 && { asking }),
    budgetLeft: {
      ...budgetLeft,
      ...(budgetLeft.cpuMs !== undefined && { cpuMs: Math.max(0, budgetLeft.cpuMs - turnMs) }),
    },
  }
}
