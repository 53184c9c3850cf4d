/** The OpenAI Agents SDK under a kernel: agents, runners, tools, handed-over agents and models, wrapped where they are. */
import { Runner, type Tool } from '@openai/agents'
import { checkFramework, KernelError, type KernelSpace, type WrapOptions, type Wrapping } from 'gatehouse'
import { Agents, type AnyAgent } from './agents.ts'
import { Models } from './models.ts'
import { governRunner } from './runner.ts'
import { Tools } from './tools.ts'

const tested = { name: '@openai/agents', from: '0.20.0', below: '1.0.0' } as const

export interface OpenAIAgentsOptions extends WrapOptions {
  /**
   * Names of tools that run where the kernel sees nothing of them, at the provider or in the SDK, and that agents may have
   * all the same. None by default: an agent with another one does not run.
   */
  readonly unseen?: readonly string[]
}

export class OpenAIAgentsKernel {
  readonly #wrapping: Wrapping
  readonly #tools: Tools
  readonly #models: Models
  readonly #agents: Agents
  readonly #runner: Runner

  /** @throws KernelError EINVAL for options that are not sound */
  constructor(kernel: KernelSpace, options: OpenAIAgentsOptions = {}) {
    const { unseen = [], ...own } = options
    const version = checkFramework(tested, import.meta.url)
    this.#wrapping = kernel.wrapping({
      name: 'openai-agents',
      framework: { name: tested.name, version },
      ...own,
    })
    this.#models = new Models(this.#wrapping)
    this.#tools = new Tools(this.#wrapping, unseen)
    this.#agents = new Agents(this.#wrapping, this.#tools, this.#models)
    this.#runner = this.wrap(new Runner())
  }

  /**
   * @param target an agent, a runner, a tool or a list of tools
   * @returns the same, governed; the original is left as it is. A governed agent runs by a governed runner only
   * @throws KernelError EINVAL for what is none of these, EPERM for what runs past the kernel
   */
  wrap<T extends object>(target: T): T {
    return this.#wrap(target) as T
  }

  #wrap(target: object): object {
    if (Array.isArray(target)) return target.map((tool: Tool) => this.#tools.govern(tool))
    if ('getAllTools' in target) return this.#agents.govern(target as AnyAgent)
    if ('config' in target && 'run' in target)
      return governRunner(target as Runner, this.#wrapping, this.#agents, this.#models)
    if ('type' in target && 'name' in target) return this.#tools.govern(target as Tool)
    throw new KernelError('EINVAL', 'what can be wrapped is an agent, a runner, a tool or a list of tools')
  }

  /** Runs an agent, wrapped or not, as `run` of the SDK does. */
  get run(): Runner['run'] {
    return this.#runner.run
  }
}
