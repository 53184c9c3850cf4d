/** The process table: pids are given once and never again; ended processes stay visible for a while. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Process } from './process.ts'
import { type ProcessRow, rowOf } from './rows.ts'

export class ProcessTable {
  readonly #live = new Map<number, Process>()
  readonly #ended = new Map<number, ProcessRow>()
  /** Children that ended and whose parent lives: it may still wait for them. */
  readonly #zombies = new Map<number, Process>()
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
    this.#ended.set(process.pid, rowOf(process))
    if (process.parent !== undefined && !process.parent.over) this.#zombies.set(process.pid, process)
    for (const zombie of this.#zombies.values())
      if (zombie.parent === process) this.#zombies.delete(zombie.pid)
    const oldest = this.#ended.size > limits.processesEndedMax ? this.#ended.keys().next().value : undefined
    if (oldest !== undefined) this.#ended.delete(oldest)
  }

  get(pid: number): Process | undefined {
    return this.#live.get(pid) ?? this.#zombies.get(pid)
  }

  /** @throws SyscallError EAGAIN when a run has as many live processes as it may */
  assertRoomIn(run: string): void {
    const ofRun = this.live().filter((process) => process.identity.run === run)
    if (ofRun.length >= limits.processesPerRunMax)
      throw new SyscallError('EAGAIN', `${ofRun.length} processes of this run live already; wait for one`)
  }

  live(): readonly Process[] {
    return [...this.#live.values()]
  }

  ended(): readonly ProcessRow[] {
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
      if (process !== undefined) return process
      const row = this.#ended.get(pid)
      throw new SyscallError(
        'ESRCH',
        row === undefined ? `no process ${pid}` : `process ${pid} (\`${row.name}\`) has ended`,
      )
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
