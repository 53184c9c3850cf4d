/** OpenAI's responses: `POST /v1/responses`. */
import { z } from 'zod'
import type { Json } from '../../../src/index.ts'
import { openaiError } from './chat.ts'
import {
  callId,
  createdAt,
  frame,
  nextId,
  type Protocol,
  piecesOf,
  tokensOf,
  turnOfCall,
} from './protocol.ts'
import type { Says } from './script.ts'

const item = z.looseObject({
  type: z.string().optional(),
  role: z.string().optional(),
  call_id: z.string().optional(),
})
const request = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(item)]),
  stream: z.boolean().nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  previous_response_id: z.string().nullish(),
})

/** Turns so far of each response that was given, for requests that only name the one before. */
const turns = new Map<string, number>()

export const responses: Protocol = {
  path: '/v1/responses',
  read(body) {
    const { model, input, stream, previous_response_id: before } = request.parse(body)
    const turn = (turns.get(before ?? '') ?? 0) + turnsIn(typeof input === 'string' ? [] : input)
    const about = { id: nextId('resp'), model, turn, asked: tokensOf(input) }
    turns.set(about.id, turn + 1)
    return {
      model,
      turn,
      stream: stream === true,
      whole: (says) => responseOf(about, says, itemsOf(about, says), 'completed'),
      frames: (says) => frames(about, says),
    }
  },
  error: openaiError,
}

/** A turn with calls is known by their ids, others by what was said; a turn that did both counts by its calls alone. */
function turnsIn(input: readonly z.infer<typeof item>[]): number {
  const called = new Set(
    input.filter(({ type }) => type === 'function_call').map(({ call_id: id = '' }) => turnOfCall(id)),
  )
  return called.size + input.filter(({ role }) => role === 'assistant').length
}

interface About {
  readonly id: string
  readonly model: string
  readonly turn: number
  readonly asked: number
}

type Item = Readonly<Record<string, Json>>

const textPart = (text: string): Json => ({ type: 'output_text', text, annotations: [], logprobs: [] })

function itemsOf({ id, turn }: About, { text, calls = [] }: Says): readonly Item[] {
  const spoken: Item[] =
    text === undefined
      ? []
      : [
          {
            ...{ id: `msg_${id}`, type: 'message', status: 'completed', role: 'assistant' },
            content: [textPart(text)],
          },
        ]
  const called = calls.map(({ name, args }, index) => ({
    ...{ id: `fc_${id}_${index}`, type: 'function_call', status: 'completed' },
    ...{ call_id: callId(turn, index), name, arguments: JSON.stringify(args) },
  }))
  return [...spoken, ...called]
}

function responseOf(about: About, says: Says, output: readonly Item[], status: string): Json {
  const [asked, said] = [about.asked, tokensOf(says)]
  const usage = {
    input_tokens: asked,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: said,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: asked + said,
  }
  return {
    ...{ id: about.id, object: 'response', created_at: createdAt, status, model: about.model },
    ...{ error: null, incomplete_details: null, instructions: null, metadata: {}, output: [...output] },
    ...{ parallel_tool_calls: true, temperature: 1, tool_choice: 'auto', tools: [], top_p: 1 },
    usage: status === 'completed' ? usage : null,
  }
}

function frames(about: About, says: Says): readonly string[] {
  let number = -1
  const event = (type: string, more: Readonly<Record<string, Json>>): string => {
    number += 1
    return frame({ type, sequence_number: number, ...more }, type)
  }
  const items = itemsOf(about, says)
  const begun = responseOf(about, says, [], 'in_progress')
  return [
    event('response.created', { response: begun }),
    event('response.in_progress', { response: begun }),
    ...items.flatMap((item, index) => itemFrames(item, index, event)),
    event('response.completed', { response: responseOf(about, says, items, 'completed') }),
  ]
}

function itemFrames(
  item: Item,
  at: number,
  event: (type: string, more: Readonly<Record<string, Json>>) => string,
): readonly string[] {
  const isMessage = item.type === 'message'
  const place = { item_id: item.id ?? null, output_index: at }
  const part = { ...place, content_index: 0 }
  const begun = { ...item, status: 'in_progress', ...(isMessage ? { content: [] } : { arguments: '' }) }
  const text = isMessage ? textIn(item.content) : String(item.arguments)
  const inside = isMessage
    ? [
        event('response.content_part.added', { ...part, part: textPart('') }),
        ...piecesOf(text).map((delta) =>
          event('response.output_text.delta', { ...part, delta, logprobs: [] }),
        ),
        event('response.output_text.done', { ...part, text, logprobs: [] }),
        event('response.content_part.done', { ...part, part: textPart(text) }),
      ]
    : [
        ...piecesOf(text).map((delta) =>
          event('response.function_call_arguments.delta', { ...place, delta }),
        ),
        event('response.function_call_arguments.done', {
          ...place,
          name: item.name ?? null,
          arguments: text,
        }),
      ]
  return [
    event('response.output_item.added', { output_index: at, item: begun }),
    ...inside,
    event('response.output_item.done', { output_index: at, item: { ...item } }),
  ]
}

const textIn = (content: Json | undefined): string =>
  z
    .array(z.looseObject({ text: z.string() }))
    .parse(content)
    .map(({ text }) => text)
    .join('')
