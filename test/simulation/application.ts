/** What a simulated application does to its kernel, in order or in the middle of something else. */
import { Agent, makeAgent } from '../../src/agents.ts'
import { loadPolicy, type PolicyRef } from '../../src/config/policy.ts'
import { KernelError, SyscallError } from '../../src/errors.ts'
import { EvidenceError } from '../../src/evidence/store.ts'
import type { PolicyDocument } from '../../src/policy/types.ts'
import { type SignalName, signalNames } from '../../src/proc/signals.ts'
import type { System } from '../../src/system.ts'
import type { Random } from '../support/random.ts'
import type { Checker } from './checker.ts'
import type { VirtualClock } from './clock.ts'
import { policies, unsoundPolicies } from './policies.ts'
import type { SimulatedSpace } from './space.ts'
import type { FaultyStore } from './store.ts'
import type { Tally } from './tally.ts'

export const agentNames = ['root-a', 'root-b', 'root-c', 'kid', 'kin'] as const

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

export interface ApplicationParts {
  readonly random: Random
  readonly clock: VirtualClock
  readonly system: System
  readonly checker: Checker
  readonly tally: Tally
  readonly space: SimulatedSpace
  readonly store: FaultyStore
}

export class Application {
  readonly #parts: ApplicationParts
  readonly #random: Random
  /** The shutdown has begun. */
  down = false

  constructor(parts: ApplicationParts) {
    this.#parts = parts
    this.#random = parts.random
  }

  close(): Promise<void> {
    this.down = true
    return this.#parts.system.shutdown()
  }

  spawn(): void {
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
      this.#parts.checker.holds(this.#parts.system.spawner.spawn(this.#loadedLater(agent), [1, 'x']))
    })
  }

  /** Some programs still have to be bundled when their process exists already. */
  #loadedLater(agent: Agent): Agent {
    const random = this.#random
    if (!random.chance(0.4)) return agent
    const fails = random.chance(0.2)
    const load = () =>
      new Promise<{ text: string; filename: string }>((resolve, reject) =>
        this.#parts.clock.after(random.between(1, 500), () =>
          fails
            ? reject(new KernelError('ENOENT', 'no program'))
            : resolve({ text: '1', filename: 'program.js' }),
        ),
      )
    return new Agent({ ...agent, code: { kind: 'text', load } })
  }

  signal(random: Random, pid: number): void {
    this.#expecting('signal', () => {
      const name = random.chance(0.05)
        ? random.pick(signalNames)
        : random.weighted(sent as Record<SignalName, number>)
      this.#parts.tally.saw(`the application sends ${name} to ${pid}`)
      this.#parts.system.table.find(pid).signal(name, 'by the application')
    })
  }

  reload(): void {
    const random = this.#random
    this.#expecting('reload', () => {
      const policy = random.chance(0.2) ? random.pick(unsoundPolicies) : random.pick(policies)
      this.#parts.system.reload(loadPolicy(policy as PolicyRef), 'the application')
    })
  }

  /** What a person may do with what waits, the newest first or not. */
  answer(random: Random): void {
    this.#expecting('an answer', () => {
      const { approvals } = this.#parts.system.gate
      const waiting = approvals.list()
      const request = waiting.length === 0 ? undefined : random.pick(waiting)
      const what = random.weighted({ approve: 6, deny: 2, 'approve as edited': 2, 'approve twice': 1 })
      this.#parts.tally.saw(`a person says ${what} of ${waiting.length}`)
      if (request === undefined) return
      const { id, args } = request
      if (what === 'deny') approvals.deny(id, { reason: 'no' })
      else approvals.approve(id, what === 'approve as edited' ? { args: JSON.parse(args.text) } : {})
      if (what === 'approve twice') approvals.approve(id)
    })
  }

  files(): void {
    const files = this.#parts.system.filesOf(this.#random.pick(agentNames))
    const work = this.#random.chance(0.5) ? files.write('/mem/working/a', 'host') : files.read('/policy/hash')
    work.catch((error: unknown) => this.#expected('a file act of the application', error))
  }

  look(): void {
    this.#expecting('a look', () => {
      const { log, table } = this.#parts.system
      if (log.failed === undefined && !log.verify().ok)
        this.#parts.checker.violated('the evidence does not verify')
      if (table.ended().some(({ pid }) => table.live().some((process) => process.pid === pid)))
        this.#parts.checker.violated('a process is live and ended')
    })
  }

  /** What a tool or a listener of the application may do in the middle of the kernel's work. */
  meddle(random: Random, pid: number): void {
    const target = random.chance(0.6) ? pid : random.between(1, this.#parts.checker.processes.size + 1)
    const what = random.weighted({
      signal: 10,
      answer: 2,
      spawn: 2,
      'cell dies': 1,
      reload: 1,
      shutdown: 0.2,
    })
    this.#parts.tally.fault(`meddling: ${what}`)
    if (what === 'signal') this.signal(random, target)
    else if (what === 'answer') this.answer(random)
    else if (what === 'spawn') this.spawn()
    else if (what === 'cell dies') this.#parts.space.kill(random)
    else if (what === 'reload') this.reload()
    else void this.close()
  }

  meddleInListeners(random: Random): void {
    let within = false
    // One that does not want anything to go on.
    this.#parts.system.observers.on('state', ({ pid, from }) => {
      if (within || from !== 'stopped' || !random.chance(0.4)) return
      within = true
      this.#expecting('signal', () => this.#parts.system.table.find(pid).signal('SIGSTOP', 'by a listener'))
      within = false
    })
    for (const event of ['state', 'signal', 'syscall', 'approval', 'output'] as const)
      this.#parts.system.observers.on(event, ({ pid }) => {
        if (within || !random.chance(0.03)) return
        within = true
        this.meddle(random, pid)
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
    const said = error instanceof Error ? error.message : String(error)
    // Names of requests are fresh, whatever the seed.
    this.#parts.tally.saw(`${what}: ${said.replace(/`[0-9a-f]{10}`/, 'that one')}`)
    if (error instanceof KernelError || error instanceof SyscallError) return
    if (error instanceof EvidenceError && (this.#parts.store.faults > 0 || this.down)) return
    this.#parts.checker.violated(`${what} threw at the application: ${textOf(error)}`)
  }
}

/** An error as the report of a violation shows it. */
export const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
