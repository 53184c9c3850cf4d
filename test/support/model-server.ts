/** A server on loopback that speaks the protocols of model providers, and does what a test tells it. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { serve } from './serve.ts'

export interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
  /** Settles when the connection is closed, by whom it may be. */
  readonly closed: Promise<unknown>
}

export interface ModelServer {
  /** Where the API begins. */
  readonly url: string
  /** What it was asked, the oldest first. */
  readonly asked: readonly Asked[]
}

export type Answer = (response: ServerResponse, asked: Asked, count: number) => void | Promise<void>

export async function modelServer(answer: Answer): Promise<ModelServer> {
  const asked: Asked[] = []
  const url = await serve(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const one: Asked = {
      path: request.url ?? '',
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}'),
      closed: once(response, 'close'),
    }
    asked.push(one)
    await answer(response, one, asked.length)
  })
  return { url: `${url}v1`, asked }
}

export function json(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A whole answer of OpenAI's chat completions. */
export const completion = (
  message: object,
  usage: object | undefined = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
  finish = 'stop',
) => ({
  ...{ id: 'c-1', object: 'chat.completion', created: 1, model: 'm' },
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  ...(usage !== undefined && { usage }),
})

/** The head of a streamed answer. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
}

/** One event of OpenAI's streamed chat completions. */
export function event(response: ServerResponse, delta: object, finish: string | null = null): void {
  const chunk = {
    ...{ id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'm' },
    choices: [{ index: 0, delta, finish_reason: finish }],
  }
  response.write(`data: ${JSON.stringify(chunk)}\n\n`)
}

/** The last events of one: why it ended, and the tokens. */
export function endEvents(
  response: ServerResponse,
  finish = 'stop',
  tokens: readonly [number, number] = [20, 5],
): void {
  event(response, {}, finish)
  const usage = {
    prompt_tokens: tokens[0],
    completion_tokens: tokens[1],
    total_tokens: tokens[0] + tokens[1],
  }
  response.write(
    `data: ${JSON.stringify({ id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage })}\n\n`,
  )
  response.end('data: [DONE]\n\n')
}
