/** Models of the OpenAI Agents SDK, governed wherever a run finds them: at an agent, a runner, or its provider of models. */
import type { Model, ModelProvider, RunConfig } from '@openai/agents'

export class Models {
  readonly #governed = new WeakMap<object, Model>()

  /** @returns a name as it is: a governed runner looks it up */
  ofAgent<M extends string | Model | undefined>(model: M): M {
    return typeof model === 'object' ? (this.#govern(model) as M) : model
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
    return { getModel: async (name) => this.#govern(await provider.getModel(name)) }
  }

  #govern(model: Model): Model {
    const known = this.#governed.get(model)
    if (known !== undefined) return known
    this.#governed.set(model, model)
    return model
  }
}
