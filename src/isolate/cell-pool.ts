/** Cells, forked ahead and shared only by processes of one agent under one policy. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import { CellProcess } from './cell-process.ts'
import type { Guest, GuestEvents, GuestSpec, UserSpace } from './guest.ts'

export class CellPool implements UserSpace {
  readonly #byTenancy = new Map<string, Set<CellProcess>>()
  #spare: CellProcess | undefined
  #closed = false

  /** Forks the first cell, so that the first process does not wait for it. */
  warm(): void {
    if (!this.#closed) this.#spare ??= new CellProcess(this.#onDeath)
  }

  start(tenancy: string, spec: GuestSpec, events: GuestEvents): Guest {
    return this.#cellFor(tenancy).start(spec, events)
  }

  /** Kills every cell and waits until each is gone. */
  async close(): Promise<void> {
    this.#closed = true
    const cells = [...this.#byTenancy.values()].flatMap((cells) => [...cells])
    if (this.#spare !== undefined) cells.push(this.#spare)
    await Promise.all(cells.map((cell) => cell.close()))
  }

  #cellFor(tenancy: string): CellProcess {
    const cells = this.#byTenancy.get(tenancy) ?? new Set()
    for (const cell of cells) if (!cell.dead && cell.guests < limits.processesPerCell) return cell
    this.#assertRoom()
    const spare = this.#spare?.dead ? undefined : this.#spare
    const cell = spare ?? new CellProcess(this.#onDeath)
    this.#spare = undefined
    this.#byTenancy.set(tenancy, cells.add(cell))
    this.#retireIdle(tenancy)
    this.warm()
    return cell
  }

  /** @throws SyscallError EAGAIN when every cell that may be is in use */
  #assertRoom(): void {
    const cells = [...this.#byTenancy.values()].flatMap((each) => [...each])
    if (cells.length < limits.cellsMax) return
    const idle = cells.find((cell) => cell.guests === 0 && !cell.dead)
    if (idle === undefined)
      throw new SyscallError(
        'EAGAIN',
        `${limits.cellsMax} cells are in use already; try again when some process has ended`,
      )
    void idle.close()
  }

  /** Past the limit, cells without a guest are ended, longest-standing tenancy first; never one of `tenancy`. */
  #retireIdle(tenancy: string): void {
    const idle = [...this.#byTenancy].flatMap(([key, cells]) =>
      key === tenancy ? [] : [...cells].filter((cell) => cell.guests === 0),
    )
    for (const cell of idle.slice(0, Math.max(0, idle.length - limits.cellsIdleMax))) void cell.close()
  }

  readonly #onDeath = (cell: CellProcess): void => {
    if (this.#spare === cell) this.#spare = undefined
    for (const [key, cells] of this.#byTenancy) {
      if (cells.delete(cell) && cells.size === 0) this.#byTenancy.delete(key)
    }
  }
}
