/** OpenAI's service as its client reaches it, by a function in place of the network: chat, responses and assistants. */
import { type ScriptedTurn, scriptedUsage } from '../../integrations/contract.ts'

type Body = Readonly<Record<string, unknown>>

const { inputTokens, outputTokens } = scriptedUsage
const chatUsage = {
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
}
const responseUsage = {
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
}

const callsOf = ({ calls = [] }: ScriptedTurn) =>
  calls.map(({ name, args }, index) => ({
    ...{ index, id: `${name}-${index}`, type: 'function' },
    function: { name, arguments: JSON.stringify(args) },
  }))

const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })

const events = (parts: readonly unknown[]): Response => {
  // Cut where no event ends: a network does so too.
  const text = `${parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join('')}data: [DONE]\n\n`
  const bytes = new TextEncoder().encode(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 37) }, (_, at) =>
    bytes.slice(at * 37, (at + 1) * 37),
  )
  return new Response(ReadableStream.from(pieces) as ReadableStream, {
    headers: { 'content-type': 'text/event-stream' },
  })
}

function chat(turn: ScriptedTurn, body: Body): Response {
  const about = { id: 'chat', created: 1, model: body['model'] }
  const finish_reason = turn.calls === undefined ? 'stop' : 'tool_calls'
  const tools = callsOf(turn)
  const message = {
    ...{ role: 'assistant', content: turn.text ?? null },
    ...(tools.length > 0 && { tool_calls: tools }),
  }
  if (body['stream'] !== true) {
    const choices = [{ index: 0, message, finish_reason, logprobs: null }]
    return json({ ...about, object: 'chat.completion', choices, usage: chatUsage })
  }
  const chunk = (delta: object, end: string | null = null) => ({
    ...{ ...about, object: 'chat.completion.chunk' },
    choices: [{ index: 0, delta, finish_reason: end }],
  })
  const last = { ...about, object: 'chat.completion.chunk', choices: [], usage: chatUsage }
  return events([chunk(message), chunk({}, finish_reason), last])
}

function responses(turn: ScriptedTurn, body: Body): Response {
  const content = [{ type: 'output_text', text: turn.text ?? '', annotations: [] }]
  const output = [{ id: 'm', type: 'message', role: 'assistant', status: 'completed', content }]
  const whole = {
    id: 'r',
    object: 'response',
    model: body['model'],
    status: 'completed',
    output,
    usage: responseUsage,
  }
  if (body['stream'] !== true) return json(whole)
  return events([
    { type: 'response.created', response: { ...whole, status: 'in_progress', usage: null } },
    { type: 'response.completed', response: whole },
  ])
}

function assistant(turn: ScriptedTurn, body: Body): Response {
  const about = { id: 'run', object: 'thread.run', thread_id: 'thread', assistant_id: body['assistant_id'] }
  if (turn.calls === undefined) return json({ ...about, status: 'completed', usage: chatUsage })
  const submit_tool_outputs = { tool_calls: callsOf(turn) }
  const required_action = { type: 'submit_tool_outputs', submit_tool_outputs }
  return json({ ...about, status: 'requires_action', required_action })
}

/** @param next what the model says to what it is sent, as text */
export function serviceOf(next: (prompt: string) => ScriptedTurn) {
  let run: ScriptedTurn = {}
  return async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url instanceof Request ? url.url : url)
    const text = String(init?.body ?? '{}')
    const body = JSON.parse(text) as Body
    if (pathname.endsWith('/chat/completions')) return chat(next(text), body)
    if (pathname.endsWith('/responses')) return responses(next(text), body)
    if (pathname.endsWith('/runs/run')) return assistant(run, body)
    if (/\/runs(\/run\/submit_tool_outputs)?$/.test(pathname)) {
      run = next(text)
      return assistant(run, body)
    }
    if (pathname.endsWith('/models')) return json({ object: 'list', data: [] })
    return json({ error: { message: `nothing answers ${pathname}` } }, 404)
  }
}
