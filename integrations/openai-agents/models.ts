/** Models of the OpenAI Agents SDK, governed wherever a run finds them: at an agent, a runner, or its provider of models. */
import type {
  Model,
  ModelProvider,
  ModelRequest,
  ModelResponse,
  RunConfig,
  StreamEvent,
} from '@openai/agents'
import { KernelError, type ModelAsk, type ModelSaid, type WrappedModel, type Wrapping } from 'gatehouse'

export class Models {
  readonly #wrapped: WrappedModel
  readonly #governed = new WeakMap<Model, Model>()

  constructor(wrapping: Wrapping) {
    this.#wrapped = wrapping.model()
  }

  /** @returns a name as it is: a governed runner looks it up */
  ofAgent<M extends string | Model | undefined>(model: M): M {
    return typeof model === 'object' ? (this.#govern(model, 'unknown') as M) : model
  }

  /** @returns the same settings, in which no model is ungoverned */
  ofConfig<Config extends Partial<RunConfig>>(config: Config): Config {
    const { model, modelProvider } = config
    return {
      ...config,
      ...(model !== undefined && { model: this.ofAgent(model) }),
      ...(modelProvider !== undefined && { modelProvider: this.#provider(modelProvider) }),
    }
  }

  #provider(provider: ModelProvider): ModelProvider {
    return { getModel: async (name) => this.#govern(await provider.getModel(name), name || 'default') }
  }

  /** @param name of the model, where it says none itself */
  #govern(model: Model, name: string): Model {
    const known = this.#governed.get(model)
    if (known !== undefined) return known
    const members: Pick<Model, 'getResponse' | 'getStreamedResponse'> = {
      getResponse: (request) => this.#whole(model, name, request),
      getStreamedResponse: (request) => this.#parts(model, name, request),
    }
    const governed = new Proxy(model, {
      get(target, key) {
        const value: unknown = Object.hasOwn(members, key)
          ? Reflect.get(members, key)
          : Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    this.#governed.set(model, governed)
    this.#governed.set(governed, governed)
    return governed
  }

  async #whole(model: Model, name: string, request: ModelRequest): Promise<ModelResponse> {
    const reply = await this.#wrapped.call(
      askOf(model, name, request),
      ({ signal }) => model.getResponse(ending(request, signal)),
      said,
    )
    if (reply.returned !== undefined) return reply.returned
    throw new KernelError(
      'EPERM',
      'the reply of the model holds what a rule takes out, and is withheld as a whole',
    )
  }

  async *#parts(model: Model, name: string, request: ModelRequest): AsyncIterable<StreamEvent> {
    yield* await this.#wrapped.stream(
      askOf(model, name, request),
      ({ signal }) => model.getStreamedResponse(ending(request, signal)),
      {
        usage: (part) => (part.type === 'response_done' ? part.response.usage : undefined),
        value: (parts) =>
          plain(parts.flatMap((part) => (part.type === 'response_done' ? part.response.output : []))),
      },
    )
  }
}

/** How models of the SDK, and of others, say what they are. */
interface Named {
  readonly provider?: unknown
  readonly model?: unknown
  readonly _model?: unknown
}

function askOf(model: Model, fallback: string, request: ModelRequest): ModelAsk {
  const { systemInstructions, input, modelSettings, tools, handoffs } = request
  const { provider = 'openai', model: own, _model: hidden } = model as Named
  return {
    model: `${provider}/${own ?? hidden ?? fallback}`,
    prompt: plain({ systemInstructions, input }),
    tokensMax: modelSettings.maxTokens,
    tools: [...tools.map((tool) => tool.name), ...handoffs.map((handoff) => handoff.toolName)],
  }
}

const said = ({ output, usage }: ModelResponse): ModelSaid => ({ value: plain(output), usage })

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const ending = (request: ModelRequest, signal: AbortSignal): ModelRequest => ({
  ...request,
  signal: request.signal === undefined ? signal : AbortSignal.any([request.signal, signal]),
})
