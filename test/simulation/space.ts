import { SyscallError } from '../../src/errors.ts'
import type { Fault, Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from '../../src/isolate/guest.ts'
import type { Random } from '../support/random.ts'
import { Cell, SimulatedGuest, type SpaceParts } from './guest.ts'

const guestsPerCell = 3

export class SimulatedSpace implements UserSpace {
  readonly #parts: SpaceParts
  readonly #cells = new Map<string, Cell[]>()
  #made = 0

  constructor(parts: SpaceParts) {
    this.#parts = parts
  }

  start(tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest {
    const { random, tally } = this.#parts
    if (random.chance(0.06)) {
      tally.fault('no cell')
      throw new SyscallError('EAGAIN', 'every cell is in use already')
    }
    this.#made += 1
    const cell = this.#cellFor(`${tenancy.agent} ${tenancy.policy}`)
    const guest = new SimulatedGuest(
      { ...this.#parts, random: random.fork(`guest ${this.#made}`), kill: (fault) => this.#die(cell, fault) },
      cell,
      spec,
      events,
    )
    cell.guests.add(guest)
    return guest
  }

  async close(): Promise<void> {
    for (const cell of this.#alive()) this.#die(cell, { code: 'ECANCELED', reason: 'the kernel shut down' })
  }

  /** Cells that have sent something. */
  get #talking(): readonly Cell[] {
    return this.#alive().filter(({ sent }) => sent.length > 0)
  }

  get talks(): boolean {
    return this.#talking.length > 0
  }

  /** The kernel receives one thing that some cell has sent. */
  receive(random: Random): void {
    random.pick(this.#talking)?.sent.shift()?.()
  }

  /** Some cell dies, with all that live in it. */
  kill(random: Random): void {
    const cells = this.#alive()
    if (cells.length > 0)
      this.#die(random.pick(cells), { code: 'EIO', reason: 'its cell ended with SIGSEGV' })
  }

  #alive(): readonly Cell[] {
    return [...this.#cells.values()].flat().filter(({ dead }) => !dead)
  }

  #cellFor(tenancy: string): Cell {
    const cells = this.#cells.get(tenancy) ?? []
    const free = cells.find(({ dead, guests }) => !dead && guests.size < guestsPerCell)
    if (free !== undefined) return free
    const cell = new Cell()
    this.#cells.set(tenancy, [...cells.filter(({ dead }) => !dead), cell])
    return cell
  }

  #die(cell: Cell, fault: Fault): void {
    if (cell.dead) return
    cell.dead = true
    cell.sent.length = 0
    if (cell.guests.size > 0 && fault.code !== 'ECANCELED') this.#parts.tally.fault('cell died')
    for (const guest of [...cell.guests]) guest.buried(fault)
    cell.guests.clear()
    // The end of one may have been followed by that of its children beside it.
    cell.sent.length = 0
  }
}
