/** Agents of the OpenAI Agents SDK, governed with the agents that they hand over to. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent, type Handoff, handoff, type Tool } from '@openai/agents'
import { KernelError, type Wrapping } from 'gatehouse'
import type { Models } from './models.ts'
import { argumentsOf, type Tools } from './tools.ts'

// biome-ignore lint/suspicious/noExplicitAny: context and output are the application's own types
export type AnyAgent = Agent<any, any>
// biome-ignore lint/suspicious/noExplicitAny: as for the agent
type AnyHandoff = Handoff<any, any>
type AsTool = AnyAgent['asTool']
type Context = Parameters<AnyAgent['getSystemPrompt']>[0]

export class Agents {
  readonly #wrapping: Wrapping
  readonly #tools: Tools
  readonly #models: Models
  readonly #governed = new WeakMap<AnyAgent, AnyAgent>()
  readonly #handoffs = new WeakMap<AnyAgent | AnyHandoff, AnyHandoff>()
  readonly #running = new AsyncLocalStorage<true>()

  constructor(wrapping: Wrapping, tools: Tools, models: Models) {
    this.#wrapping = wrapping
    this.#tools = tools
    this.#models = models
  }

  /** Runs code of a governed runner: elsewhere, governed agents do not run. */
  running<T>(work: () => T): T {
    return this.#running.run(true, work)
  }

  isGoverned(agent: AnyAgent): boolean {
    return this.#governed.get(agent) === agent
  }

  /**
   * @returns an agent that is the other one in all, what it is changed to later too, but for its tools, its model and the
   *   agents that it leads to
   * @throws KernelError EPERM for an agent that runs in a sandbox of the SDK
   */
  govern(agent: AnyAgent): AnyAgent {
    const known = this.#governed.get(agent)
    if (known !== undefined) return known
    if ('runtimeManifest' in agent)
      throw new KernelError(
        'EPERM',
        `\`${agent.name}\` is an agent in a sandbox of the SDK, whose actions do not pass the kernel`,
      )
    const governed: AnyAgent = Object.create(agent, {
      model: { get: () => this.#models.ofAgent(agent.model), enumerable: true },
      handoffs: { get: () => agent.handoffs.map((next) => this.#next(next)), enumerable: true },
      getAllTools: {
        value: async (...args: Parameters<AnyAgent['getAllTools']>) => this.#toolsOf(agent, args),
      },
      getSystemPrompt: { value: async (context: Context) => this.#promptOf(agent, context) },
      clone: { value: (config: object) => this.govern(agent.clone(config)) },
      asTool: { value: (options: Parameters<AsTool>[0]) => this.#asTool(governed, options) },
    })
    this.#governed.set(agent, governed)
    this.#governed.set(governed, governed)
    return governed
  }

  async #toolsOf(agent: AnyAgent, args: Parameters<AnyAgent['getAllTools']>): Promise<Tool[]> {
    const tools = (await agent.getAllTools(...args)) as Tool[]
    return tools.map((tool) => this.#tools.govern(tool))
  }

  /** Every turn begins with it. A runner that is not governed would find models that are not. */
  async #promptOf(agent: AnyAgent, context: Context): Promise<string | undefined> {
    if (this.#running.getStore() === true) return agent.getSystemPrompt(context)
    throw new KernelError(
      'EPERM',
      `\`${agent.name}\` is governed, and this runner is not: use \`gatehouse.run(agent, …)\`, or a runner of \`gatehouse.wrap(runner)\``,
    )
  }

  /** Handing over runs code of the application with what a model says: it is judged as the tool that it is to the model. */
  #next(next: AnyAgent | AnyHandoff): AnyHandoff {
    const known = this.#handoffs.get(next)
    if (known !== undefined) return known
    const original: AnyHandoff = 'onInvokeHandoff' in next ? next : handoff(next)
    const { toolName, toolDescription, inputJsonSchema } = original
    const wrapped = this.#wrapping.tool({
      name: toolName,
      description: toolDescription,
      schema: inputJsonSchema,
    })
    const onInvokeHandoff: AnyHandoff['onInvokeHandoff'] = async (context, input) => {
      const result = await wrapped.call(
        argumentsOf(input),
        (args) => original.onInvokeHandoff(context, input === '' ? '' : JSON.stringify(args)),
        ({ name }) => ({ agent: name }),
      )
      if (result.ok && result.returned !== undefined) return this.govern(result.returned)
      throw new KernelError(...(result.ok ? changed : ([result.code, result.message] as const)))
    }
    const governed = original.clone({ agent: this.govern(original.agent), onInvokeHandoff })
    this.#handoffs.set(next, governed)
    return governed
  }

  /** Its runner takes over the models of the one that it is called from, unless it is told others. */
  #asTool(governed: AnyAgent, options: Parameters<AsTool>[0]): ReturnType<AsTool> {
    const { runConfig } = options
    const own = runConfig === undefined ? {} : { runConfig: this.#models.ofConfig(runConfig) }
    return this.#tools.ofAgent(Agent.prototype.asTool.call(governed, { ...options, ...own }))
  }
}

const changed = ['EIO', 'the name of an agent holds a secret'] as const
