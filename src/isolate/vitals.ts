/** What Linux tells of a running process, and whether a cell may be like that. Judging reads nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { limits } from '../limits.ts'
import type { Fault } from './guest.ts'

export interface Vitals {
  readonly residentBytes: number
  readonly threads: number
  /** Since its start, all threads together. */
  readonly cpuMs: number
  /** Processes that it started and that are there. */
  readonly children: number
}

/** Linux counts CPU time for user space in hundredths of a second on every processor that Node.js has. */
const msPerTick = 10

/**
 * @returns undefined where the process is gone, or the system does not tell
 * A thread may end between two reads, and counts for nothing then.
 */
export function readVitals(pid: number): Vitals | undefined {
  const status = readProc(`/proc/${pid}/status`)
  const stat = readProc(`/proc/${pid}/stat`)
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  const threads = /^Threads:\s+(\d+)$/m.exec(status)?.[1]
  // The fields after the name, which may hold anything, begin behind its last parenthesis (proc(5)).
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  if (resident === undefined || threads === undefined || user === undefined || system === undefined)
    return undefined
  return {
    residentBytes: Number(resident) * 1024,
    threads: Number(threads),
    cpuMs: (Number(user) + Number(system)) * msPerTick,
    // Past its bound the number of threads is enough to judge.
    children: Number(threads) > limits.cellThreadsMax ? 0 : countChildren(pid),
  }
}

/** A child belongs to the thread that started it. */
function countChildren(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => readProc(`/proc/${pid}/task/${thread}/children`))
      .reduce((count, text) => count + text.split(' ').filter((child) => child !== '').length, 0)
  } catch {
    return 0
  }
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** What a cell may resident hold at most, for the guests that it has. */
export function memoryBound(guests: readonly { readonly heapBytes: number }[]): number {
  const { cellBaseBytes, cellHeapFactor, cellGuestBytes } = limits
  return guests.reduce(
    (sum, { heapBytes }) => sum + heapBytes * cellHeapFactor + cellGuestBytes,
    cellBaseBytes,
  )
}

/** @returns why a cell with these vitals has to end, or undefined where it may go on */
export function judgeVitals(
  { residentBytes, threads, children }: Vitals,
  guests: readonly { readonly heapBytes: number }[],
): Fault | undefined {
  if (children > 0)
    return { code: 'EPERM', reason: 'its cell started a process, which none may, and was killed' }
  if (threads > limits.cellThreadsMax)
    return {
      code: 'EPERM',
      reason: `its cell had more than ${limits.cellThreadsMax} threads, and was killed`,
    }
  const bound = memoryBound(guests)
  if (residentBytes <= bound) return undefined
  const MiB = 1024 * 1024
  const held = `${Math.round(residentBytes / MiB)} MiB of memory, where its guests may have ${Math.round(bound / MiB)}`
  return { code: 'ENOMEM', reason: `its cell held ${held}, and was killed` }
}

/**
 * CPU time that no turn of a guest explains, as a debt that time pays off: V8 collects garbage and compiles
 * in threads of its own, also a little after a turn, but a cell whose guests wait does not go on computing.
 */
export class CpuDebt {
  readonly #debtMsMax: number
  #cpuMs: number | undefined
  #activeMs = 0
  #debtMs = 0

  constructor(debtMsMax: number = limits.cellCpuDebtMs) {
    this.#debtMsMax = debtMsMax
  }

  /**
   * @param cpuMs of the process, since its start
   * @param activeMs time in which turns of its guests were under way, added up over guests and since the cell's start
   * @param passedMs time since the reading before
   */
  next(cpuMs: number, activeMs: number, passedMs: number): Fault | undefined {
    // What it used until the first reading is its start.
    const used = cpuMs - (this.#cpuMs ?? cpuMs)
    const explained = (activeMs - this.#activeMs) * limits.cellCpuFactor + passedMs * limits.cellCpuIdleShare
    this.#cpuMs = cpuMs
    this.#activeMs = activeMs
    this.#debtMs = Math.max(0, this.#debtMs + used - explained)
    if (this.#debtMs <= this.#debtMsMax) return undefined
    const reason = `its cell computed for ${Math.round(this.#debtMs)} ms while no turn of its guests was under way, and was killed`
    return { code: 'ETIMEDOUT', reason }
  }
}
