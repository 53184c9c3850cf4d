/** Cells, forked ahead and shared only by processes of one agent under one policy. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import { CellProcess, type LaunchCell } from './cell-process.ts'
import type { Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from './guest.ts'
import { assertJail, type Jail } from './jail.ts'
import { launchCell } from './launch.ts'

export interface PoolOptions {
  /** Most processes that share one cell. */
  readonly processes?: number
  /** Most cells at once. */
  readonly max?: number
  /** Cells forked ahead. */
  readonly spare?: number
  readonly jail?: Jail
}

export class CellPool implements UserSpace {
  readonly #options: Required<Omit<PoolOptions, 'jail'>>
  readonly #launch: LaunchCell
  readonly #byTenancy = new Map<string, Set<CellProcess>>()
  readonly #spares = new Set<CellProcess>()
  #closed = false

  /**
   * @param launch what starts a cell; the real one by default
   * @throws KernelError ENOSYS for a jail that does not work here
   */
  constructor(options: PoolOptions = {}, launch?: LaunchCell) {
    const { processes = limits.processesPerCell, max = limits.cellsMax, spare = 1, jail = 'none' } = options
    assertJail(jail)
    this.#options = { processes, max, spare }
    this.#launch = launch ?? (() => launchCell({ jail }))
  }

  /** Forks cells ahead, so that a process does not wait for its own. */
  warm(): void {
    while (!this.#closed && this.#spares.size < this.#options.spare && this.#count < this.#options.max)
      this.#spares.add(new CellProcess(this.#onDeath, this.#launch))
  }

  start(tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest {
    return this.#cellFor(tenancy).start(spec, events)
  }

  /** Kills every cell and waits until each is gone. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#cells(), ...this.#spares].map((cell) => cell.close()))
  }

  get #count(): number {
    return this.#cells().length + this.#spares.size
  }

  #cells(): readonly CellProcess[] {
    return [...this.#byTenancy.values()].flatMap((cells) => [...cells])
  }

  #cellFor({ agent, policy, own, run }: Tenancy): CellProcess {
    const key = `${agent}\n${policy}`
    const cells = this.#byTenancy.get(key) ?? new Set()
    if (!own)
      for (const cell of cells)
        if (cell.open && !cell.own && cell.guests < this.#options.processes) return cell
    this.#assertShare(run)
    const cell = this.#takeSpare() ?? this.#fork()
    cell.own = own
    cell.run = run
    this.#byTenancy.set(key, cells.add(cell))
    this.#retireIdle(key)
    this.warm()
    return cell
  }

  /** @throws SyscallError EAGAIN when a run has half of all cells: the rest is for the others */
  #assertShare(run: string): void {
    const share = Math.ceil(this.#options.max / 2)
    const taken = this.#cells().filter((cell) => cell.run === run && cell.guests > 0).length
    if (taken >= share)
      throw new SyscallError(
        'EAGAIN',
        `this run has ${taken} cells already, half of all; children of one agent name and policy share them`,
      )
  }

  #takeSpare(): CellProcess | undefined {
    const cell = [...this.#spares].find(({ open }) => open)
    if (cell !== undefined) this.#spares.delete(cell)
    return cell
  }

  /** @throws SyscallError EAGAIN when every cell that may be is in use */
  #fork(): CellProcess {
    if (this.#count >= this.#options.max) {
      const idle = this.#cells().find((cell) => cell.guests === 0 && cell.open)
      if (idle === undefined)
        throw new SyscallError(
          'EAGAIN',
          `${this.#options.max} cells are in use already; try again when some process has ended`,
        )
      void idle.close()
    }
    return new CellProcess(this.#onDeath, this.#launch)
  }

  /** Past the limit, cells without a guest are ended, longest-standing tenancy first; never one of `tenancy`. */
  #retireIdle(tenancy: string): void {
    const idle = [...this.#byTenancy].flatMap(([key, cells]) =>
      key === tenancy ? [] : [...cells].filter((cell) => cell.guests === 0),
    )
    for (const cell of idle.slice(0, Math.max(0, idle.length - limits.cellsIdleMax))) void cell.close()
  }

  readonly #onDeath = (cell: CellProcess): void => {
    this.#spares.delete(cell)
    for (const [key, cells] of this.#byTenancy) {
      if (cells.delete(cell) && cells.size === 0) this.#byTenancy.delete(key)
    }
  }
}
