/** One simulated life of a whole kernel: everything in it comes from a seed, and is checked after every step. */
import { limits } from '../../src/limits.ts'
import { System } from '../../src/system.ts'
import { Random } from '../support/random.ts'
import { Application, agentNames, textOf } from './application.ts'
import { Checker } from './checker.ts'
import { VirtualClock } from './clock.ts'
import { watchInvocations } from './invocations.ts'
import { permits, policies } from './policies.ts'
import { SimulatedSpace } from './space.ts'
import { FaultyStore } from './store.ts'
import { Tally } from './tally.ts'
import { makeTools } from './tools.ts'

/** How a simulated life went. */
export interface Outcome {
  readonly seed: number
  readonly steps: number
  readonly processes: number
  readonly entries: number
  /** Effects outside the kernel that happened. */
  readonly effects: number
  /** Calls that were made because a person approved them. */
  readonly approvals: number
  readonly faults: ReadonlyMap<string, number>
  readonly violations: readonly string[]
  readonly lately: readonly string[]
  /** The same for the same seed. */
  readonly fingerprint: string
}

const rootsMax = 8
/** Lets everything run that the last step has made ready. */
async function settle(): Promise<void> {
  for (let round = 0; round < 2; round += 1) await new Promise((resolve) => setImmediate(resolve))
}

export class World {
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #kernelClock = this.#clock.lent()
  readonly #tally: Tally
  readonly #checker: Checker
  readonly #store: FaultyStore
  readonly #space: SimulatedSpace
  readonly #system: System
  readonly #application: Application
  readonly #seed: number
  readonly #meddling: boolean
  readonly #syncMs: number
  #nonce = 1_000

  /** @param print whether each step is printed */
  constructor(seed: number, print = false) {
    this.#seed = seed
    this.#random = new Random(`simulation ${seed}`)
    this.#tally = new Tally(print)
    const random = this.#random
    const clock = this.#clock
    const disk = random.chance(0.4)
    this.#meddling = random.chance(0.3)
    this.#checker = new Checker({ clock, tally: this.#tally, disk, permits })
    const faults = {
      failingCommit: random.chance(0.15) ? random.between(1, 120) : undefined,
      heals: random.chance(0.5),
      failingSync: random.chance(0.08) ? random.between(0, 30) : undefined,
      syncMs: random.pick([0, 5, 200, 9_000]),
    }
    this.#syncMs = faults.syncMs
    this.#store = new FaultyStore(faults, random.fork('store'), clock, (entry) => this.#checker.entry(entry))
    this.#space = new SimulatedSpace({
      random: random.fork('space'),
      clock,
      checker: this.#checker,
      tally: this.#tally,
      around: () => ({ lastPid: this.#checker.processes.size, agents: agentNames, nonce: ++this.#nonce }),
    })
    this.#system = this.#boot(disk)
    this.#checker.watch(this.#system, this.#store)
    this.#application = new Application({
      random,
      clock,
      system: this.#system,
      checker: this.#checker,
      tally: this.#tally,
      space: this.#space,
      store: this.#store,
    })
    if (this.#meddling) this.#application.meddleInListeners(random.fork('listeners'))
  }

  /** Lives until the kernel has shut down, or a promise is broken. */
  async run(stepsMax: number): Promise<Outcome> {
    const unwatch = watchInvocations((process, name, number, external) =>
      this.#checker.invoked(process, name, number, external),
    )
    const stray = (error: unknown): void => this.#checker.violated(`a stray rejection: ${textOf(error)}`)
    process.on('unhandledRejection', stray)
    try {
      const steps = this.#random.between(20, stepsMax)
      while (this.#tally.steps < steps && this.#sound && !this.#application.down)
        await this.#step(() => this.#act())
      await this.#shutDown()
    } catch (error) {
      this.#checker.violated(`the kernel threw at the application: ${textOf(error)}`)
    } finally {
      process.off('unhandledRejection', stray)
      unwatch()
    }
    return this.#outcome()
  }

  get #sound(): boolean {
    return this.#checker.violations.length === 0
  }

  #boot(disk: boolean): System {
    const random = this.#random
    return new System(
      {
        policy: random.pick(policies),
        // The store given beside it is used, and no such folder is made.
        evidence: disk ? { dir: 'simulated-evidence', durability: 'disk' } : 'memory',
        seed: this.#seed,
        tools: makeTools({
          random: random.fork('tools'),
          clock: this.#clock,
          called: (tool, nonce) => this.#checker.toolCalled(tool, nonce),
          meddle: (pid) => this.#application.meddle(this.#random, pid),
        }),
        ...(random.chance(0.3) && { limits: { syscalls: random.between(5, 200) } }),
      },
      (name) => name === 'root-a' || name === 'root-b',
      { clock: this.#kernelClock, space: this.#space, store: this.#store },
    )
  }

  async #step(act: () => void): Promise<void> {
    this.#tally.steps += 1
    act()
    await settle()
    this.#checker.stepped()
  }

  #act(): void {
    const random = this.#random
    const what = random.weighted({
      receive: this.#space.talks ? 60 : 0,
      time: this.#space.talks ? 3 : 14,
      pass: 4,
      spawn: this.#system.table.live().length < rootsMax ? 5 : 1,
      signal: 4,
      answer: this.#system.gate.approvals.list().length > 0 ? 8 : 0,
      reload: 0.3,
      files: 1,
      look: 0.5,
      'cell dies': 0.15,
    })
    if (what === 'receive') this.#space.receive(random)
    else if (what === 'time') this.#clock.fire()
    else if (what === 'pass') this.#clock.pass(random.between(0, 300))
    else if (what === 'spawn') this.#application.spawn()
    else if (what === 'signal')
      this.#application.signal(random, random.between(1, this.#checker.processes.size + 1))
    else if (what === 'answer') this.#application.answer(random)
    else if (what === 'reload') this.#application.reload()
    else if (what === 'files') this.#application.files()
    else if (what === 'look') this.#application.look()
    else this.#space.kill(random)
  }

  async #shutDown(): Promise<void> {
    if (!this.#sound) return
    const began = this.#clock.monotonic()
    const until = began + limits.drainMs + limits.handlerMs + limits.cellGraceMs + 2 * this.#syncMs
    let over = false
    this.#tally.saw('shutdown')
    await this.#step(() => {
      this.#application.close().then(
        () => {
          over = true
        },
        (error: unknown) => this.#checker.violated(`the shutdown failed: ${textOf(error)}`),
      )
    })
    while (!over && this.#sound) {
      await this.#step(() => this.#wait())
      if (this.#clock.monotonic() > until) this.#checker.violated('the shutdown does not end')
    }
    if (this.#sound) this.#checker.finished(this.#kernelClock.waiting)
    // What still runs outside the kernel comes to its end, and must not matter any more.
    for (let rest = 0; rest < 200 && this.#clock.waiting > 0 && this.#sound; rest += 1)
      await this.#step(() => void this.#clock.fire())
    await settle()
  }

  /** While it shuts down, cells go on talking and the application goes on sending. */
  #wait(): void {
    const what = this.#random.weighted({
      receive: this.#space.talks ? 6 : 0,
      time: 3,
      signal: 1,
      spawn: 0.3,
      files: 0.3,
    })
    if (what === 'receive') this.#space.receive(this.#random)
    else if (what === 'signal')
      this.#application.signal(this.#random, this.#random.between(1, this.#checker.processes.size))
    else if (what === 'spawn') this.#application.spawn()
    else if (what === 'files') this.#application.files()
    else if (!this.#clock.fire()) this.#clock.pass(100)
  }

  /** Processes that the kernel, though it is down, still holds; only where the garbage has been collected is that a leak. */
  get remains(): number {
    return this.#checker.seen.filter((process) => process.deref() !== undefined).length
  }

  #outcome(): Outcome {
    const faults = new Map(this.#tally.faults)
    if (this.#store.faults > 0) faults.set('the store failed', this.#store.faults)
    return {
      seed: this.#seed,
      steps: this.#tally.steps,
      processes: this.#checker.processes.size,
      entries: this.#store.written,
      effects: this.#checker.effects,
      approvals: this.#checker.approvals,
      faults,
      violations: this.#checker.violations,
      lately: this.#tally.lately(),
      fingerprint: this.#tally.fingerprint(),
    }
  }
}
