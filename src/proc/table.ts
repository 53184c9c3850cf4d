/** The process table: pids are given once and never again; ended processes stay visible for a while. */
import { type Errno, SyscallError } from '../errors.ts'
import { joinLabels, type Labels, noLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import type { Exit } from './exit.ts'
import type { Process } from './process.ts'
import { type ProcessRow, rowOf } from './rows.ts'
import type { SignalName } from './signals.ts'

/** How a process ended, without its value, which may be large. */
export interface End {
  readonly status: Exit['status']
  readonly signal?: SignalName
  readonly code?: Errno
  readonly reason?: string
}

export interface EndedProcess {
  readonly row: ProcessRow
  readonly end: End
}

/** Where the record of a process begins. */
export interface Beginning {
  /** Of its `spawn` entry. */
  readonly seq: number
  /** Hash of the kernel's policies as they are on record then. */
  readonly policies: string
}

/** What of the table is about processes that have ended. */
export interface Endings {
  readonly lastPid: number
  /** What they carried, all together. */
  readonly labels: Labels
  /** Those that can still be looked at, the oldest first. */
  readonly ended: readonly EndedProcess[]
}

export class ProcessTable {
  readonly #live = new Map<number, Process>()
  readonly #ended = new Map<number, EndedProcess>()
  /** Children that ended and whose parent lives: it may still wait for them. */
  readonly #zombies = new Map<number, Process>()
  #lastPid = 0
  /** What processes carried that have ended; one more than a process may carry is as good as all. */
  #past: Labels = noLabels
  /** Absent as long as a process is not on record. */
  readonly beginnings = new WeakMap<Process, Beginning>()

  /** @throws SyscallError EAGAIN when too many processes live */
  nextPid(): number {
    if (this.#live.size >= limits.processesMax) {
      throw new SyscallError('EAGAIN', `${limits.processesMax} processes live already; wait until one ends`)
    }
    this.#lastPid += 1
    return this.#lastPid
  }

  /** Pids up to this one were given before this kernel. */
  skipTo(pid: number): void {
    this.#lastPid = Math.max(this.#lastPid, pid)
  }

  get endings(): Endings {
    return { lastPid: this.#lastPid, labels: this.#past, ended: [...this.#ended.values()] }
  }

  /** Puts in front what is known of processes that ended before this kernel. */
  restore({ lastPid, labels, ended }: Endings): void {
    this.skipTo(lastPid)
    this.#past = labels
    for (const each of ended) this.#ended.set(each.row.pid, each)
  }

  add(process: Process): void {
    this.#live.set(process.pid, process)
  }

  /** Moves a process that ended to those that can still be looked at; the oldest of them leaves. */
  bury(process: Process, { status, signal, reason, error }: Exit): void {
    this.#live.delete(process.pid)
    if (this.#past.length <= limits.labelsMax) this.#past = joinLabels(this.#past, process.labels)
    const why = (reason ?? error?.message)?.slice(0, limits.errorTextMax)
    this.#ended.set(process.pid, {
      row: rowOf(process),
      end: {
        status,
        ...(signal !== undefined && { signal }),
        ...(error !== undefined && { code: error.code }),
        ...(why !== undefined && { reason: why }),
      },
    })
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

  /** What a process carries, or carried; undefined where it is not known any more, or never was. */
  labelsOf(pid: number): Labels | undefined {
    return this.#live.get(pid)?.labels ?? this.#ended.get(pid)?.row.labels
  }

  /** What any process carries or carried: what shows the doings of all is labelled with it. */
  labelsOfAll(): Labels {
    let labels = this.#past
    for (const process of this.#live.values()) labels = joinLabels(labels, process.labels)
    return labels
  }

  /** The same for agents, who do not see extractions. @throws SyscallError as find */
  findFor(who: number | string): Process {
    const pid = pidOf(who)
    const named = this.live().filter(({ name, identity }) => name === who && !identity.sealed)
    const found = pid === undefined && named.length === 1 ? named[0] : undefined
    if (found !== undefined) return found
    if (pid === undefined && named.length > 1) throw several('live processes', String(who), named)
    const process = pid === undefined ? undefined : this.find(pid)
    if (process === undefined || process.identity.sealed)
      throw new SyscallError(
        'ESRCH',
        pid === undefined ? `no live process is called \`${String(who).slice(0, 80)}\`` : `no process ${pid}`,
      )
    return process
  }

  live(): readonly Process[] {
    return [...this.#live.values()]
  }

  liveRuns(): ReadonlySet<string> {
    return new Set(this.live().map(({ identity }) => identity.run))
  }

  ended(): readonly ProcessRow[] {
    return [...this.#ended.values()].map(({ row }) => row)
  }

  /** How a process ended that can still be looked at. */
  endOf(pid: number): EndedProcess | undefined {
    return this.#ended.get(pid)
  }

  /**
   * @param who a pid, or a name that one live process has
   * @throws SyscallError ESRCH when there is none, EINVAL when a name fits several
   */
  find(who: number | string): Process {
    const pid = pidOf(who)
    if (pid !== undefined) {
      const process = this.get(pid)
      if (process !== undefined) return process
      const ended = this.#ended.get(pid)
      throw new SyscallError(
        'ESRCH',
        ended === undefined ? `no process ${pid}` : `process ${pid} (\`${ended.row.name}\`) has ended`,
      )
    }
    const named = this.live().filter((process) => process.name === who)
    const [first] = named
    if (first === undefined)
      throw new SyscallError('ESRCH', `no live process is called \`${String(who).slice(0, 80)}\``)
    if (named.length > 1) throw several('live processes', String(who), named)
    return first
  }

  /**
   * The same for looking: one that ended lately can be named too, by its name only where no live one has it.
   * @throws SyscallError ESRCH when there is none, EINVAL when a name fits several
   */
  look(who: number | string): Process | EndedProcess {
    const pid = pidOf(who)
    const rows = this.ended().filter((row) => (pid === undefined ? row.name === who : row.pid === pid))
    const live = pid === undefined && this.live().some(({ name }) => name === who)
    const [first] = rows
    const ended = live || first === undefined ? undefined : this.#ended.get(first.pid)
    if (ended === undefined) return this.find(who)
    if (rows.length > 1) throw several('ended processes', String(who), rows)
    return ended
  }
}

/** A name of digits alone is a pid. */
function pidOf(who: number | string): number | undefined {
  if (typeof who === 'number') return who
  return /^\d+$/.test(who) ? Number(who) : undefined
}

function several(what: string, name: string, them: readonly { readonly pid: number }[]): SyscallError {
  const pids = them.slice(-limits.pidsNamedMax).map(({ pid }) => pid)
  const more = them.length > pids.length ? 'the newest: ' : ''
  return new SyscallError(
    'EINVAL',
    `${them.length} ${what} are called \`${name}\`: name one by pid (${more}${pids.join(', ')})`,
  )
}
