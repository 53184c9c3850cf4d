/** OpenAI's embeddings: `POST /v1/embeddings`; vectors are made of the text's letters, the same in every run. */
import { z } from 'zod'
import type { Json } from '../../../src/index.ts'
import { tokensOf } from './protocol.ts'

const request = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string())]),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.int().positive().optional(),
})

export const embeddingsPath = '/v1/embeddings'

/** @throws ZodError where no official client would send this */
export function embeddings(body: Json): Json {
  const { model, input, encoding_format: format, dimensions = 8 } = request.parse(body)
  const data = [input].flat().map((text, index) => {
    const vector = vectorOf(text, dimensions)
    const embedding = format === 'base64' ? base64Of(vector) : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const tokens = tokensOf(input)
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

/** How often each class of letters stands in a text, as a vector of length 1. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  const counts = new Float32Array(dimensions)
  for (const letter of text) {
    const at = (letter.codePointAt(0) ?? 0) % dimensions
    counts[at] = (counts[at] ?? 0) + 1
  }
  const length = Math.hypot(...counts)
  return length === 0 ? counts : counts.map((count) => count / length)
}

const base64Of = ({ buffer }: Float32Array): string => Buffer.from(buffer as ArrayBuffer).toString('base64')
