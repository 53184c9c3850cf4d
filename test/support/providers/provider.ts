/** A model provider on loopback: it speaks the protocols of OpenAI and Anthropic, and says what its scripts tell. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { Json } from '../../../src/index.ts'
import { chat } from './chat.ts'
import { embeddings, embeddingsPath } from './embeddings.ts'
import { messages } from './messages.ts'
import type { Protocol, Request } from './protocol.ts'
import { responses } from './responses.ts'
import { type Fails, type Script, Scripts } from './script.ts'

export interface Heard {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Json
}

export interface ProviderOptions {
  /** The only key that it takes, as `authorization: Bearer KEY` or `x-api-key`; any, and none, unless told. */
  readonly key?: string
}

export interface Provider extends AsyncDisposable {
  /** Ends in no slash; clients of OpenAI want `/v1` behind it, Anthropic's does not. */
  readonly url: string
  /** What it was asked, in the order in which it came. */
  readonly heard: readonly Heard[]
  /** What a model of this name says from now on; scripts begin anew with each conversation, their failures do not. */
  script(model: string, script: Script): void
  close(): Promise<void>
}

const protocols: readonly Protocol[] = [chat, responses, messages]

/** Opens it on a free port of 127.0.0.1; whoever opens it closes it. */
export async function openProvider({ key }: ProviderOptions = {}): Promise<Provider> {
  const scripts = new Scripts()
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    answer(request, response, { scripts, heard, key }).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${port}`,
    heard,
    script: (model, script) => scripts.set(model, script),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface House {
  readonly scripts: Scripts
  readonly heard: Heard[]
  readonly key: string | undefined
}

async function answer(request: IncomingMessage, response: ServerResponse, house: House): Promise<void> {
  const { method = 'GET', headers } = request
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  const body = await bodyOf(request)
  house.heard.push({ method, path, headers, body })
  const protocol = protocols.find((it) => it.path === path) ?? chat
  const refuse = (status: number, message: string): void =>
    sendJson(response, status, protocol.error(status, message))
  const isKnown = path === embeddingsPath || path === protocol.path
  if (method !== 'POST' || !isKnown) return refuse(404, `nothing answers ${method} ${path}`)
  const { key } = house
  if (key !== undefined && headers.authorization !== `Bearer ${key}` && headers['x-api-key'] !== key) {
    return refuse(401, 'Incorrect API key provided')
  }
  try {
    if (path === embeddingsPath) return sendJson(response, 200, embeddings(body))
    await say(response, protocol, body, house.scripts)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ZodError') throw error
    refuse(400, error.message)
  }
}

async function say(response: ServerResponse, protocol: Protocol, body: Json, scripts: Scripts) {
  const request = protocol.read(body)
  const { model, turn, stream } = request
  const said = scripts.turn({ model, turn, stream, body: body as Readonly<Record<string, Json>> })
  if (said === undefined) {
    return sendJson(response, 404, protocol.error(404, `\`${model}\` has nothing to say in turn ${turn}`))
  }
  if ('fails' in said) return fail(response, protocol, request, said)
  if (!stream) return sendJson(response, 200, request.whole(said))
  startStream(response)
  await write(response, request.frames(said).join(''))
  response.end()
}

/** Fails as told; what came before it has been sent by then. */
async function fail(response: ServerResponse, protocol: Protocol, request: Request, turn: Fails) {
  const { fails, after, retryAfter } = turn
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
  if (fails === 'busy') return sendJson(response, 429, protocol.error(429, 'Too many requests'))
  if (fails === 'error') return sendJson(response, 500, protocol.error(500, 'The server had an error'))
  if (request.stream) startStream(response)
  else response.setHeader('content-type', 'application/json')
  const before = after === undefined ? '' : textBefore(request, after)
  if (fails === 'nonsense') {
    return void response.end(
      request.stream ? `${before}data: {"choices": 7, "oops\n\n` : '{"choices": 7, "oops',
    )
  }
  response.flushHeaders()
  await write(response, before)
  if (fails === 'break') response.destroy()
}

/** What has been said when the end does not come: all but the last frames, or the first half of the document. */
function textBefore(request: Request, after: Fails['after'] & object): string {
  if (request.stream) {
    const frames = request.frames(after)
    return frames.slice(0, Math.ceil(frames.length / 2)).join('')
  }
  const text = JSON.stringify(request.whole(after))
  return text.slice(0, text.length / 2)
}

const startStream = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })

/** Cuts where it falls, in the middle of events and of letters, as networks do. */
async function write(response: ServerResponse, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    response.write(bytes.subarray(at, at + pieceBytes))
    await setImmediate()
  }
}

const pieceBytes = 499

function sendJson(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_local' })
  response.end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
