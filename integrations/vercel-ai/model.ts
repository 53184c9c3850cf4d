/** A language model of the AI SDK, each call of it judged and metered. */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { gateway, type LanguageModel } from 'ai'
import type { ModelAsk, ModelSaid, WrappedModel } from 'gatehouse'

export type AnyModel = LanguageModel

type Result = Awaited<ReturnType<LanguageModelV4['doGenerate']>>
type Streamed = Awaited<ReturnType<LanguageModelV4['doStream']>>

const governed = new WeakSet<object>()

/**
 * @param given a model, or the name of one, which the AI SDK would look up by itself
 * @returns the same model; one that is governed already as it is
 */
export function governedModel<Model extends AnyModel>(given: Model, wrapped: WrappedModel): Model {
  const model = (typeof given === 'string' ? named(given) : given) as LanguageModelV4
  if (governed.has(model)) return given
  const doors = {
    doGenerate: (options: LanguageModelV4CallOptions) => generate(model, options, wrapped),
    doStream: (options: LanguageModelV4CallOptions) => stream(model, options, wrapped),
  }
  const made = new Proxy(model, {
    get: (target, key) =>
      key === 'doGenerate' || key === 'doStream' ? doors[key] : Reflect.get(target, key, target),
  })
  governed.add(made)
  return made as unknown as Model
}

/** As the AI SDK finds a model that is only named. */
function named(name: string): LanguageModel {
  const provider = Reflect.get(globalThis, 'AI_SDK_DEFAULT_PROVIDER') ?? gateway
  return provider.languageModel(name)
}

async function generate(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  wrapped: WrappedModel,
): Promise<Result> {
  let original: Result | undefined
  const { value, returned } = await wrapped.call(
    askOf(model, options),
    async ({ signal }) => {
      original = await model.doGenerate(within(options, signal))
      return original
    },
    ({ content, finishReason, usage }): ModelSaid => ({
      value: plain({ content, finishReason }),
      usage: usageOf(usage),
    }),
  )
  // What a rule took out of the reply is out of what the SDK gets too.
  return returned ?? ({ ...original, ...(value as object) } as Result)
}

async function stream(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  wrapped: WrappedModel,
): Promise<Streamed> {
  const about: Partial<Streamed> = {}
  const parts = await wrapped.stream<LanguageModelV4StreamPart>(
    askOf(model, options),
    async ({ signal }) => {
      const { stream: source, ...rest } = await model.doStream(within(options, signal))
      Object.assign(about, rest)
      return source as unknown as AsyncIterable<LanguageModelV4StreamPart>
    },
    {
      usage: (part) => (part.type === 'finish' ? usageOf(part.usage) : undefined),
      value: (all) => plain(all.filter(({ type }) => type !== 'raw')),
    },
  )
  return { ...about, stream: ReadableStream.from(parts) as Streamed['stream'] }
}

const askOf = (
  { provider, modelId }: LanguageModelV4,
  { prompt, tools = [], maxOutputTokens }: LanguageModelV4CallOptions,
): ModelAsk => ({
  // `openai.responses` is a way to ask `openai`.
  model: `${provider.split('.')[0]}/${modelId}`,
  prompt: plain(prompt),
  tokensMax: maxOutputTokens,
  tools: tools.map(({ name }) => name),
})

const within = (options: LanguageModelV4CallOptions, signal: AbortSignal): LanguageModelV4CallOptions => ({
  ...options,
  abortSignal: options.abortSignal === undefined ? signal : AbortSignal.any([options.abortSignal, signal]),
})

/** Version 4 of the interface counts `{ total }`, version 2 plain numbers. */
function usageOf(usage: unknown): ModelSaid['usage'] {
  const { inputTokens, outputTokens } = (usage ?? {}) as Readonly<Record<string, unknown>>
  const total = (count: unknown): number | undefined =>
    typeof count === 'number' ? count : (count as { readonly total?: number } | undefined)?.total
  const [input, output] = [total(inputTokens), total(outputTokens)]
  const cached = (inputTokens as { readonly cacheRead?: number } | undefined)?.cacheRead
  if (input === undefined || output === undefined) return undefined
  return { inputTokens: input, outputTokens: output, cachedTokens: cached }
}

/** As JSON: bytes as base64, URLs and dates as text. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part,
    ),
  )
