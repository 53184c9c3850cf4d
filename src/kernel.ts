/** The kernel: what an application can ask of it. How its parts are wired stands in system.ts. */

import { byApplication } from './actors.ts'
import { type Agent, type AgentOptions, makeAgent, type Program } from './agents.ts'
import { readBy } from './approvals/answers.ts'
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
import type { ToolDefinition, ToolOptions } from './drivers/tool-definition.ts'
import { KernelError } from './errors.ts'
import { approvalsOf, evidenceOf } from './facets.ts'
import { makeGovern } from './govern/govern.ts'
import type { Govern, GovernedCall, GovernOptions } from './govern/types.ts'
import { endedError } from './host/ended.ts'
import { runHost } from './host/run.ts'
import type { Session } from './host/session.ts'
import {
  beginSession,
  makeWrapping,
  type SessionOptions,
  type WrapOptions,
  type Wrapper,
} from './host/wrap.ts'
import { type GenericTool, type Governed, wrapTool } from './host/wrap-tool.ts'
import type { Wrapping } from './host/wrapping.ts'
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
import { jsonArgs, translated } from './translated.ts'

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
    this.evidence = evidenceOf(this.#system)
    this.approvals = approvalsOf(this.#system)
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
    if (agent.code.kind === 'host') return runHost(this.#system.host, agent, undefined, args).session.handle
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
   * Begins a process that stands for code of the application, until it is ended: what it asks for is governed, and what
   * it does besides is not.
   * @throws KernelError EINVAL for options that are not sound, EPERM where the policy does not accept isolation `host`
   */
  attach(options: SessionOptions = {}): Session {
    return beginSession(this.#wrapper, options)
  }

  /**
   * For integrations of frameworks: what one wrapped object is governed as.
   * @throws KernelError EINVAL for options that are not sound
   */
  wrapping(options: WrapOptions = {}): Wrapping {
    return makeWrapping(this.#wrapper, options, options.framework?.name ?? 'wrapped')
  }

  /**
   * Governs a tool of any framework where it is: `{ name, description, parameters, execute }`.
   * @returns the same tool; what it is refused comes back as `{ error: { code, message } }`
   * @throws KernelError EINVAL for a name, a schema or options that are not sound
   */
  wrapTool<Tool extends GenericTool>(tool: Tool & ToolOptions, options: WrapOptions = {}): Governed<Tool> {
    return wrapTool(tool, makeWrapping(this.#wrapper, options, String(tool?.name)))
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

  /** What is on record. */
  readonly evidence: ReturnType<typeof evidenceOf>
  /** Calls that wait for a person, because a rule asks. */
  readonly approvals: ReturnType<typeof approvalsOf>

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

  get #wrapper(): Wrapper {
    const agent = (options: AgentOptions, fallback: string): Agent =>
      this.#agent(() => {}, { name: fallback, ...options, isolation: 'host' })
    return { host: this.#system.host, agent }
  }

  #prepare(fn: (...args: never[]) => unknown, options: GovernOptions, name: string): GovernedCall {
    const agent = this.#agent(fn, options as AgentOptions, name)
    return (self, args) => this.#run(agent, self, args)
  }

  async #run(agent: Agent, self: unknown, args: readonly unknown[]): Promise<unknown> {
    if (agent.code.kind === 'host') {
      const { exit, value } = runHost(this.#system.host, agent, self, args)
      resultOf(agent, await exit)
      return value()
    }
    return resultOf(agent, await this.#system.spawner.spawn(agent, jsonArgs(args)).exit)
  }
}

function resultOf(agent: Agent, exit: Exit): Json | undefined {
  if (exit.status === 'exited') return exit.value
  throw endedError(agent.name, exit)
}
