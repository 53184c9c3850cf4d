/** Models as an application gives them: an object of the AI SDK, or functions of its own. */
import type { Json, JsonObject } from '../../json.ts'
import { limits } from '../../limits.ts'
import { callOptionsOf } from './call-options.ts'
import type { Embedding, Language, ModelContext, Prompt } from './model.ts'
import { tooLong } from './reply.ts'

/** The part of the AI SDK's `LanguageModelV4` that the kernel calls: any of its providers makes such an object. */
export interface LanguageModelObject {
  readonly specificationVersion: 'v4'
  doGenerate(options: never): PromiseLike<unknown>
  doStream(options: never): PromiseLike<unknown>
}

/** The same of its `EmbeddingModelV4`. */
export interface EmbeddingModelObject {
  readonly specificationVersion: 'v4'
  readonly maxEmbeddingsPerCall?: PromiseLike<number | undefined> | number | undefined
  doEmbed(options: never): PromiseLike<unknown>
}

/** What a function answers where a text is not enough. */
export interface FunctionReply {
  readonly text?: string
  readonly toolCalls?: readonly {
    readonly toolName: string
    readonly input: Json
    readonly toolCallId?: string
  }[]
  readonly finishReason?: string
  /** Estimated from the texts where left out. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
}

/** Answers a prompt: with a text, with more, or with pieces of a text as they come. */
export type ModelFunction = (
  prompt: Prompt,
  context: ModelContext,
) =>
  | string
  | FunctionReply
  | AsyncIterable<string>
  | PromiseLike<string | FunctionReply | AsyncIterable<string>>

/** Turns texts into vectors, one for each. */
export type EmbedFunction = (
  values: readonly string[],
  context: ModelContext,
) => readonly (readonly number[])[] | PromiseLike<readonly (readonly number[])[]>

/** @param settings that go with every call, in the form of the AI SDK's `providerOptions` */
export function languageOfObject(model: LanguageModelObject, settings?: JsonObject): Language {
  const optionsOf = (prompt: Prompt, signal: AbortSignal) =>
    ({
      ...callOptionsOf(prompt, signal),
      ...(settings !== undefined && { providerOptions: settings }),
    }) as never
  return {
    generate: async (prompt, { signal }) => model.doGenerate(optionsOf(prompt, signal)),
    async stream(prompt, { signal }) {
      const result = await model.doStream(optionsOf(prompt, signal))
      return (result as { readonly stream: AsyncIterable<unknown> }).stream
    },
  }
}

/** Where an object does not say how many values it takes at once, providers take at least so many. */
const valuesAtOnce = 96

export function embeddingOfObject(model: EmbeddingModelObject): Embedding {
  return {
    embed: async (values, { signal }) => model.doEmbed({ values: [...values], abortSignal: signal } as never),
    async most() {
      const most = await model.maxEmbeddingsPerCall
      return typeof most === 'number' && most >= 1 ? Math.floor(most) : valuesAtOnce
    },
  }
}

export function languageOfFunction(answer: ModelFunction): Language {
  const parts = async function* (prompt: Prompt, context: ModelContext): AsyncGenerator<unknown> {
    const answered = await answer(prompt, context)
    if (isPieces(answered)) {
      for await (const delta of answered) yield { type: 'text-delta', id: '0', delta }
      yield { type: 'finish', finishReason: { unified: 'stop' } }
      return
    }
    const { content, ...finish } = resultOf(answered)
    for (const part of content)
      yield part.type === 'text' ? { type: 'text-delta', id: '0', delta: part.text } : part
    yield { type: 'finish', ...finish }
  }
  return {
    async generate(prompt, context) {
      const answered = await answer(prompt, context)
      if (!isPieces(answered)) return resultOf(answered)
      let text = ''
      for await (const piece of answered) {
        text += piece
        if (text.length > limits.llmReplyBytesMax) throw tooLong()
      }
      return resultOf(text)
    },
    stream: async (prompt, context) => parts(prompt, context),
  }
}

export const embeddingOfFunction = (embed: EmbedFunction): Embedding => ({
  embed: async (values, context) => ({ embeddings: await embed(values, context) }),
  most: async () => Number.POSITIVE_INFINITY,
})

const isPieces = (answered: unknown): answered is AsyncIterable<string> =>
  typeof answered === 'object' && answered !== null && Symbol.asyncIterator in answered

/** @returns a result in the interface's form; what in it is not sound is found by who reads it */
function resultOf(answered: string | FunctionReply) {
  const reply: FunctionReply = typeof answered === 'string' ? { text: answered } : answered
  const { text, toolCalls = [], finishReason, usage } = reply
  const calls = toolCalls.map(({ toolName, input, toolCallId }, index) => ({
    ...{ type: 'tool-call' as const, toolCallId: toolCallId ?? `call-${index + 1}`, toolName },
    input: JSON.stringify(input ?? {}),
  }))
  return {
    content: [...(text === undefined ? [] : [{ type: 'text' as const, text }]), ...calls],
    finishReason: { unified: finishReason ?? (calls.length > 0 ? 'tool-calls' : 'stop') },
    ...(usage !== undefined && {
      usage: { inputTokens: { total: usage.inputTokens }, outputTokens: { total: usage.outputTokens } },
    }),
  }
}
