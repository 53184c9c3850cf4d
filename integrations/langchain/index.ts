/** LangChain.js and LangGraph under a kernel: tools, models, chains, agents and graphs, wrapped where they are. */
import { checkFramework, KernelError, type KernelSpace, type WrapOptions, type Wrapping } from 'gatehouse'
import { Agents } from './agents.ts'
import { outermost } from './outermost.ts'
import { Reach } from './reach.ts'
import { Runs } from './runs.ts'
import { isAgent, isRunnable, isTool } from './shapes.ts'
import { governTool } from './tools.ts'

/** An agent of `createAgent` needs the second, a graph the third. */
const tested = [
  { name: '@langchain/core', from: '1.2.0', below: '2.0.0' },
  { name: 'langchain', from: '1.5.0', below: '2.0.0' },
  { name: '@langchain/langgraph', from: '1.4.0', below: '2.0.0' },
] as const

export interface LangChainOptions extends WrapOptions {
  /**
   * Names of tools that the provider of a model runs, such as its web search, and that it may have all the same: the kernel
   * sees nothing of what they do. None by default: a model that is offered another one is not asked.
   */
  readonly unseen?: readonly string[]
}

export class LangChainKernel {
  readonly #wrapping: Wrapping
  readonly #reach: Reach
  readonly #agents: Agents
  readonly #runs: Runs
  readonly #wrapped = new WeakSet<object>()

  /**
   * @param options name, policy, budget and labels of the process that each run is, and what is said of its tools
   * @throws KernelError EINVAL for options that are not sound
   */
  constructor(kernel: KernelSpace, options: LangChainOptions = {}) {
    const { unseen = [], ...own } = options
    const [version] = tested.map((each) => checkFramework(each, import.meta.url))
    this.#wrapping = kernel.wrapping({
      name: 'langchain',
      framework: { name: '@langchain/core', version },
      ...own,
    })
    this.#reach = new Reach((tool) => governTool(tool, this.#wrapping))
    this.#agents = new Agents(this.#reach)
    this.#runs = new Runs(this.#wrapping, new Set(unseen))
  }

  /**
   * @param target a tool, a list of tools, a model, a chain, an agent of `createAgent` or a compiled graph
   * @returns the same, governed; the original is left as it is
   * @throws KernelError EINVAL for what is none of these, and for tools that are not sound
   */
  wrap<T extends object>(target: T): T {
    return this.#wrap(target) as T
  }

  #wrap(target: object): object {
    if (this.#wrapped.has(target)) return target
    const wrapped = this.#govern(target)
    this.#wrapped.add(wrapped)
    return wrapped
  }

  #govern(target: object): object {
    if (Array.isArray(target)) return this.#reach.list(target)
    if (isTool(target)) return this.#reach.of(target)
    const rewrap = (value: unknown): unknown =>
      isRunnable(value) || isAgent(value) ? this.#wrap(value) : value
    if (isAgent(target)) return outermost(this.#agents.govern(target), this.#runs, rewrap)
    if (isRunnable(target)) return outermost(this.#reach.of(target), this.#runs, rewrap)
    throw new KernelError(
      'EINVAL',
      'what can be wrapped is a tool, a list of tools, a model, a chain, an agent of `createAgent` or a compiled graph',
    )
  }
}
