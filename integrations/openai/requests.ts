/** Requests of the client to models, each judged and metered as what is really sent. Other requests pass as they are. */
import { KernelError, type ModelSaid, type WrappedModel } from 'gatehouse'
import { eventsOf, usageOf } from './events.ts'

export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>

/** A request to a model: what is sent, and that it is to be answered in events. */
interface ModelBody {
  readonly model?: unknown
  readonly stream?: unknown
  readonly tools?: unknown
  readonly max_completion_tokens?: unknown
  readonly max_output_tokens?: unknown
  readonly max_tokens?: unknown
}

const toModels = /\/(chat\/completions|responses|completions)\/?$/

/** @returns the function by which the governed client sends its requests */
export function governedFetch(fetch: Fetch, wrapped: WrappedModel, provider: string): Fetch {
  return async (url, init) => {
    const body = modelBody(url, init)
    if (body === undefined) return fetch(url, init)
    const ask = {
      model: `${provider}/${String(body.model)}`,
      prompt: body,
      tokensMax: boundOf(body),
      tools: toolNames(body.tools),
    }
    // The text that was judged, and not what its owner makes of it meanwhile.
    const send = async (signal: AbortSignal): Promise<Response> => {
      const both = init?.signal ? AbortSignal.any([init.signal, signal]) : signal
      const response = await fetch(url, { ...init, body: JSON.stringify(body), signal: both })
      if (!response.ok) throw new Unanswered(response)
      return response
    }
    try {
      return await (body.stream === true ? streamed(wrapped, ask, send) : answered(wrapped, ask, send))
    } catch (error) {
      if (error instanceof Unanswered) return error.response
      if (error instanceof KernelError) return refusal(error)
      throw error
    }
  }
}

type Ask = Parameters<WrappedModel['call']>[0]
type Send = (signal: AbortSignal) => Promise<Response>

async function answered(wrapped: WrappedModel, ask: Ask, send: Send): Promise<Response> {
  let headers = new Headers()
  const { value } = await wrapped.call(
    ask,
    async ({ signal }) => {
      const response = await send(signal)
      headers = response.headers
      return (await response.json()) as unknown
    },
    (reply): ModelSaid => ({ value: reply, usage: usageOf(reply) }),
  )
  return new Response(JSON.stringify(value), { headers: plainHeaders(headers) })
}

async function streamed(wrapped: WrappedModel, ask: Ask, send: Send): Promise<Response> {
  let headers = new Headers()
  const parts = await wrapped.stream(
    ask,
    async ({ signal }) => {
      const response = await send(signal)
      headers = response.headers
      return eventsOf(response.body)
    },
    { usage: ({ data }) => usageOf(data), value: (events) => events.map(({ data }) => data) },
  )
  const encoder = new TextEncoder()
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const { text } of parts) yield encoder.encode(text)
  }
  return new Response(ReadableStream.from(bytes()) as ReadableStream, { headers: plainHeaders(headers) })
}

/** What the provider answered that is no reply of a model: the client knows what to make of it. */
class Unanswered extends Error {
  readonly response: Response
  constructor(response: Response) {
    super(`the provider answered with ${response.status}`)
    this.response = response
  }
}

/** The client makes an error of its own of it, with the errno as its `code`, and does not try again. */
function refusal({ code, message }: KernelError): Response {
  const status = code === 'EPERM' ? 403 : 400
  const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' }
  return new Response(JSON.stringify({ error: { code, message, type: 'gatehouse' } }), { status, headers })
}

/** @returns the body of a request to a model; undefined for every other request */
function modelBody(url: string | URL | Request, init: RequestInit | undefined): ModelBody | undefined {
  const { pathname } = new URL(url instanceof Request ? url.url : url)
  if (init?.method?.toUpperCase() !== 'POST' || !toModels.test(pathname)) return undefined
  if (typeof init.body !== 'string')
    throw new KernelError('EINVAL', 'a request to a model whose body is no text cannot be judged')
  return JSON.parse(init.body) as ModelBody
}

const boundOf = (body: ModelBody): number | undefined =>
  [body.max_completion_tokens, body.max_output_tokens, body.max_tokens].find(
    (bound): bound is number => typeof bound === 'number',
  )

function toolNames(tools: unknown): readonly string[] {
  if (!Array.isArray(tools)) return []
  return tools.flatMap((tool: { name?: unknown; function?: { name?: unknown } }) => {
    const name = tool.function?.name ?? tool.name
    return typeof name === 'string' ? [name] : []
  })
}

/** The text is decoded, and may be shorter. */
function plainHeaders(headers: Headers): Headers {
  const plain = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) plain.delete(name)
  return plain
}
