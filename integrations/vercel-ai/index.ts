/**
 * The Vercel AI SDK under the kernel: `new VercelAIKernel(kernel).generateText({ model, tools, prompt })`, and the same for
 * `streamText`, agents, tools and models alone. Tools are governed where they are executed, models where they are asked.
 */
import { generateText, streamText, type ToolSet } from 'ai'
import { checkFramework, type KernelSpace, type WrapOptions, type WrappedRun, type Wrapping } from 'gatehouse'
import { type AnyModel, governedModel } from './model.ts'
import { governedTools } from './tools.ts'

/** What this integration was tried with. */
export const tested = { name: 'ai', from: '7.0.0', below: '8.0.0' } as const

/** An agent of the AI SDK, such as `ToolLoopAgent`. */
export interface AgentLike {
  generate(options: never): PromiseLike<unknown>
  stream(options: never): PromiseLike<unknown>
}

/** Of the options of a call those that are governed. */
interface CallOptions {
  readonly model?: unknown
  readonly tools?: ToolSet | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly prompt?: unknown
  readonly messages?: unknown
  readonly prepareStep?: ((...args: never[]) => unknown) | undefined
}

export class VercelAIKernel {
  readonly #wrapping: Wrapping
  /** `generateText` of the AI SDK; each call is one process. */
  readonly generateText: typeof generateText
  /** `streamText` of the AI SDK; each call is one process until its stream has ended. */
  readonly streamText: typeof streamText

  /** @throws KernelError EINVAL for options that are not sound */
  constructor(kernel: KernelSpace, options: WrapOptions = {}) {
    const version = checkFramework(tested, import.meta.url)
    this.#wrapping = kernel.wrapping({ framework: { name: tested.name, version }, ...options })
    this.generateText = ((call: CallOptions) =>
      this.#wrapping.run(
        ({ signal }) => generateText(this.#governed(call, signal) as never),
        taskOf(call),
      )) as never
    this.streamText = ((call: CallOptions) => this.#streamed(call)) as never
  }

  /** The same tools, each governed when it is executed; one that is added to them later is governed too. */
  tools<Tools extends ToolSet>(tools: Tools): Tools {
    return governedTools(tools, this.#wrapping)
  }

  /** The same model, each call of it judged and metered. */
  model<Model extends AnyModel>(model: Model): Model {
    return governedModel(model, this.#wrapping.model())
  }

  /**
   * An agent each of whose runs is one process. What it is made of is its own: give it `model` and `tools` of this object.
   * @returns the same agent, by other doors
   */
  wrap<Agent extends AgentLike>(agent: Agent): Agent {
    const doors: Readonly<Record<string, unknown>> = {
      generate: (call: CallOptions) =>
        this.#wrapping.run(
          ({ signal }) => agent.generate({ ...call, abortSignal: both(call.abortSignal, signal) } as never),
          taskOf(call),
        ),
      stream: async (call: CallOptions) => {
        const run = this.#wrapping.begin(taskOf(call))
        const abortSignal = both(call.abortSignal, run.session.signal)
        try {
          const result = await run.within(() => agent.stream({ ...call, abortSignal } as never))
          endsWith(run, result, call.abortSignal)
          return result
        } catch (error) {
          throw await run.fail(error)
        }
      },
    }
    return new Proxy(agent, {
      get: (target, key) => {
        if (typeof key === 'string' && Object.hasOwn(doors, key)) return doors[key]
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #streamed(call: CallOptions): unknown {
    const run = this.#wrapping.begin(taskOf(call))
    try {
      const result = run.within(() => streamText(this.#governed(call, run.session.signal) as never))
      endsWith(run, result, call.abortSignal)
      return result
    } catch (error) {
      void run.fail(error)
      throw error
    }
  }

  /** The options with what is executed and asked in governed form. */
  #governed(call: CallOptions, signal: AbortSignal): CallOptions {
    const { model, tools, prepareStep } = call
    return {
      ...call,
      model: governedModel(model as AnyModel, this.#wrapping.model()),
      ...(tools !== undefined && { tools: this.tools(tools) }),
      abortSignal: both(call.abortSignal, signal),
      ...(prepareStep !== undefined && { prepareStep: this.#step(prepareStep) }),
    }
  }

  /** A step may bring a model of its own. */
  #step(prepareStep: NonNullable<CallOptions['prepareStep']>): typeof prepareStep {
    return async (...args) => {
      const step = (await prepareStep(...args)) as { readonly model?: AnyModel } | undefined
      if (step?.model === undefined) return step
      return { ...step, model: governedModel(step.model, this.#wrapping.model()) }
    }
  }
}

const taskOf = ({ prompt, messages }: CallOptions): unknown => prompt ?? messages

const both = (own: AbortSignal | undefined, signal: AbortSignal): AbortSignal =>
  own === undefined ? signal : AbortSignal.any([own, signal])

/** The run is over when the stream has been read to its end, has failed, or the application breaks it off. */
function endsWith(run: WrappedRun, result: unknown, aborted: AbortSignal | undefined): void {
  const { finishReason, text } = result as { finishReason: PromiseLike<unknown>; text: PromiseLike<unknown> }
  const broken = (): void => void run.fail(aborted?.reason)
  if (aborted?.aborted) broken()
  aborted?.addEventListener('abort', broken, { once: true })
  Promise.all([finishReason, text])
    .then(
      ([, said]) => run.end(said),
      (error: unknown) => run.fail(error),
    )
    .catch(() => undefined)
    .finally(() => aborted?.removeEventListener('abort', broken))
}
