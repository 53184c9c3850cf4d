/** Guests of processes: where each runs, what it was made of, and what its doings lead to. */
import type { Clock } from './clock.ts'
import { assert } from './errors.ts'
import type { Gate } from './gate.ts'
import { Intake } from './intake.ts'
import type { Guest, GuestEvents, GuestSpec, UserSpace } from './isolate/guest.ts'
import type { Process } from './proc/process.ts'

export interface GuestParts {
  readonly clock: Clock
  readonly gate: Gate
  readonly spaces: Readonly<Record<'cell' | 'inline', UserSpace>>
  /** Whether every process has a cell to itself. */
  readonly ownCells: boolean
  /** Is told what the kernel itself did wrong. */
  readonly defect: (error: unknown) => void
}

export class Guests {
  readonly #parts: GuestParts
  readonly #intake: Intake
  readonly #specs = new WeakMap<Process, GuestSpec>()

  constructor(parts: GuestParts) {
    this.#parts = parts
    this.#intake = new Intake(parts.clock)
  }

  /** What guests of a process are made of, the first and any that takes its place. */
  keep(process: Process, spec: GuestSpec): void {
    this.#specs.set(process, spec)
  }

  /** Whether a process has its cell to itself. */
  ownsCell(process: Process): boolean {
    return this.#parts.ownCells || process.policy.cell === 'own'
  }

  /**
   * Starts a guest of a process whose program is known.
   * @param own whether it has a cell to itself
   * @throws SyscallError EAGAIN where there is no cell for it
   */
  start(process: Process, events: GuestEvents, own: boolean): Guest {
    const spec = this.#specs.get(process)
    assert(spec !== undefined, 'a guest without a program')
    const tenancy = {
      agent: process.name,
      policy: process.policy.hash,
      own: own || this.ownsCell(process),
      run: process.identity.run,
    }
    const space = this.#parts.spaces[process.identity.isolation === 'inline' ? 'inline' : 'cell']
    const taken = this.#guarded(process, events)
    return space.start(tenancy, spec, this.#guarded(process, this.#intake.in(taken)))
  }

  /** What a guest's doings lead to. */
  events(process: Process): GuestEvents {
    const { gate } = this.#parts
    return {
      call: (number, name, text) => gate.call(process, number, name, text),
      turn: (usage) => process.turnOver(usage),
      fault: (fault) => process.fault(fault),
    }
  }

  /** What the kernel does wrong is no fault of the place where the guest runs: it ends this process, and no other. */
  #guarded(process: Process, events: GuestEvents): GuestEvents {
    const failed = (error: unknown): void => {
      this.#parts.defect(error)
      const message = 'the kernel failed while it served this process; the application has the details'
      if (!process.over) process.end({ status: 'failed', reason: message, error: { code: 'EIO', message } })
    }
    const guard =
      <Args extends readonly unknown[]>(take: (...args: Args) => void) =>
      (...args: Args): void => {
        try {
          take(...args)
        } catch (error) {
          failed(error)
        }
      }
    return { call: guard(events.call), turn: guard(events.turn), fault: guard(events.fault) }
  }
}
