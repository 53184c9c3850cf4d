/** The generic wrap of a model: a function that is asked, or an object with the interface of the AI SDK's providers. */
import { KernelError } from '../errors.ts'
import { governedLanguageModel, type LanguageModelLike } from './language-model.ts'
import type { Wrapping } from './wrapping.ts'

/** Gives a reply to a prompt; both are JSON. Tokens are charged by `usage: { inputTokens, outputTokens }` of the reply, if it has one. */
export type ModelFunction = (prompt: never, ...more: never[]) => unknown

/**
 * @param name `provider/model`, by which policies, prices and the record know a function; an object says it itself
 * @returns the same model; a refusal is thrown as KernelError
 * @throws KernelError EINVAL for what is no model, and for a function without a name
 */
export function wrapModel<Model extends ModelFunction | LanguageModelLike>(
  model: Model,
  wrapping: Wrapping,
  name?: string,
): Model {
  if (typeof model === 'function') return governedFunction(model, wrapping, name) as unknown as Model
  if (typeof model?.doGenerate !== 'function' || typeof model.doStream !== 'function')
    throw new KernelError('EINVAL', 'a model is a function, or an object with `doGenerate` and `doStream`')
  return governedLanguageModel(model as LanguageModelLike, wrapping.model()) as Model
}

function governedFunction(model: ModelFunction, wrapping: Wrapping, name: string | undefined) {
  if (name === undefined || !name.includes('/'))
    throw new KernelError(
      'EINVAL',
      'a model that is a function is named by the option `model`: `provider/model`',
    )
  return async (prompt: unknown, ...more: unknown[]): Promise<unknown> => {
    const { value } = await wrapping.model().call(
      { model: name, prompt },
      // The copy that was judged, and not what its owner makes of it meanwhile.
      ({ prompt: judged }) => Reflect.apply(model, undefined, [judged, ...more] as never),
      (reply) => ({ value: reply, usage: (reply as { usage?: never } | undefined)?.usage }),
    )
    return value
  }
}
