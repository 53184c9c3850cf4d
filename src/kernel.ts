/** The kernel: what an application can ask of it. How its parts are wired stands in system.ts. */

import { byApplication } from './actors.ts'
import { type Agent, type AgentOptions, makeAgent, type Program } from './agents.ts'
import { readBy } from './approvals/answers.ts'
import type { ApprovalRequest, ApproveOptions, DenyOptions } from './approvals/request.ts'
import { systemClock } from './clock.ts'
import {
  type CheckedKernelOptions,
  type KernelOptions,
  readAgentName,
  readKernelOptions,
} from './config/options.ts'
import { loadPolicy, type PolicyRef, policyFiles } from './config/policy.ts'
import { ControlServer } from './control/server.ts'
import { controlledBy } from './controlled.ts'
import { type Declassification, declassifyFor } from './declassify.ts'
import type { ToolDefinition } from './drivers/tool.ts'
import { KernelError, SyscallError } from './errors.ts'
import type { Entry } from './evidence/entry.ts'
import type { Head } from './evidence/head.ts'
import type { EntryFilter } from './evidence/select.ts'
import type { Verification } from './evidence/verify.ts'
import { makeGovern } from './govern/govern.ts'
import type { Govern, GovernedCall, GovernOptions } from './govern/types.ts'
import type { HostFiles } from './host-files.ts'
import { type Inspection, inspect } from './inspect.ts'
import { asJson, type Json } from './json.ts'
import { leaveInOrder } from './leave.ts'
import type { KernelEvents, Listener } from './observers.ts'
import type { Isolation } from './policy/types.ts'
import type { Exit } from './proc/exit.ts'
import { ProcessHandle, signalAs } from './proc/handle.ts'
import { type ProcessRow, rowOf } from './proc/rows.ts'
import { System } from './system.ts'
import { recordTool } from './tool-record.ts'

export interface SpawnOptions extends AgentOptions {
  /** Arguments of the program's default export; JSON. */
  readonly args?: readonly unknown[]
}

export class KernelSpace {
  readonly #system: System
  readonly #isolation: Isolation
  readonly #control: ControlServer | undefined
  /** Takes the kernel from those that a signal shuts down. */
  readonly #down: () => void
  #shutdown: Promise<void> | undefined
  readonly #agents = new Map<string, Agent>()
  /** Governs a function or method: a decorator (standard or legacy), with or without options, and a wrapper. */
  readonly govern: Govern

  /**
   * @throws KernelError or PolicyError for options, policies, mounts and tools that are not sound: then nothing runs.
   *   EvidenceError where evidence cannot be kept
   */
  constructor(options: KernelOptions = {}) {
    const checked = readKernelOptions(options)
    this.#isolation = checked.isolation ?? 'cell'
    this.#system = new System(options, (name) => this.#agents.has(name))
    this.#control = this.#listen(checked)
    this.#down = leaveInOrder(() => this.shutdown(), checked.exitOnSignal ?? true)
    this.govern = makeGovern({ prepare: (fn, governed, name) => this.#prepare(fn, governed, name) })
  }

  /**
   * Registers an agent under a name.
   * @throws KernelError EEXIST for a name that is taken; EINVAL for what cannot run in user space
   */
  register(program: Exclude<Program, Agent>, options: AgentOptions = {}): Agent {
    const agent = this.#agent(program, options)
    if (this.#agents.has(agent.name))
      throw new KernelError('EEXIST', `an agent \`${agent.name}\` is registered already`)
    this.#agents.set(agent.name, agent)
    return agent
  }

  /**
   * Runs an agent or function once, in a process of its own.
   * @param args its arguments; JSON, unless it runs with isolation `host`
   * @returns what it returned
   * @throws KernelError with an errno, and the decision, the signal or the agent's own error
   */
  async execute(program: Program, ...args: readonly unknown[]): Promise<unknown> {
    return this.#run(this.#agent(program, {}), undefined, args)
  }

  /**
   * Starts a process.
   * @returns at once; its program may still have to be bundled. How it ends is in `exit`
   * @throws KernelError for options that are not sound, EPERM where the policy does not accept its isolation
   */
  spawn(program: Program, options: SpawnOptions = {}): ProcessHandle {
    const { args = [], ...rest } = options
    if (!Array.isArray(args))
      throw new KernelError('EINVAL', 'the option `args` of spawn is a list, one item for each argument')
    const agent = this.#agent(program, rest)
    if (agent.code.kind === 'host')
      return new ProcessHandle(this.#system.runHost(agent, undefined, args).process)
    return new ProcessHandle(this.#system.spawner.spawn(agent, jsonArgs(args)))
  }

  /** First processes that go on from before this kernel, by the options `resume` and `fork` of evidence. */
  get restored(): readonly ProcessHandle[] {
    return this.#system.restored.map((process) => new ProcessHandle(process))
  }

  /** The process table: every live process, the oldest first. With `all`, those that ended lately too. */
  ps(options: { readonly all?: boolean } = {}): readonly ProcessRow[] {
    const { table } = this.#system
    const live = table.live().map(rowOf)
    return [...(options.all ? table.ended() : []), ...live].toSorted((a, b) => a.pid - b.pid)
  }

  /**
   * Looks at one process: state, policy, where it stands if it is frozen, calls, signals, budget, what is on record last.
   * @param target a pid or a name; a process that ended lately can be looked at too
   * @throws KernelError ESRCH where there is no such process, EINVAL for a name that fits several
   */
  inspect(target: number | string): Inspection {
    return translated(() => inspect(this.#system, target))
  }

  readonly signals = {
    /**
     * Sends a signal.
     * @param target a pid, or the name of one live process
     * @param signal a number of `AgentSignal`, or a name such as `SIGTERM`
     * @returns what it did, in words
     * @throws KernelError ESRCH where there is no such process, EINVAL for a name that fits several
     */
    signal: (target: number | string, signal: number | string): string =>
      translated(() => signalAs(this.#system.table.find(target), signal, `by ${byApplication}`)),
  }

  /**
   * Offers a host function to agents whose policy permits it.
   * @throws KernelError for a name that is taken, or a schema that is not sound
   */
  tool<Args>(name: string, definition: ToolDefinition<Args>): void {
    const { drivers, log } = this.#system
    drivers.tool.register(name, definition)
    recordTool(log, drivers.tool, name)
  }

  /**
   * Releases one value, which a person has looked at: a process that writes, sends or returns exactly it, once, does not
   * carry these labels on with it. The process keeps its labels. Whoever may call this function may release: the name
   * in `by` is put on record and not checked.
   * @param target a pid, or the name of one live process
   * @param value JSON; a file's text is the value itself, or its canonical JSON
   * @throws KernelError ESRCH where there is no such process, EINVAL for what is no JSON or not
   *   sound, and for labels that the process does not carry, EAGAIN for too many
   */
  declassify(target: number | string, value: unknown, how: Declassification): void {
    const { table, log } = this.#system
    translated(() => declassifyFor(log, table.find(target), asJson(value, 'value'), how))
  }

  /** The files that belong to an agent's name: /mem, /state, the mounts, and what the kernel shows. */
  vfs(agent: string): HostFiles {
    return translated(() => this.#system.filesOf(readAgentName(agent)))
  }

  readonly evidence = {
    /** Reads the whole record again and checks it. */
    verify: (): Verification => this.#system.log.verify(),
    /** What is on record, oldest first. */
    entries: (filter: EntryFilter = {}): readonly Entry[] => [...this.#system.log.entries(filter)],
    /** How many entries there are, and the hash that fixes them all. */
    head: (): Head => this.#system.log.head(),
    /**
     * Signs all that is on record now, and waits until that is on the disk.
     * @returns the newest checkpoint, a signed note (C2SP) to be kept elsewhere: whoever has it finds out later whether
     *   the record goes on from it (`gatehouse evidence verify --since`)
     * @throws EvidenceError where the record has failed or is closed
     */
    checkpoint: (): Promise<string> => this.#system.log.checkpoint(),
  }

  /** Calls that wait for a person, because a rule asks. */
  readonly approvals = {
    /** What waits, the oldest first; it is on record, and the kernel alone holds it. */
    list: (): readonly ApprovalRequest[] => this.#system.gate.approvals.list(),
    /**
     * Lets one call pass, once, exactly as it was shown: the policy is asked again, and what has changed meanwhile is
     * asked anew. With `args` in place of the agent's it is a new request, which the policy judges.
     * @throws KernelError ENOENT for what waits no longer; for `args`, why they cannot be
     */
    approve: (id: string, options: ApproveOptions = {}): void =>
      this.#system.gate.approvals.approve(id, options),
    /**
     * Refuses one call with EPERM.
     * @param how the reason, which the agent is told too, and who answers
     * @throws KernelError ENOENT for what waits no longer
     */
    deny: (id: string, how: string | DenyOptions = {}): void =>
      this.#system.gate.approvals.deny(id, typeof how === 'string' ? { reason: how } : how),
  }

  /** The policy in force; in mode `observe` nothing is refused but what is structural. */
  get policy(): { readonly name: string; readonly hash: string; readonly mode: 'enforce' | 'observe' } {
    const { name, hash, mode } = this.#system.ceiling
    return { name, hash, mode }
  }

  /** @returns a function that takes the listener off */
  on<Name extends keyof KernelEvents>(event: Name, listener: Listener<Name>): () => void {
    return this.#system.observers.on(event, listener)
  }

  /**
   * Puts another policy in force, for running processes too, from their next call on.
   * @param how who does it, for the record; the application where nobody says
   * @throws PolicyError or KernelError where it is not sound; the old one stays in force then
   */
  async reload(policy: PolicyRef, how: { readonly by?: string } = {}): Promise<void> {
    const by = readBy(how.by)
    const set = loadPolicy(policy)
    // Before it is in force: an agent that can write what it is judged by would wait for the next reload.
    this.#system.hidden.add(policyFiles(policy))
    this.#system.reload(set, by)
  }

  /** Ends every process, waits until what was in flight is on record, and closes the evidence. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#system.shutdown(async () => this.#control?.close()).finally(this.#down)
    return this.#shutdown
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  /** Where evidence has a directory, other terminals can reach this kernel in it. */
  #listen({ control = true, evidence = 'memory' }: CheckedKernelOptions): ControlServer | undefined {
    if (!control || evidence === 'memory') return undefined
    const controlled = controlledBy(this, this.#system, systemClock)
    return new ControlServer(evidence.dir, controlled, this.#system.observers, systemClock)
  }

  /** The files of an agent's policy are kept out of every mount, as those of the kernel are. */
  #agent(program: Program, options: AgentOptions, shown?: string): Agent {
    const agent = makeAgent(program, options, this.#isolation, shown)
    if (options.policy !== undefined) this.#system.hidden.add(policyFiles(options.policy))
    return agent
  }

  #prepare(fn: (...args: never[]) => unknown, options: GovernOptions, name: string): GovernedCall {
    const agent = this.#agent(fn, options as AgentOptions, name)
    return (self, args) => this.#run(agent, self, args)
  }

  async #run(agent: Agent, self: unknown, args: readonly unknown[]): Promise<unknown> {
    if (agent.code.kind === 'host') {
      const { process, value } = this.#system.runHost(agent, self, args)
      resultOf(agent, await process.exit)
      return value()
    }
    return resultOf(agent, await this.#system.spawner.spawn(agent, jsonArgs(args)).exit)
  }
}

/** @throws KernelError EINVAL with the path of what is not JSON */
const jsonArgs = (args: readonly unknown[]): readonly Json[] =>
  translated(() => args.map((arg, index) => asJson(arg, `args[${index}]`)))

function resultOf(agent: Agent, exit: Exit): Json | undefined {
  if (exit.status === 'exited') return exit.value
  const { error, signal, reason } = exit
  throw new KernelError(
    error?.code ?? 'EINTR',
    `\`${agent.name}\` ${exit.status === 'killed' ? 'was killed' : 'failed'}: ${error?.message ?? reason ?? signal}`,
    {
      ...(error?.decision !== undefined && { decision: error.decision }),
      ...(signal !== undefined && { signal }),
      ...(error?.name !== undefined && {
        guest: { name: error.name, message: error.message, stack: error.stack ?? '' },
      }),
    },
  )
}

function translated<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof SyscallError) throw new KernelError(error.code, error.message)
    throw error
  }
}
