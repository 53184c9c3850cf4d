/** A runner of the OpenAI Agents SDK, each of whose runs is a process of the kernel. */
import type { Runner } from '@openai/agents'
import { KernelError, type WrappedRun, type Wrapping } from 'gatehouse'
import type { Agents, AnyAgent } from './agents.ts'
import type { Models } from './models.ts'

interface RunOptions {
  readonly signal?: AbortSignal
  readonly stream?: boolean
}

/** What a run gives, or goes on from. */
interface Outcome {
  readonly finalOutput?: unknown
  readonly interruptions?: readonly unknown[]
  readonly completed?: Promise<void>
}

type Run = (agent: AnyAgent, input: unknown, options?: RunOptions) => Promise<unknown>

/**
 * @returns a runner with the same settings and listeners, whose agents and models are governed
 */
export function governRunner(runner: Runner, wrapping: Wrapping, agents: Agents, models: Models): Runner {
  const Own = runner.constructor as new (config: Runner['config']) => Runner
  const config = models.ofConfig(runner.config)
  const inner = Object.assign(new Own(config), runner, { config })
  const run: Run = async (agent, input, options = {}) => {
    assertGoverned(input, agents)
    const governed = agents.govern(agent)
    const process = wrapping.begin(typeof input === 'string' || Array.isArray(input) ? input : undefined)
    try {
      const { signal } = process.session
      const both = options.signal === undefined ? signal : AbortSignal.any([options.signal, signal])
      const work = process.within(() =>
        agents.running(() => (inner.run as Run)(governed, input, { ...options, signal: both })),
      )
      const outcome = (await process.outcome(work)) as Outcome
      if (outcome.completed === undefined) await process.end(given(outcome))
      else follow(process, outcome.completed, outcome)
      return outcome
    } catch (error) {
      throw await process.fail(kernelErrorIn(error))
    }
  }
  return new Proxy(inner, {
    get: (target, key) => (key === 'run' ? run : Reflect.get(target, key, target)),
  })
}

/** The SDK puts an error of its own around what a tool throws. */
function kernelErrorIn(error: unknown): unknown {
  const { error: inner } = (error ?? {}) as { readonly error?: unknown }
  return inner instanceof KernelError ? inner : error
}

/** A stream goes on after it was given; whoever reads it hears of its errors. */
function follow(process: WrappedRun, completed: Promise<void>, outcome: Outcome): void {
  completed
    .then(
      () => process.end(given(outcome)),
      (error: unknown) => process.fail(error),
    )
    .catch(() => undefined)
}

/** A run that waits for a person has nothing to give yet. */
const given = (outcome: Outcome): unknown =>
  (outcome.interruptions ?? []).length > 0 ? undefined : outcome.finalOutput

/** A run that was interrupted goes on with the agent that is kept in its state. */
function assertGoverned(input: unknown, agents: Agents): void {
  if (typeof input !== 'object' || input === null || !('_currentAgent' in input)) return
  const agent = input._currentAgent as AnyAgent
  if (agents.isGoverned(agent)) return
  throw new KernelError(
    'EPERM',
    `this state goes on with the agent \`${agent.name}\`, which is not governed; read it with the wrapped agent: \`RunState.fromString(gatehouse.wrap(agent), text)\``,
  )
}
