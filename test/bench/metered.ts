/** A kernel whose guests are timed where it meets user space: what it asked of one, and when that was so. */
import { type Agent, makeAgent } from '../../src/agents.ts'
import type { KernelOptions } from '../../src/config/options.ts'
import { CellPool, type PoolOptions } from '../../src/isolate/cell-pool.ts'
import type { Frozen, Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from '../../src/isolate/guest.ts'
import { InlineSpace } from '../../src/isolate/inline.ts'
import type { PolicyDocument } from '../../src/policy/types.ts'
import type { Process } from '../../src/proc/process.ts'
import { System } from '../../src/system.ts'

export type Place = 'cell' | 'inline'

/** Everything, to all of it. */
export const everything: PolicyDocument = {
  version: 1,
  name: 'bench',
  rules: [{ id: 'all', effect: 'permit', action: '*' }],
}

/** What is known of one guest; times are those of performance.now(). */
export class Meter {
  readonly agent: string
  /** How it was proved that it stands still, the last time. */
  frozen: Frozen | undefined
  /** Resolves with when its cell confirmed that it goes on. */
  thawed: Promise<number> = Promise.resolve(0)
  /** Resolves with when none of its code runs any more. */
  ended: Promise<number> = Promise.resolve(0)
  /** From the delivery that woke it to a call, until the turn with the answer was over. */
  readonly callMs: number[] = []
  calls = 0
  #deliveredAt = 0
  #calledSince: number | undefined
  #answering = false

  constructor(agent: string) {
    this.agent = agent
  }

  delivered(): void {
    this.#deliveredAt = performance.now()
    this.#answering = this.#calledSince !== undefined
  }

  called(name: string): void {
    this.calls += 1
    if (name === 'fs.list') this.#calledSince = this.#deliveredAt
  }

  turned(): void {
    if (!this.#answering || this.#calledSince === undefined) return
    this.callMs.push(performance.now() - this.#calledSince)
    this.#calledSince = undefined
    this.#answering = false
  }
}

class MeteredSpace implements UserSpace {
  /** Of each run of one process, by the name of the run. */
  readonly meters = new Map<string, Meter>()
  readonly #space: UserSpace

  constructor(space: UserSpace) {
    this.#space = space
  }

  start(tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest {
    const meter = new Meter(tenancy.agent)
    this.meters.set(tenancy.run, meter)
    const guest = this.#space.start(tenancy, spec, {
      call: (number, name, text) => {
        meter.called(name)
        events.call(number, name, text)
      },
      turn: (usage) => {
        meter.turned()
        events.turn(usage)
      },
      fault: (fault) => events.fault(fault),
    })
    return {
      deliver: (time, batch, limit) => {
        meter.delivered()
        guest.deliver(time, batch, limit)
      },
      freeze: async () => {
        meter.frozen = await guest.freeze()
        return meter.frozen
      },
      thaw: () => {
        const done = guest.thaw()
        meter.thawed = done.then(() => performance.now())
        return done
      },
      end: () => {
        const done = guest.end()
        meter.ended = done.then(() => performance.now())
        return done
      },
    }
  }

  close(): Promise<void> {
    return this.#space.close()
  }
}

export interface Spawned {
  readonly process: Process
  meter(): Meter
}

/** The kernel's own parts in the same wiring, with meters at its guests. */
export class MeteredKernel {
  readonly system: System
  readonly #space: MeteredSpace
  readonly #place: Place
  /** Resolves when a process prints for the first time, by pid. */
  readonly #firstWords = new Map<number, () => void>()

  constructor(place: Place, options: KernelOptions = {}, cells: PoolOptions = {}) {
    const pool = place === 'cell' ? new CellPool(cells) : undefined
    pool?.warm()
    this.#place = place
    this.#space = new MeteredSpace(pool ?? new InlineSpace())
    this.system = new System({ policy: everything, isolation: place, ...options }, () => false, {
      space: this.#space,
    })
    this.system.observers.on('output', ({ pid }) => this.#firstWords.get(pid)?.())
  }

  /** @param name of the agent; processes of one name share cells */
  spawn(name: string, source: string, args: readonly (string | number)[] = []): Spawned {
    const agent: Agent = makeAgent({ source }, { name }, this.#place)
    const process = this.system.spawner.spawn(agent, args)
    const meter = (): Meter => {
      const found = this.#space.meters.get(process.identity.run)
      if (found === undefined) throw new Error(`\`${name}\` has no guest`)
      return found
    }
    return { process, meter }
  }

  /** Resolves when the process has printed something. */
  async begun({ process }: Spawned): Promise<void> {
    const spoke = new Promise<void>((resolve) => this.#firstWords.set(process.pid, resolve))
    const ended = process.exit.then(({ reason }) => {
      throw new Error(`\`${process.name}\` ended before it was measured: ${reason}`)
    })
    await Promise.race([spoke, ended]).finally(() => this.#firstWords.delete(process.pid))
    ended.catch(() => {})
  }

  /** Forgets the meters of processes that are over. */
  forget({ process }: Spawned): void {
    this.#space.meters.delete(process.identity.run)
  }

  close(): Promise<void> {
    return this.system.shutdown()
  }
}
