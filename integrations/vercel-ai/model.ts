/** A language model of the AI SDK, which may be only named. */
import { gateway, type LanguageModel } from 'ai'
import type { Wrapping } from 'gatehouse'

export type AnyModel = LanguageModel

/**
 * @param given a model, or the name of one, which the AI SDK would look up by itself
 * @returns the same model, each call of it judged and metered; one that is governed already as it is
 */
export function governedModel<Model extends AnyModel>(given: Model, wrapping: Wrapping): Model {
  const model = typeof given === 'string' ? named(given) : given
  return wrapping.languageModel(model as never) as unknown as Model
}

/** As the AI SDK finds a model that is only named. */
function named(name: string): LanguageModel {
  const provider = Reflect.get(globalThis, 'AI_SDK_DEFAULT_PROVIDER') ?? gateway
  return provider.languageModel(name)
}
