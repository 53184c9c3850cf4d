/** OpenAI's chat completions: `POST /v1/chat/completions`. */
import { z } from 'zod'
import type { Json } from '../../../src/index.ts'
import { callId, createdAt, frame, nextId, type Protocol, piecesOf, tokensOf } from './protocol.ts'
import type { Says } from './script.ts'

const message = z.looseObject({ role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']) })
const request = z.looseObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
})

export const chat: Protocol = {
  path: '/v1/chat/completions',
  read(body) {
    const { model, messages, stream, stream_options: options } = request.parse(body)
    const turn = messages.filter(({ role }) => role === 'assistant').length
    const about = { id: nextId('chatcmpl'), model, turn, asked: tokensOf(messages) }
    return {
      model,
      turn,
      stream: stream === true,
      whole: (says) => whole(about, says),
      frames: (says) => frames(about, says, options?.include_usage === true),
    }
  },
  error: openaiError,
}

/** As OpenAI says what went wrong, here and in its other calls. */
export function openaiError(status: number, message: string): Json {
  const type =
    status === 429 ? 'rate_limit_exceeded' : status < 500 ? 'invalid_request_error' : 'server_error'
  return { error: { message, type, param: null, code: type } }
}

interface About {
  readonly id: string
  readonly model: string
  readonly turn: number
  readonly asked: number
}

const usageOf = ({ asked }: About, says: Says): Json => ({
  prompt_tokens: asked,
  completion_tokens: tokensOf(says),
  total_tokens: asked + tokensOf(says),
})

const callsOf = ({ turn }: About, { calls = [] }: Says) =>
  calls.map(({ name, args }, index) => ({
    id: callId(turn, index),
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }))

const endOf = ({ calls }: Says): string => (calls === undefined ? 'stop' : 'tool_calls')

function whole(about: About, says: Says): Json {
  const { id, model } = about
  const calls = callsOf(about, says)
  const spoken = { role: 'assistant', content: says.text ?? null, refusal: null }
  const message = calls.length > 0 ? { ...spoken, tool_calls: calls } : spoken
  return {
    ...{ id, object: 'chat.completion', created: createdAt, model },
    choices: [{ index: 0, message, logprobs: null, finish_reason: endOf(says) }],
    usage: usageOf(about, says),
  }
}

function frames(about: About, says: Says, withUsage: boolean): readonly string[] {
  const { id, model } = about
  const head = { id, object: 'chat.completion.chunk', created: createdAt, model }
  const chunk = (delta: Json, end: string | null = null): string =>
    frame({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: end }] })
  const spoken = piecesOf(says.text ?? '').map((content) => chunk({ content }))
  const called = callsOf(about, says).flatMap(({ function: { name, arguments: args }, ...call }, index) => [
    chunk({ tool_calls: [{ index, ...call, function: { name, arguments: '' } }] }),
    ...piecesOf(args).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ])
  const usage = withUsage ? [frame({ ...head, choices: [], usage: usageOf(about, says) })] : []
  const begun = chunk({ role: 'assistant', content: says.text === undefined ? null : '' })
  return [begun, ...spoken, ...called, chunk({}, endOf(says)), ...usage, 'data: [DONE]\n\n']
}
