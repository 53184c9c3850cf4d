/** The process table: pids are given once and never again; ended processes stay visible for a while. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Process } from './process.ts'

export class ProcessTable {
  readonly #live = new Map<number, Process>()
  readonly #ended = new Map<number, Process>()
  #lastPid = 0

  /** @throws SyscallError EAGAIN when too many processes live */
  nextPid(): number {
    if (this.#live.size >= limits.processesMax) {
      throw new SyscallError('EAGAIN', `${limits.processesMax} processes live already; wait until one ends`)
    }
    this.#lastPid += 1
    return this.#lastPid
  }

  add(process: Process): void {
    this.#live.set(process.pid, process)
  }

  /** Moves a process that ended to those that can still be looked at; the oldest of them leaves. */
  bury(process: Process): void {
    this.#live.delete(process.pid)
    this.#ended.set(process.pid, process)
    const oldest = this.#ended.size > limits.processesEndedMax ? this.#ended.keys().next().value : undefined
    if (oldest !== undefined) this.#ended.delete(oldest)
  }

  get(pid: number): Process | undefined {
    return this.#live.get(pid) ?? this.#ended.get(pid)
  }

  live(): readonly Process[] {
    return [...this.#live.values()]
  }

  ended(): readonly Process[] {
    return [...this.#ended.values()]
  }

  /**
   * @param who a pid, or a name that one live process has
   * @throws SyscallError ESRCH when there is none, EINVAL when a name fits several
   */
  find(who: number | string): Process {
    const pid = typeof who === 'number' ? who : /^\d+$/.test(who) ? Number(who) : undefined
    if (pid !== undefined) {
      const process = this.get(pid)
      if (process === undefined) throw new SyscallError('ESRCH', `no process ${pid}`)
      return process
    }
    const named = this.live().filter((process) => process.name === who)
    const [first] = named
    if (first === undefined)
      throw new SyscallError('ESRCH', `no live process is called \`${String(who).slice(0, 80)}\``)
    if (named.length > 1) {
      throw new SyscallError(
        'EINVAL',
        `${named.length} live processes are called \`${who}\`: name one by pid (${named.map((p) => p.pid).join(', ')})`,
      )
    }
    return first
  }
}
