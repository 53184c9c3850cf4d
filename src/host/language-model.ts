/** A model with the interface of the AI SDK's providers (LanguageModelV4, and 3 and 2 before it), each call judged and metered. */
import type { ModelUsage } from '../drivers/llm/wrapped.ts'
import type { ModelAsk, ModelSaid } from './model-call.ts'
import type { WrappedModel } from './wrapping.ts'

/** As much of the interface as is governed. */
export interface LanguageModelLike {
  readonly provider: string
  readonly modelId: string
  doGenerate(options: never): PromiseLike<unknown>
  doStream(options: never): PromiseLike<unknown>
}

interface CallOptions {
  readonly prompt: unknown
  readonly tools?: readonly { readonly name: string }[]
  readonly maxOutputTokens?: number
  readonly abortSignal?: AbortSignal
}

interface Result {
  readonly content: unknown
  readonly finishReason: unknown
  readonly usage?: unknown
}

interface Part {
  readonly type: string
  readonly usage?: unknown
}

interface Streamed {
  readonly stream: AsyncIterable<Part>
}

const governed = new WeakSet<object>()

/**
 * @param model an object of a provider, or one like it
 * @returns the same model by other doors; one that is governed already as it is
 */
export function governedLanguageModel<Model extends LanguageModelLike>(
  model: Model,
  wrapped: WrappedModel,
): Model {
  if (governed.has(model)) return model
  const doors: Readonly<Record<PropertyKey, unknown>> = {
    doGenerate: (options: CallOptions) => generate(model, options, wrapped),
    doStream: (options: CallOptions) => stream(model, options, wrapped),
  }
  const made = new Proxy(model, {
    get: (target, key) => (Object.hasOwn(doors, key) ? doors[key] : Reflect.get(target, key, target)),
  })
  governed.add(made)
  return made
}

async function generate(
  model: LanguageModelLike,
  options: CallOptions,
  wrapped: WrappedModel,
): Promise<unknown> {
  let original: Result | undefined
  const { value, returned } = await wrapped.call(
    askOf(model, options),
    async ({ signal }) => {
      original = (await model.doGenerate(within(options, signal) as never)) as Result
      return original
    },
    ({ content, finishReason, usage }): ModelSaid => ({
      value: plain({ content, finishReason }),
      usage: usageOf(usage),
    }),
  )
  // What a rule took out of the reply is out of what its framework gets too.
  return returned ?? { ...original, ...(value as object) }
}

async function stream(
  model: LanguageModelLike,
  options: CallOptions,
  wrapped: WrappedModel,
): Promise<unknown> {
  const about: Record<string, unknown> = {}
  const parts = await wrapped.stream<Part>(
    askOf(model, options),
    async ({ signal }) => {
      const { stream: source, ...rest } = (await model.doStream(within(options, signal) as never)) as Streamed
      Object.assign(about, rest)
      return source
    },
    {
      usage: (part) => (part.type === 'finish' ? usageOf(part.usage) : undefined),
      value: (all) => plain(all.filter(({ type }) => type !== 'raw')),
    },
  )
  return { ...about, stream: ReadableStream.from(parts) }
}

const askOf = (
  { provider, modelId }: LanguageModelLike,
  { prompt, tools = [], maxOutputTokens }: CallOptions,
): ModelAsk => ({
  // `openai.responses` is a way to ask `openai`.
  model: `${provider.split('.')[0]}/${modelId}`,
  prompt: plain(prompt),
  tokensMax: maxOutputTokens,
  tools: tools.map(({ name }) => name),
})

const within = (options: CallOptions, signal: AbortSignal): CallOptions => ({
  ...options,
  abortSignal: options.abortSignal === undefined ? signal : AbortSignal.any([options.abortSignal, signal]),
})

/** Version 4 of the interface counts `{ total }`, version 2 plain numbers. */
function usageOf(usage: unknown): ModelUsage | undefined {
  const { inputTokens, outputTokens } = (usage ?? {}) as Readonly<Record<string, unknown>>
  const total = (count: unknown): number | undefined =>
    typeof count === 'number' ? count : (count as { readonly total?: number } | undefined)?.total
  const [input, output] = [total(inputTokens), total(outputTokens)]
  if (input === undefined || output === undefined) return undefined
  const cachedTokens = (inputTokens as { readonly cacheRead?: number } | undefined)?.cacheRead
  return { inputTokens: input, outputTokens: output, cachedTokens }
}

/** As JSON: bytes as base64, URLs and dates as text. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part,
    ),
  )
