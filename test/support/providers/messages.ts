/** Anthropic's messages: `POST /v1/messages`. */
import { z } from 'zod'
import type { Json } from '../../../src/index.ts'
import { callId, frame, nextId, type Protocol, piecesOf, tokensOf } from './protocol.ts'
import type { Says } from './script.ts'

const request = z.looseObject({
  model: z.string(),
  max_tokens: z.int(),
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant']) })).min(1),
  stream: z.boolean().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
})

export const messages: Protocol = {
  path: '/v1/messages',
  read(body) {
    const { model, messages: said, stream } = request.parse(body)
    const turn = said.filter(({ role }) => role === 'assistant').length
    const about = { id: nextId('msg'), model, turn, asked: tokensOf(said) }
    return {
      model,
      turn,
      stream: stream === true,
      whole: (says) => whole(about, says),
      frames: (says) => frames(about, says),
    }
  },
  error: (status, message) => {
    const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'api_error'
    return { type: 'error', error: { type, message }, request_id: nextId('req') }
  },
}

interface About {
  readonly id: string
  readonly model: string
  readonly turn: number
  readonly asked: number
}

const endOf = ({ calls }: Says): string => (calls === undefined ? 'end_turn' : 'tool_use')

const headOf = ({ id, model }: About): Readonly<Record<string, Json>> => ({
  ...{ id, type: 'message', role: 'assistant', model },
})

function whole(about: About, says: Says): Json {
  const text = says.text === undefined ? [] : [{ type: 'text', text: says.text, citations: null }]
  const calls = (says.calls ?? []).map(({ name, args }, index) => ({
    ...{ type: 'tool_use', id: callId(about.turn, index), name, input: args },
  }))
  return {
    ...headOf(about),
    content: [...text, ...calls],
    ...{ stop_reason: endOf(says), stop_sequence: null },
    usage: { input_tokens: about.asked, output_tokens: tokensOf(says) },
  }
}

function frames(about: About, says: Says): readonly string[] {
  const event = (data: Readonly<Record<string, Json>>): string => frame(data, String(data.type))
  const block = (index: number, begun: Json, deltas: readonly Json[]): readonly string[] => [
    event({ type: 'content_block_start', index, content_block: begun }),
    ...deltas.map((delta) => event({ type: 'content_block_delta', index, delta })),
    event({ type: 'content_block_stop', index }),
  ]
  const { text, calls = [] } = says
  const first = text === undefined ? 0 : 1
  const spoken =
    text === undefined
      ? []
      : block(
          0,
          { type: 'text', text: '' },
          piecesOf(text).map((piece) => ({ type: 'text_delta', text: piece })),
        )
  const called = calls.flatMap(({ name, args }, index) =>
    block(
      first + index,
      { type: 'tool_use', id: callId(about.turn, index), name, input: {} },
      piecesOf(JSON.stringify(args)).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    ),
  )
  const begun = {
    ...headOf(about),
    ...{ content: [], stop_reason: null, stop_sequence: null },
    usage: { input_tokens: about.asked, output_tokens: 1 },
  }
  return [
    event({ type: 'message_start', message: begun }),
    event({ type: 'ping' }),
    ...spoken,
    ...called,
    event({
      type: 'message_delta',
      delta: { stop_reason: endOf(says), stop_sequence: null },
      usage: { output_tokens: tokensOf(says) },
    }),
    event({ type: 'message_stop' }),
  ]
}
