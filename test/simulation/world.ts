/** One simulated life of a whole kernel: everything in it comes from a seed, and is checked after every step. */
import { Agent, makeAgent } from '../../src/agents.ts'
import { loadPolicy, type PolicyRef } from '../../src/config/policy.ts'
import { KernelError, SyscallError } from '../../src/errors.ts'
import { EvidenceError } from '../../src/evidence/store.ts'
import { limits } from '../../src/limits.ts'
import type { PolicyDocument } from '../../src/policy/types.ts'
import { type SignalName, signalNames } from '../../src/proc/signals.ts'
import { System } from '../../src/system.ts'
import { Random } from '../support/random.ts'
import { Checker } from './checker.ts'
import { VirtualClock } from './clock.ts'
import { watchInvocations } from './invocations.ts'
import { permits, policies, unsoundPolicies } from './policies.ts'
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
  readonly faults: ReadonlyMap<string, number>
  readonly violations: readonly string[]
  readonly lately: readonly string[]
  /** The same for the same seed. */
  readonly fingerprint: string
}

const agentNames = ['root-a', 'root-b', 'root-c', 'kid', 'kin'] as const
const rootsMax = 8
/** Signals that a person or the application may send, and how often. */
const sent: Readonly<Partial<Record<SignalName, number>>> = {
  SIGSTOP: 8,
  SIGCONT: 10,
  SIGKILL: 2,
  SIGTERM: 2,
  SIGINT: 1,
  SIGUSR1: 2,
  SIGTRUST: 1,
}

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
  readonly #seed: number
  readonly #meddling: boolean
  readonly #syncMs: number
  #nonce = 1_000
  #down = false

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
    if (this.#meddling) this.#meddleInListeners(random.fork('listeners'))
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
      while (this.#tally.steps < steps && this.#sound && !this.#down) await this.#step(() => this.#act())
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
          meddle: (pid) => this.#meddle(this.#random, pid),
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
      reload: 0.3,
      files: 1,
      look: 0.5,
      'cell dies': 0.15,
    })
    if (what === 'receive') this.#space.receive(random)
    else if (what === 'time') this.#clock.fire()
    else if (what === 'pass') this.#clock.pass(random.between(0, 300))
    else if (what === 'spawn') this.#spawn()
    else if (what === 'signal') this.#signal(random, random.between(1, this.#checker.processes.size + 1))
    else if (what === 'reload') this.#reload()
    else if (what === 'files') this.#files()
    else if (what === 'look') this.#look()
    else this.#space.kill(random)
  }

  #spawn(): void {
    const random = this.#random
    this.#expecting('spawn', () => {
      const options = {
        name: random.pick(agentNames),
        ...(random.chance(0.2) && { policy: random.pick(policies) as PolicyDocument }),
        ...(random.chance(0.3) && {
          budget: random.pick([{ syscalls: 12 }, { wall: '2s' }, { cpu: '50ms' }, { depth: 0 }]),
        }),
      }
      const agent = makeAgent({ source: 'export default 1' }, options, 'cell')
      this.#checker.holds(this.#system.spawner.spawn(this.#loadedLater(agent), [1, 'x']))
    })
  }

  /** Some programs still have to be bundled when their process exists already. */
  #loadedLater(agent: Agent): Agent {
    const random = this.#random
    if (!random.chance(0.25)) return agent
    const fails = random.chance(0.2)
    const load = () =>
      new Promise<{ text: string; filename: string }>((resolve, reject) =>
        this.#clock.after(random.between(1, 500), () =>
          fails
            ? reject(new KernelError('ENOENT', 'no program'))
            : resolve({ text: '1', filename: 'program.js' }),
        ),
      )
    return new Agent({ ...agent, code: { kind: 'text', load } })
  }

  #signal(random: Random, pid: number): void {
    this.#expecting('signal', () => {
      const name = random.chance(0.05)
        ? random.pick(signalNames)
        : random.weighted(sent as Record<SignalName, number>)
      this.#tally.saw(`the application sends ${name} to ${pid}`)
      this.#system.table.find(pid).signal(name, 'by the application')
    })
  }

  #reload(): void {
    const random = this.#random
    this.#expecting('reload', () => {
      const policy = random.chance(0.2) ? random.pick(unsoundPolicies) : random.pick(policies)
      this.#system.reload(loadPolicy(policy as PolicyRef))
    })
  }

  #files(): void {
    const files = this.#system.filesOf(this.#random.pick(agentNames))
    const work = this.#random.chance(0.5) ? files.write('/mem/working/a', 'host') : files.read('/policy/hash')
    work.catch((error: unknown) => this.#expected('a file act of the application', error))
  }

  #look(): void {
    this.#expecting('a look', () => {
      const { log, table } = this.#system
      if (log.failed === undefined && !log.verify().ok) this.#checker.violated('the evidence does not verify')
      if (table.ended().some(({ pid }) => table.live().some((process) => process.pid === pid)))
        this.#checker.violated('a process is live and ended')
    })
  }

  /** What a tool or a listener of the application may do in the middle of the kernel's work. */
  #meddle(random: Random, pid: number): void {
    const target = random.chance(0.6) ? pid : random.between(1, this.#checker.processes.size + 1)
    const what = random.weighted({ signal: 10, spawn: 2, 'cell dies': 1, reload: 1, shutdown: 0.2 })
    this.#tally.fault(`meddling: ${what}`)
    if (what === 'signal') this.#signal(random, target)
    else if (what === 'spawn') this.#spawn()
    else if (what === 'cell dies') this.#space.kill(random)
    else if (what === 'reload') this.#reload()
    else void this.#close()
  }

  #meddleInListeners(random: Random): void {
    let within = false
    for (const event of ['state', 'signal', 'syscall', 'output'] as const)
      this.#system.observers.on(event, ({ pid }) => {
        if (within || !random.chance(0.03)) return
        within = true
        this.#meddle(random, pid)
        within = false
      })
  }

  #expecting(what: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#expected(what, error)
    }
  }

  /** The application may be told no, in the kernel's own words. */
  #expected(what: string, error: unknown): void {
    this.#tally.saw(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    if (error instanceof KernelError || error instanceof SyscallError) return
    if (error instanceof EvidenceError && (this.#store.faults > 0 || this.#down)) return
    this.#checker.violated(`${what} threw at the application: ${textOf(error)}`)
  }

  #close(): Promise<void> {
    this.#down = true
    return this.#system.shutdown()
  }

  async #shutDown(): Promise<void> {
    if (!this.#sound) return
    const began = this.#clock.monotonic()
    const until = began + limits.drainMs + limits.handlerMs + limits.cellGraceMs + 2 * this.#syncMs
    let over = false
    this.#tally.saw('shutdown')
    await this.#step(() => {
      this.#close().then(
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
      this.#signal(this.#random, this.#random.between(1, this.#checker.processes.size))
    else if (what === 'spawn') this.#spawn()
    else if (what === 'files') this.#files()
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
      faults,
      violations: this.#checker.violations,
      lately: this.#tally.lately(),
      fingerprint: this.#tally.fingerprint(),
    }
  }
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
