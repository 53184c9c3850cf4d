/** Tokens of one call of a model: as its provider counts them, or estimated from bytes where it does not. */
import type { JsonObject } from '../../json.ts'
import { limits } from '../../limits.ts'
import type { Prompt } from './model.ts'

export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Of the input: what the provider had kept from before, and counts at another price. */
  readonly cachedTokens?: number | undefined
  /** Whether nobody has counted. */
  readonly isEstimated?: true | undefined
}

/** @returns the tokens that so many bytes are taken for */
export const tokensOfBytes = (bytes: number): number => Math.ceil(bytes / limits.llmBytesPerToken)

/** Bytes of a prompt as a policy judges them: all its texts, names, schemas and files, as JSON in UTF-8. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '')

/** @returns what the provider will count for a prompt at most, as far as bytes tell: pictures count by themselves */
export function tokensOfPrompt({ messages, tools, schema }: Prompt): number {
  let pictures = 0
  const plain = messages.map((message) => {
    if (message.role !== 'user' || typeof message.content === 'string') return message
    const content = message.content.map((part) => {
      if (part.type !== 'file' || !part.mediaType.startsWith('image/')) return part
      pictures += 1
      return { ...part, base64: '' }
    })
    return { ...message, content }
  })
  return tokensOfBytes(bytesOf([plain, tools, schema ?? null])) + pictures * limits.llmImageTokens
}

/**
 * @param usage of a LanguageModelV4 result, or what stands there
 * @returns what it says; undefined where that is no count
 */
export function readUsage(usage: unknown): Usage | undefined {
  const inputTokens = countOf(fieldOf(fieldOf(usage, 'inputTokens'), 'total'))
  const outputTokens = countOf(fieldOf(fieldOf(usage, 'outputTokens'), 'total'))
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const cachedTokens = countOf(fieldOf(fieldOf(usage, 'inputTokens'), 'cacheRead')) ?? 0
  return { inputTokens, outputTokens, ...(cachedTokens > 0 && { cachedTokens }) }
}

/** The same of what an integration says: two whole numbers, `inputTokens` and `outputTokens`, and perhaps `cachedTokens`. */
export function readPlainUsage(usage: unknown): Usage | undefined {
  const inputTokens = countOf(fieldOf(usage, 'inputTokens'))
  const outputTokens = countOf(fieldOf(usage, 'outputTokens'))
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const cachedTokens = countOf(fieldOf(usage, 'cachedTokens')) ?? 0
  return { inputTokens, outputTokens, ...(cachedTokens > 0 && { cachedTokens }) }
}

/** The same of an EmbeddingModelV4 result. */
export function readEmbeddingUsage(usage: unknown): Usage | undefined {
  const inputTokens = countOf(fieldOf(usage, 'tokens'))
  return inputTokens === undefined ? undefined : { inputTokens, outputTokens: 0 }
}

export const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

export function usageJson({ inputTokens, outputTokens, isEstimated }: Usage): JsonObject {
  return {
    ...{ inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    ...(isEstimated && { estimated: true }),
  }
}
