/** How the kernel's parts are wired; written out once, here. */
import { Children } from './children.ts'
import { type Chance, type Clock, makeChance, systemClock } from './clock.ts'
import { type KernelOptions, readBudget } from './config/options.ts'
import { documentsText, loadPolicy, policyFiles } from './config/policy.ts'
import { IpcDriver } from './drivers/ipc.ts'
import { ToolDriver } from './drivers/tool.ts'
import { Hidden } from './drivers/vfs/hidden.ts'
import { openMounts } from './drivers/vfs/layout.ts'
import type { Tree } from './drivers/vfs/tree.ts'
import { exitBody, recordOpening, unrecorded } from './ends-record.ts'
import type { EvidenceLog } from './evidence/log.ts'
import { SharedPayloads } from './evidence/shared-payloads.ts'
import { EvidenceError } from './evidence/store.ts'
import { Runs } from './gate/runs.ts'
import { Gate } from './gate.ts'
import { folderOf, type Ground, openKeys, openLog, processBytesMax } from './ground.ts'
import type { SessionParts } from './host/session.ts'
import { HostFiles } from './host-files.ts'
import { CellPool } from './isolate/cell-pool.ts'
import type { Fault, UserSpace } from './isolate/guest.ts'
import { InlineSpace } from './isolate/inline.ts'
import { limits } from './limits.ts'
import { Observers } from './observers.ts'
import { assertToolsFit, fitting } from './policy/tools.ts'
import type { Budget, PolicySet } from './policy/types.ts'
import type { Exit, ProcessState } from './proc/exit.ts'
import type { Process, Supervisor } from './proc/process.ts'
import type { SignalName } from './proc/signals.ts'
import { ProcessTable } from './proc/table.ts'
import type { Delivery } from './proc/turns.ts'
import { AfterCell } from './rebuild/after-cell.ts'
import { PastClock } from './rebuild/past-clock.ts'
import { planOf } from './rebuild/plan.ts'
import { goOn } from './rebuild/restart.ts'
import { Snapshots } from './rebuild/snapshots.ts'
import { recordReload } from './reload.ts'
import { Spawner } from './spawner.ts'
import type { Drivers } from './syscalls/row.ts'
import { Trees } from './trees.ts'
import { kernelSecrets, llmDriver, plainDrivers, procDriver } from './wiring.ts'

export class System implements Supervisor {
  readonly table = new ProcessTable()
  readonly observers = new Observers()
  readonly log: EvidenceLog
  readonly drivers: Drivers
  /** What no mount shows: evidence, and files of policies. */
  readonly hidden: Hidden
  readonly spawner: Spawner
  readonly gate: Gate
  /** What processes of isolation `host` are made with. */
  readonly host: SessionParts
  readonly runs: Runs
  readonly #clock: Clock
  readonly #shared: SharedPayloads
  readonly #trees: Trees
  readonly #spaces: Readonly<Record<'cell' | 'inline', UserSpace>>
  /** Of processes that have ended, and whose end is not durable yet. */
  readonly #exits = new Set<Promise<Exit>>()
  readonly children: Children
  readonly #afterCell = new AfterCell(this)
  /** First processes of runs that go on from before this kernel. */
  readonly restored: readonly Process[]
  readonly #snapshots: Snapshots | undefined
  readonly #isAgent: (name: string) => boolean
  #ceiling: PolicySet
  #down: Promise<void> | undefined

  /** @param isRegistered whether an agent of that name is registered */
  constructor(options: KernelOptions, isRegistered: (name: string) => boolean, ground: Ground = {}) {
    const clock = new PastClock(ground.clock ?? systemClock)
    this.#clock = clock
    this.#ceiling = loadPolicy(options.policy ?? 'strict')
    const budget = readBudget(options.limits as Readonly<Record<string, string | number>> | undefined)
    this.#isAgent = (name) => isRegistered(name) || this.table.live().some((process) => process.name === name)
    const assertFits = fitting(() => this.#ceiling)
    const toolFailed = (name: string, error: unknown): void => this.observers.toolFailed(name, error)
    const tool = new ToolDriver(toolFailed, assertFits, this.#clock, (value) => secrets.without(value))
    for (const [name, definition] of Object.entries(options.tools ?? {})) tool.register(name, definition)
    const ipc = new IpcDriver((name) => this.#isAgent(name))
    const { evidence = 'memory', isolation = 'cell' } = options
    const cells = new CellPool(options.cells)
    this.hidden = new Hidden([...policyFiles(options.policy ?? []), ...folderOf(evidence)])
    const secrets = kernelSecrets(options.secrets, this.hidden, this.observers)
    const llm = llmDriver(options.llm, { secrets, observers: this.observers, clock })
    const keys = openKeys(options, ground, this.hidden)
    const mounts = openMounts(options.mounts ?? {}, this.hidden)
    const { log, plan, retain } = openLog(evidence, clock, ground, keys, mounts, this.hidden, (log) =>
      evidence === 'memory' ? undefined : planOf(log, evidence, () => makeChance().identifier()),
    )
    this.log = log
    const chance = makeChance(options.seed, plan?.from.seq)
    this.#spaces = { cell: ground.space ?? cells, inline: ground.space ?? new InlineSpace() }
    this.#shared = new SharedPayloads(this.log)
    this.log.onFailure((error) => this.#evidenceFailed(error))
    const views = { table: this.table, tool, ipc, log: this.log }
    this.#trees = new Trees({ clock: this.#clock, mounts, views })
    const isTaken = (name: string): boolean => this.#isAgent(name) || this.#trees.has(name)
    this.children = new Children((...spawned) => this.spawner.spawn(...spawned), isTaken)
    this.drivers = {
      ...plainDrivers(clock, secrets, (name) => this.#isAgent(name)),
      ...{ tool, llm, ipc, chance, table: this.table },
      proc: procDriver(this),
      treeOf: (process) => this.#trees.of(process),
    }
    this.runs = new Runs(this.#clock, this.log)
    this.gate = this.#makeGate(options)
    this.spawner = this.#makeSpawner(options, chance, budget)
    const failed = (error: unknown): void => this.observers.hostFailed(error)
    this.host = { spawner: this.spawner, gate: this.gate, tools: tool, llm, log, failed }
    const own = isolation === 'cell' && ground.space === undefined ? cells : undefined
    const opened = recordOpening(this, this.#shared, { isolation, cells: options.cells, own }, plan?.from)
    const { homes } = this.#trees
    const files = { homes, treeOfAgent: (name: string) => this.#treeOfAgent(name) }
    this.restored = plan === undefined ? [] : goOn(plan, this, files, clock)
    const policies = (): string => this.#shared.of(documentsText(this.#ceiling.policies)).hash
    const around = { clock, homes, ipc, opened, policies, evidence, before: plan?.survey.segments }
    this.#snapshots = new Snapshots(this, around)
    retain({ table: this.table, shared: this.#shared, observers: this.observers })
  }

  get ceiling(): PolicySet {
    return this.#ceiling
  }

  filesOf(agent: string): HostFiles {
    return new HostFiles(this.gate, this.drivers.vfs, this.#treeOfAgent(agent), agent)
  }

  #treeOfAgent(agent: string): Tree {
    return this.#trees.ofAgent(agent, () => this.#ceiling)
  }

  /** Atomic: the record first, then every process at once. `by` is who does it. */
  reload(policy: PolicySet, by: string): void {
    assertToolsFit(policy, this.drivers.tool.list())
    const next = this.table.live().map((process) => ({ process, under: this.spawner.under(process, policy) }))
    this.runs.prepare(policy.needs)
    recordReload(this.log, this.#shared, policy, this.#ceiling.hash, next, by)
    this.#ceiling = policy
    for (const { process, under } of next) {
      if (under !== undefined) process.policy = under
      else process.kill('SIGPOLICY', 'its own policy cannot be joined with the new one')
    }
    this.gate.approvals.reconsider()
  }

  /** @param last runs when every process has ended, before the evidence is closed; never rejects */
  shutdown(last: () => Promise<void> = async () => {}): Promise<void> {
    this.#down ??= this.#shutdown(last)
    return this.#down
  }

  // -- Supervisor: what happens to processes goes on record and to observers -------------------------------

  changed(process: Process, from: ProcessState, to: ProcessState): void {
    this.#record(process, { kind: 'state', from, to })
    this.observers.changed(process, from, to)
  }

  signalled(process: Process, signal: SignalName, by: string): void {
    this.#record(process, { kind: 'signal', signal, by })
    this.observers.signalled(process, signal, by)
  }

  delivers(process: Process, delivery: Delivery): void {
    // Code of the application cannot be repeated from the record.
    if (process.identity.isolation === 'host') return
    this.#record(process, { kind: 'turn', ...delivery })
  }

  lost(process: Process, fault: Fault): Fault | undefined {
    return this.#afterCell.lost(process, fault)
  }

  resumed(process: Process): void {
    this.spawner.resume(process)
    this.drivers.clock.resume(process)
    this.gate.resume(process)
  }

  ended(process: Process, ending: Exit): void {
    const exit = { ...ending, ...this.spawner.traced(process, ending.error) }
    this.gate.forget(process)
    this.drivers.streams.forget(process, ending.status === 'exited' ? 'closed' : 'killed')
    this.#trees.forget(process)
    this.runs.end(process)
    if (process.parent === undefined) this.children.forget(process.identity.run)
    this.table.bury(process, exit)
    try {
      this.#record(process, exitBody(this.log, exit))
    } catch (error) {
      // Whatever is wrong with how it ended, that it has ended goes on record.
      this.observers.defect(error)
      this.#record(process, { kind: 'exit', status: exit.status })
    }
    this.log.forget(process.identity.run, process.pid)
    this.#exits.add(process.exit)
    void process.exit.then(() => this.#exits.delete(process.exit))
    // A value is handed out only when everything that led to it is on record.
    this.log.durable().then(
      () => process.settle(exit),
      (error: unknown) => process.settle(unrecorded(exit, error)),
    )
  }

  // -- Parts of it ------------------------------------------------------------------------------------------

  #makeGate({ approvals }: KernelOptions): Gate {
    const { drivers, log, observers, runs } = this
    return new Gate({ drivers, log, observers, runs, clock: this.#clock, approvals })
  }

  #makeSpawner(options: KernelOptions, chance: Chance, budget: Budget): Spawner {
    return new Spawner({
      ...{ table: this.table, log: this.log, shared: this.#shared, clock: this.#clock, chance },
      ...{ gate: this.gate, runs: this.runs, supervisor: this },
      defect: (error) => this.observers.defect(error),
      spaces: this.#spaces,
      ceiling: () => this.#ceiling,
      isolation: options.isolation ?? 'cell',
      ownCells: options.cells?.sharing === 'own',
      budget,
      evidenceBytesMax: processBytesMax(options.evidence ?? 'memory'),
    })
  }

  /** Once the log has failed nothing more is put on record, and every process is ending for that reason. */
  #record(
    process: Process,
    body: { readonly kind: 'turn' | 'state' | 'signal' | 'exit'; readonly [field: string]: unknown },
  ): void {
    if (this.log.failed !== undefined) return
    const before = this.log.written
    try {
      this.log.append({ ...(body as { kind: 'state' }), run: process.identity.run, pid: process.pid })
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
    }
    process.recorded(this.log.written - before)
    this.#snapshots?.look()
  }

  #evidenceFailed({ code, message }: EvidenceError): void {
    for (const process of this.table.live())
      process.end({ status: 'failed', reason: message, error: { code, message } })
  }

  async #shutdown(last: () => Promise<void>): Promise<void> {
    this.spawner.close()
    // Who is told of the ends that follow may ask for the shutdown again, and has to find this one.
    await undefined
    for (const process of this.table.live()) process.kill('SIGKILL', 'the kernel shut down')
    await Promise.all(this.#exits)
    const { promise: deadline, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(limits.drainMs, resolve)
    await this.gate.drain(deadline)
    cancel()
    await this.#snapshots?.close()
    await last()
    await this.#close(() => this.log.failed === undefined && this.log.append({ kind: 'close' }))
  }

  async #close(last: () => unknown): Promise<void> {
    await Promise.all([this.#spaces.cell.close(), this.#spaces.inline.close(), this.drivers.net.close()])
    await this.#trees.close()
    last()
    await this.log.close().catch((error: unknown) => this.observers.defect(error))
  }

  /** It could not begin: nothing of it stays, and nothing is said of processes that it could not go on with. */
  abandon(): void {
    this.#down ??= this.#close(() => {})
  }
}
