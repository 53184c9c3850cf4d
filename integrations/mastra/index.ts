/**
 * Mastra under the kernel: `const desk = new MastraKernel(kernel)`, then `desk.wrap(new Agent({ model: desk.model(model),
 * tools: desk.tools(tools), … }))`. Tools are governed where they are executed, models where they are asked.
 */
import {
  checkFramework,
  type KernelSpace,
  type LanguageModelLike,
  type WrapOptions,
  type Wrapping,
} from 'gatehouse'
import { type AnyTool, governedTool } from './tools.ts'

/** What this integration was tried with. */
export const tested = { name: '@mastra/core', from: '1.71.0', below: '2.0.0' } as const

/** An agent of Mastra, as far as it is run. */
export interface AgentLike {
  generate(messages: never, options?: never): Promise<unknown>
  stream(messages: never, options?: never): Promise<unknown>
}

interface RunOptions {
  readonly abortSignal?: AbortSignal
}

type Tools = Readonly<Record<string, unknown>>

export class MastraKernel {
  readonly #wrapping: Wrapping

  /** @throws KernelError EINVAL for options that are not sound */
  constructor(kernel: KernelSpace, options: WrapOptions = {}) {
    const version = checkFramework(tested, import.meta.url)
    this.#wrapping = kernel.wrapping({ framework: { name: tested.name, version }, ...options })
  }

  /** The same tools, each governed when it is executed; one that is added to them later is governed too. */
  tools<Given extends object>(tools: Given): Given {
    const known = new WeakMap<object, AnyTool>()
    return new Proxy(tools, {
      get: (target, key) => {
        const tool: unknown = Reflect.get(target, key)
        return isTool(tool) ? this.#toolOf(known, String(key), tool) : tool
      },
      getOwnPropertyDescriptor: (target, key) => {
        const own = Reflect.getOwnPropertyDescriptor(target, key)
        const tool = (target as Tools)[String(key)]
        if (own === undefined || !isTool(tool)) return own
        const value = this.#toolOf(known, String(key), tool)
        return { value, enumerable: own.enumerable ?? true, configurable: true, writable: true }
      },
    })
  }

  /** The same model, each call of it judged and metered; a model of the AI SDK, and not the name of one. */
  model<Model extends LanguageModelLike>(model: Model): Model {
    return this.#wrapping.languageModel(model)
  }

  /**
   * An agent each of whose runs is one process. What it is made of is its own: give it `model` and `tools` of this object.
   * @returns the same agent, by other doors
   */
  wrap<Agent extends AgentLike>(agent: Agent): Agent {
    const doors: Readonly<Record<string, unknown>> = {
      generate: (messages: never, options: RunOptions = {}) =>
        this.#wrapping.run(({ signal }) => agent.generate(messages, within(options, signal)), messages),
      stream: (messages: never, options: RunOptions = {}) => this.#stream(agent, messages, options),
    }
    return new Proxy(agent, {
      get: (target, key) => {
        if (typeof key === 'string' && Object.hasOwn(doors, key)) return doors[key]
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  /** The run is over when its text is: when the stream has been read to its end, or has failed. */
  async #stream(agent: AgentLike, messages: never, options: RunOptions): Promise<unknown> {
    const run = this.#wrapping.begin(messages)
    try {
      const result = await run.within(() => agent.stream(messages, within(options, run.session.signal)))
      const { text } = result as { readonly text: Promise<unknown> }
      run
        .outcome(text)
        .then(
          (said) => run.end(said),
          (error: unknown) => run.fail(error),
        )
        .catch(() => undefined)
      return result
    } catch (error) {
      throw await run.fail(error)
    }
  }

  #toolOf(known: WeakMap<object, AnyTool>, name: string, tool: AnyTool): AnyTool {
    const before = known.get(tool)
    if (before !== undefined) return before
    const made = governedTool(name, tool, this.#wrapping)
    known.set(tool, made)
    return made
  }
}

const isTool = (tool: unknown): tool is AnyTool =>
  typeof tool === 'object' && tool !== null && typeof Reflect.get(tool, 'execute') === 'function'

const within = (options: RunOptions, signal: AbortSignal): never =>
  ({
    ...options,
    abortSignal: options.abortSignal === undefined ? signal : AbortSignal.any([options.abortSignal, signal]),
  }) as never
