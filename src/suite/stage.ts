/** Where recorded calls are made again: real processes under a kernel's policy, with tools that return what was recorded. */
import type { ApprovalOptions } from '../approvals/request.ts'
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

export class Stage {
  readonly #plays = new Map<number, Play>()
  readonly #agent: string
  #kernel: KernelSpace | undefined

  /** @param agent how the agent is called in policies */
  constructor(agent = 'agent') {
    this.#agent = agent
  }

  /** The person who is asked, for the kernel's option: approves what the user wants, and denies what the attacker wants. */
  readonly approvals: ApprovalOptions = {
    ask: ({ pid, reason }) => {
      const play = this.#plays.get(pid)
      if (play === undefined) return 'deny'
      play.asked = reason
      return play.steps[play.verdicts.length]?.by === 'user' ? 'approve' : 'deny'
    },
  }

  /**
   * Registers the tools of a suite.
   * @param kernel with `approvals` as its option
   * @throws KernelError for a tool that cannot be registered, or that the policy in force cannot judge
   */
  open(kernel: KernelSpace, { tools }: Suite): void {
    for (const { name, description, parameters } of tools) {
      const execute = (_args: unknown, { pid }: { readonly pid: number }): Json => this.#resultFor(pid)
      kernel.tool(name, { description, parameters, execute })
    }
    kernel.on('syscall', (event) => this.#settled(event))
    this.#kernel = kernel
  }

  /**
   * Makes calls in order, in one process; one that is refused does not keep the rest from being made.
   * @param task what the application gives to the agent: the only text of origin `task`
   * @returns a verdict for each step
   */
  async play(task: string, steps: readonly Step[]): Promise<readonly Verdict[]> {
    const play: Play = { steps, verdicts: [], asked: undefined }
    if (this.#kernel === undefined) throw new Error('a stage was played on before it was opened')
    const proc = this.#kernel.spawn({ source: programOf(steps) }, { name: this.#agent, args: [task] })
    this.#plays.set(proc.pid, play)
    const { status, error, reason } = await proc.exit
    this.#plays.delete(proc.pid)
    const why = `the process had ${status}: ${error?.message ?? reason ?? 'nobody said why'}`
    const missing = steps.slice(play.verdicts.length).map((): Verdict => ({ effect: 'forbid', reason: why }))
    return [...play.verdicts, ...missing]
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
