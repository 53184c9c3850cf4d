/** The option `llm`, read when the kernel starts: whatever could never be asked, or would be charged wrongly, refuses the start. */
import { closest } from 'fastest-levenshtein'
import { KernelError } from '../../errors.ts'
import { type Labels, readLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import type { Egress } from '../net/egress.ts'
import {
  type EmbeddingModelObject,
  type EmbedFunction,
  embeddingOfFunction,
  embeddingOfObject,
  type LanguageModelObject,
  languageOfFunction,
  languageOfObject,
  type ModelFunction,
} from './given.ts'
import type { Model } from './model.ts'
import { type Price, type PriceOption, readPrice } from './prices.ts'
import { type ServerModel, serverModel } from './server.ts'

/** One model: an object of the AI SDK, a function, functions for prompts and for vectors, or a server. */
export type ModelOption =
  | LanguageModelObject
  | EmbeddingModelObject
  | ModelFunction
  | { readonly generate?: ModelFunction; readonly embed?: EmbedFunction }
  | ServerModel

/** A duration such as `30s` for the whole of a call; or one for each of its parts. */
export type ModelTimeout =
  | string
  | {
      /** A call with all its attempts; `10m` by default. */
      readonly whole?: string
      /** Until the first part of a streamed reply; `3m` by default. */
      readonly first?: string
      /** Between two parts of one; `1m` by default. */
      readonly idle?: string
    }

export interface LlmOptions {
  /** By `provider/model`, as policies and agents name it. */
  readonly models: Readonly<Record<string, ModelOption>>
  /** By the same names: US dollars for a million tokens. Where a budget of cost is in force, a model without one is refused. */
  readonly prices?: Readonly<Record<string, PriceOption>>
  /** By the same names: what every reply carries, for policies on data flow. */
  readonly labels?: Readonly<Record<string, readonly string[]>>
  /** How often a call is tried again where that is safe; 2 by default. */
  readonly retries?: number
  readonly timeout?: ModelTimeout
}

export interface OpenedModels {
  readonly models: ReadonlyMap<string, Model>
  readonly prices: ReadonlyMap<string, Price>
  readonly labels: ReadonlyMap<string, Labels>
}

/** A provider, and one or more parts after it. */
const namePattern = /^[A-Za-z0-9][\w.-]*(\/[\w.:@+~-]+)+$/

/** @throws KernelError EINVAL with the model, what is wrong and what was meant */
export function openModels({ models, prices = {}, labels = {} }: LlmOptions, egress: Egress): OpenedModels {
  const names = Object.keys(models)
  if (names.length > limits.modelsMax)
    throw new KernelError('EINVAL', `${names.length} models, at most ${limits.modelsMax} fit`)
  const opened = new Map(
    Object.entries(models).map(([name, option]) => [name, openModel(name, option, egress)]),
  )
  for (const key of ['prices', 'labels'] as const)
    for (const name of Object.keys(key === 'prices' ? prices : labels))
      if (!opened.has(name))
        throw new KernelError(
          'EINVAL',
          `the option \`llm.${key}\` of KernelSpace names \`${name.slice(0, limits.modelNameMax)}\`, which is none of its models${meant(name, names)}`,
        )
  return {
    models: opened,
    prices: new Map(Object.entries(prices).map(([name, price]) => [name, readPrice(name, price)])),
    labels: new Map(
      Object.entries(labels).map(([name, given]) => [
        name,
        readLabels(given, `the model \`${name}\`: \`labels\``),
      ]),
    ),
  }
}

const meant = (name: string, names: readonly string[]): string =>
  names.length === 0 ? '' : `; did you mean \`${closest(name.slice(0, limits.modelNameMax), [...names])}\`?`

function openModel(name: string, option: ModelOption, egress: Egress): Model {
  const refuse = (why: string): KernelError =>
    new KernelError(
      'EINVAL',
      `the model \`${name.slice(0, limits.modelNameMax)}\` of the option \`llm\`: ${why}`,
    )
  if (!namePattern.test(name) || name.length > limits.modelNameMax)
    throw refuse(
      'a model is called `provider/model`: letters, digits and `_ - .`, and after the slash also `: @ + ~ /`',
    )
  if (typeof option === 'function') return { name, language: languageOfFunction(option) }
  if (typeof option !== 'object' || option === null) throw refuse(forms)
  if ('url' in option) return serverModel(name, option, egress)
  if ('specificationVersion' in option) return objectModel(name, option, refuse)
  if ('generate' in option || 'embed' in option) {
    const { generate, embed } = option
    for (const given of [generate, embed])
      if (given !== undefined && typeof given !== 'function') throw refuse(forms)
    return {
      name,
      ...(generate !== undefined && { language: languageOfFunction(generate) }),
      ...(embed !== undefined && { embedding: embeddingOfFunction(embed) }),
    }
  }
  throw refuse(forms)
}

const forms =
  'it is an object that a provider of the AI SDK makes, a function, `{ generate, embed }` with functions, or `{ url, model, key }`'

function objectModel(
  name: string,
  option: LanguageModelObject | EmbeddingModelObject,
  refuse: (why: string) => KernelError,
): Model {
  const { specificationVersion } = option
  if (specificationVersion !== 'v4')
    throw refuse(
      `it speaks version \`${String(specificationVersion).slice(0, limits.wordMax)}\` of the AI SDK's model interface, and the kernel speaks \`v4\`; install a provider that goes with \`ai\` 7`,
    )
  if (
    'doGenerate' in option &&
    typeof option.doGenerate === 'function' &&
    typeof option.doStream === 'function'
  )
    return { name, language: languageOfObject(option) }
  if ('doEmbed' in option && typeof option.doEmbed === 'function')
    return { name, embedding: embeddingOfObject(option) }
  throw refuse(forms)
}
