/** Makes processes: joins what limits them, puts their start on record, and hands their program to an isolate. */
import type { Agent } from './agents.ts'
import {
  allowance,
  assertDepth,
  assertFewLabels,
  assertStrongEnough,
  type PastProcess,
  pastLedger,
} from './allowance.ts'
import type { Chance } from './clock.ts'
import { documentsText, narrow } from './config/policy.ts'
import type { ProgramText } from './config/program.ts'
import { KernelError } from './errors.ts'
import type { SpawnBody } from './evidence/beginnings.ts'
import type { PayloadRef } from './evidence/entry.ts'
import type { EvidenceLog } from './evidence/log.ts'
import type { SharedPayloads } from './evidence/shared-payloads.ts'
import { EvidenceError } from './evidence/store.ts'
import type { Runs } from './gate/runs.ts'
import { type GuestParts, Guests } from './guests.ts'
import { fixedZone } from './isolate/bootstrap-text.ts'
import type { GuestSpec } from './isolate/guest.ts'
import { hasGuestZone } from './isolate/host-zone.ts'
import type { Json } from './json.ts'
import { joinLabels, noLabels } from './labels.ts'
import { limits } from './limits.ts'
import { authorsTrace } from './places.ts'
import { leastBudget } from './policy/budget.ts'
import { type Budget, type Isolation, isolations, type PolicySet } from './policy/types.ts'
import type { ExitError } from './proc/exit.ts'
import { Process, type Supervisor } from './proc/process.ts'
import type { ProcessTable } from './proc/table.ts'
import { recordUnder } from './reload.ts'
import { doors } from './syscalls.ts'
import { endUnstarted } from './unstarted.ts'

export interface SpawnerParts extends GuestParts {
  readonly table: ProcessTable
  readonly log: EvidenceLog
  /** Of that log. */
  readonly shared: SharedPayloads
  readonly chance: Chance
  readonly runs: Runs
  readonly supervisor: Supervisor
  /** The kernel's policy now: the ceiling of all. */
  readonly ceiling: () => PolicySet
  readonly isolation: Isolation
  readonly budget: Budget
  readonly evidenceBytesMax: number
}

export class Spawner {
  readonly #parts: SpawnerParts
  readonly guests: Guests
  /** What an agent adds to the kernel's policy, kept for a reload. */
  readonly #programs = new WeakMap<Process, ProgramText>()
  readonly #unstarted = new WeakMap<Process, () => void>()
  #closed = false
  readonly #own = new WeakMap<Process, PolicySet>()

  constructor(parts: SpawnerParts) {
    this.#parts = parts
    this.guests = new Guests(parts)
  }

  /**
   * @param args the program's arguments
   * @param parent whose policy and budget it has too
   * @returns the process; its program may still have to be bundled
   * @throws KernelError EPERM where the policy does not accept its isolation, EDQUOT past the depth, EAGAIN when the table is full
   */
  spawn(agent: Agent, args: readonly Json[], parent?: Process, how?: 'sealed'): Process {
    if (this.#closed) throw new KernelError('ECANCELED', 'the kernel has shut down; nothing starts any more')
    const { table, ceiling, clock, supervisor, chance, evidenceBytesMax } = this.#parts
    const inherited = parent === undefined ? ceiling() : parent.policy
    const policy = agent.policy === undefined ? inherited : narrow(inherited, agent.policy)
    // What the policy of a child asks, a guest wrote.
    if (parent === undefined) this.#parts.runs.prepare(policy.needs)
    const isolation =
      parent?.identity.isolation ??
      agent.isolation ??
      (agent.code.kind === 'host' ? 'host' : this.#parts.isolation)
    assertStrongEnough(agent, isolation, policy)
    assertDepth(policy, parent)
    if (parent !== undefined) table.assertRoomIn(parent.identity.run)
    const inheritedBudget = parent?.ledger.budget ?? this.#parts.budget
    const budget = leastBudget([inheritedBudget, policy.budget, agent.budget])
    const labels = joinLabels(parent?.labels ?? noLabels, agent.labels)
    assertFewLabels(agent, labels)
    const process = new Process(
      {
        pid: table.nextPid(),
        ppid: parent?.pid ?? 0,
        run: parent?.identity.run ?? chance.identifier(),
        name: agent.name,
        isolation,
        ...(how === 'sealed' && { sealed: true }),
      },
      {
        policy,
        labels,
        parent,
        clock,
        supervisor,
        ...allowance(budget, agent, parent, how, evidenceBytesMax),
      },
    )
    this.#keepOwn(process, [parent && this.#own.get(parent), agent.policy])
    table.add(process)
    if (parent === undefined) this.#parts.runs.begin(process, args)
    if (how === 'sealed') this.#parts.runs.extraction(process)
    if (agent.code.kind === 'text') this.#load(process, agent.code.load, args)
    return process
  }

  /**
   * A process that is on record comes back; its guest is still to be raised, and nothing is put on record.
   * @param past what is on record about it: it can only narrow what this kernel gives
   * @throws KernelError EPERM where the policy does not accept its isolation, EINVAL where policies cannot be joined
   */
  restore(past: PastProcess, parent: Process | undefined): Process {
    const { ceiling, runs } = this.#parts
    const inherited = parent?.policy ?? ceiling()
    const policy = past.own === undefined ? inherited : narrow(inherited, past.own)
    if (parent === undefined) runs.prepare(policy.needs)
    const least = parent?.identity.isolation ?? this.#parts.isolation
    const isolation = isolations.find((each) => each === least || each === past.identity.isolation) ?? 'cell'
    assertStrongEnough(past.identity, isolation, policy)
    const ledger = pastLedger(past, policy, parent, this.#parts.budget)
    const process = new Process(
      { ...past.identity, isolation },
      { ...this.#parts, ...past, policy, ledger, parent },
    )
    this.#keepOwn(process, [parent && this.#own.get(parent), past.own])
    if (parent === undefined) runs.begin(process, past.args)
    if (past.identity.sealed) runs.extraction(process)
    return process
  }

  /** What a process that came back is to run. */
  adopt(process: Process, program: ProgramText, spec: Omit<GuestSpec, 'limit' | 'heapBytes'>): void {
    this.#programs.set(process, program)
    const heapBytes = process.ledger.budget.memoryBytes ?? limits.heapBytes
    this.guests.keep(process, { ...spec, heapBytes, limit: process.turnLimit })
  }

  /** Starts a program that was ready while its process was stopped. */
  resume(process: Process): void {
    const start = this.#unstarted.get(process)
    this.#unstarted.delete(process)
    try {
      start?.()
    } catch (error) {
      endUnstarted(process, error)
    }
  }

  /** Nothing starts after this. */
  close(): void {
    this.#closed = true
  }

  /**
   * @param ceiling what the kernel's policy is to be
   * @returns what the process would be under, with what it has beside that; undefined where they cannot be joined
   */
  under(process: Process, ceiling: PolicySet): PolicySet | undefined {
    const own = this.#own.get(process)
    try {
      return own === undefined ? ceiling : narrow(ceiling, own)
    } catch (error) {
      if (error instanceof KernelError) return undefined
      throw error
    }
  }

  /** The start of a process on record; a host function has no program that could be kept. */
  record(
    process: Process,
    args: PayloadRef | undefined,
    program?: Required<Pick<SpawnBody, 'program' | 'filename' | 'boot'>> & Pick<SpawnBody, 'map'>,
    beside: Pick<SpawnBody, 'fork' | 'framework'> = {},
  ): void {
    const { pid, ppid, run, name, isolation } = process.identity
    const { labels, policy } = process
    const { shared, table } = this.#parts
    const { seq } = this.#parts.log.append({
      kind: 'spawn',
      ...{ run, pid, ppid, agent: name, isolation, labels, policy: policy.hash },
      documents: shared.of(documentsText(policy.policies)),
      budget: { ...process.ledger.budget },
      ...(process.identity.sealed && { extraction: true as const }),
      ...(isolation === 'cell' && { cell: this.guests.ownsCell(process) ? 'own' : 'shared' }),
      ...(args !== undefined && { args }),
      ...program,
      ...beside,
    } satisfies SpawnBody)
    if (process.parent !== undefined || beside.fork !== undefined) return
    const policies = shared.of(documentsText(this.#parts.ceiling().policies)).hash
    table.beginnings.set(process, { seq, policies })
  }

  /** What a process is under from now on, on record. @param before hash of what it was under */
  recordPolicy(process: Process, before: string | undefined): void {
    recordUnder(this.#parts.log, this.#parts.shared, process, process.policy, before)
  }

  /**
   * The start of a process that goes on from one of another run.
   * @param past the start of that one
   * @param program in place of its own
   */
  recordFork(
    process: Process,
    past: Partial<Pick<SpawnBody, 'args' | 'program' | 'filename' | 'map' | 'boot'>>,
    fork: NonNullable<SpawnBody['fork']>,
    program?: ProgramText,
  ): void {
    const { args, boot } = past
    const own = program === undefined ? past : this.#recorded(program)
    const { program: text, filename, map } = own
    if (text === undefined || filename === undefined || boot === undefined)
      throw new EvidenceError('EIO', `the program of process ${process.pid} is not on record`)
    this.record(process, args, { program: text, filename, ...(map !== undefined && { map }), boot }, { fork })
  }

  #recorded(
    program: ProgramText,
  ): Required<Pick<SpawnBody, 'program' | 'filename'>> & Pick<SpawnBody, 'map'> {
    const { shared } = this.#parts
    const { text, filename, map } = program
    return { program: shared.of(text), filename, ...(map !== undefined && { map: shared.of(map) }) }
  }

  #keepOwn(process: Process, sets: readonly (PolicySet | undefined)[]): void {
    const [first, second] = sets.filter((set) => set !== undefined)
    if (first !== undefined) this.#own.set(process, second === undefined ? first : narrow(first, second))
  }

  #load(process: Process, load: () => ProgramText | Promise<ProgramText>, args: readonly Json[]): void {
    try {
      const loaded = load()
      if (!(loaded instanceof Promise)) return this.#start(process, loaded, args)
      loaded
        .then((program) => this.#start(process, program, args))
        .catch((error: unknown) => endUnstarted(process, error))
    } catch (error) {
      endUnstarted(process, error)
    }
  }

  /** An agent's own error with the author's files and lines; for the application, not for user space. */
  traced(process: Process, error: ExitError | undefined): { error?: ExitError } {
    const program = this.#programs.get(process)
    if (error?.stack === undefined || program === undefined) return {}
    return { error: { ...error, stack: authorsTrace(program, error.stack) } }
  }

  /** What a process runs, once that is known; undefined for a function of the application. */
  programOf(process: Process): ProgramText | undefined {
    return this.#programs.get(process)
  }

  #start(process: Process, program: ProgramText, args: readonly Json[]): void {
    if (process.over) return
    if (process.held) {
      this.#unstarted.set(process, () => this.#start(process, program, args))
      return
    }
    this.#programs.set(process, program)
    const { clock, chance, log } = this.#parts
    const zone = process.identity.isolation === 'inline' && !hasGuestZone() ? { zone: fixedZone } : {}
    const boot = JSON.stringify({ time: clock.now(), seed: chance.seed(), doors, ...zone })
    const argsText = JSON.stringify(args)
    const before = log.written
    this.record(process, log.payload(argsText), { ...this.#recorded(program), boot: log.payload(boot) })
    process.recorded(log.written - before)
    const { memoryBytes } = process.ledger.budget
    const spec: GuestSpec = {
      program: program.text,
      filename: program.filename,
      args: argsText,
      boot,
      heapBytes: memoryBytes ?? limits.heapBytes,
      limit: process.turnLimit,
    }
    this.guests.keep(process, spec)
    process.begin(this.guests.start(process, this.guests.events(process), false))
  }
}
