/** Where recorded calls are made again: real processes under a kernel's policy, with tools that return what was recorded. */
import type { ApprovalOptions, ApprovalRequest } from '../approvals/request.ts'
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { KernelSpace } from '../kernel.ts'
import type { KernelEvents } from '../observers.ts'
import type { Effect } from '../policy/types.ts'
import type { Suite, SuiteCall } from './suite.ts'

/** Who wants a call made. */
export type By = 'user' | 'attacker'

export interface Step extends Pick<SuiteCall, 'tool' | 'args' | 'error'> {
  readonly by: By
  /** What the tool returns. */
  readonly result: Json
}

/** What became of a step at the gate. */
export interface Verdict {
  readonly effect: Effect
  /** Why it was asked about or refused. */
  readonly reason: string
}

/** One process that makes the calls of a task. */
interface Play {
  readonly steps: readonly Step[]
  readonly verdicts: Verdict[]
  /** Why a person was asked about the call that is being made. */
  asked: string | undefined
}

export interface StageOptions {
  /** How the agent is called in policies. */
  readonly agent?: string
  /** Whether each process has a kernel of its own: where a policy asks what was done in other runs. */
  readonly apart?: boolean
}

export class Stage {
  /** By pid; there is one at a time. */
  readonly #plays = new Map<number, Play>()
  readonly #start: () => KernelSpace
  readonly #agent: string
  /** The kernel of all processes, where they have one together. */
  readonly #shared: KernelSpace | undefined

  /**
   * @param suite whose tools are registered
   * @param start makes a kernel, with what it is given as its option `approvals`
   * @throws KernelError for a tool that cannot be registered, or that the policy in force cannot judge
   */
  constructor(
    suite: Suite,
    start: (approvals: ApprovalOptions) => KernelSpace,
    { agent = 'agent', apart = false }: StageOptions = {},
  ) {
    this.#agent = agent
    this.#start = () => this.#prepare(start({ ask: (request) => this.#answer(request) }), suite)
    this.#shared = apart ? undefined : this.#start()
  }

  /**
   * Makes calls in order, in one process; one that is refused does not keep the rest from being made.
   * @param task what the application gives to the agent: the only text of origin `task`
   * @returns a verdict for each step
   */
  async play(task: string, steps: readonly Step[]): Promise<readonly Verdict[]> {
    const kernel = this.#shared ?? this.#start()
    const play: Play = { steps, verdicts: [], asked: undefined }
    const proc = kernel.spawn({ source: programOf(steps) }, { name: this.#agent, args: [task] })
    this.#plays.set(proc.pid, play)
    try {
      const { status, error, reason } = await proc.exit
      const why = `the process had ${status}: ${error?.message ?? reason ?? 'nobody said why'}`
      const missing = steps
        .slice(play.verdicts.length)
        .map((): Verdict => ({ effect: 'forbid', reason: why }))
      return [...play.verdicts, ...missing]
    } finally {
      this.#plays.delete(proc.pid)
      if (kernel !== this.#shared) await kernel.shutdown()
    }
  }

  /** Shuts the kernel down that all processes had together. */
  async close(): Promise<void> {
    await this.#shared?.shutdown()
  }

  #prepare(kernel: KernelSpace, { tools }: Suite): KernelSpace {
    try {
      for (const { name, description, parameters } of tools) {
        const execute = (_args: unknown, { pid }: { readonly pid: number }): Json => this.#resultFor(pid)
        kernel.tool(name, { description, parameters, execute })
      }
    } catch (error) {
      void kernel.shutdown()
      throw error
    }
    kernel.on('syscall', (event) => this.#settled(event))
    return kernel
  }

  /** The person who is asked approves what the user wants, and denies what the attacker wants. */
  #answer({ pid, reason }: ApprovalRequest): 'approve' | 'deny' {
    const play = this.#plays.get(pid)
    if (play === undefined) return 'deny'
    play.asked = reason
    return play.steps[play.verdicts.length]?.by === 'user' ? 'approve' : 'deny'
  }

  #resultFor(pid: number): Json {
    const play = this.#plays.get(pid)
    const step = play?.steps[play.verdicts.length]
    if (step === undefined) throw new SyscallError('EIO', 'nothing was recorded for this call')
    if (step.error !== undefined) throw new SyscallError('EIO', step.error)
    return step.result
  }

  #settled({ pid, syscall, status, decision, reason = '' }: KernelEvents['syscall']): void {
    const play = this.#plays.get(pid)
    if (syscall !== 'tool.call' || play === undefined) return
    const { asked } = play
    play.asked = undefined
    // What was approved is admitted anew, and may be refused then for another reason.
    if (status === 'refused' && (asked === undefined || decision?.effect === 'forbid'))
      play.verdicts.push({ effect: 'forbid', reason })
    else if (asked !== undefined) play.verdicts.push({ effect: 'ask', reason: asked })
    else play.verdicts.push({ effect: 'permit', reason: '' })
  }
}

/** A program that makes the calls. They are part of its text: what the agent makes up, nobody has told it. */
function programOf(steps: readonly Step[]): string {
  const calls = steps.map(({ tool, args }) => [tool, args])
  return `const calls = ${JSON.stringify(calls)}
export default async () => {
  for (const [tool, args] of calls) await tools[tool](args).catch(() => {})
}
`
}
