/** One request and its answer over one connection, which ends with it. */
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { assert, SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { type Body, type Hold, readBody } from './body.ts'
import type { SoundRequest } from './request.ts'
import { Client } from './undici.ts'
import type { WebUrl } from './url.ts'

/** What a fetch gives before the body. */
export interface FetchHead {
  readonly status: number
  readonly statusText: string
  /** Names in lower case, in the order in which the server sent them; a name may come again. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The URL that was asked, without its fragment. */
  readonly url: string
}

/** What a fetch gives: a redirect is an answer like any other, and is not followed. */
export type FetchReply = FetchHead & Body

/** The same as it came, with its body unpacked. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bytes: Uint8Array
}

/** @returns the first value of a header by its name in lower case */
export const headerOf = ({ headers }: Pick<Answer, 'headers'>, name: string): string | undefined =>
  headers.find(([known]) => known === name)?.[1]

/** An answer whose body has not been read. */
export interface OpenAnswer extends Omit<Answer, 'bytes'> {
  /** As it comes, packed where the server packed it. */
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of the connection. */
  end(): Promise<void>
}

/**
 * @param socket connected, checked, and used by nobody else
 * @throws SyscallError EFBIG, EIO, EAGAIN; undici's error; the signal's reason
 */
export async function exchange(
  socket: Socket,
  url: WebUrl,
  request: SoundRequest,
  signal: AbortSignal,
  hold: Hold,
): Promise<Answer> {
  const { body, end, ...head } = await openExchange(socket, url, request, signal)
  try {
    const bytes = await readBody(body, headerOf(head, 'content-encoding'), hold)
    signal.throwIfAborted()
    return { ...head, bytes }
  } finally {
    await end()
  }
}

/**
 * The same, until the head of the answer has come; whoever asked reads the body, and ends it in any case.
 * @throws undici's error; the signal's reason: then it is ended already
 */
export async function openExchange(
  socket: Socket,
  url: WebUrl,
  request: SoundRequest,
  signal: AbortSignal,
): Promise<OpenAnswer> {
  const client = oneConnectionClient(socket, url)
  const end = async (): Promise<void> => {
    await client.destroy()
    socket.destroy()
  }
  try {
    const answer = await client.request({
      path: url.path + url.query,
      method: request.method,
      headers: [...request.headers],
      body: bodyOf(request.body),
      signal,
      responseHeaders: 'raw',
      reset: true,
    })
    // Nobody may be reading when it breaks off; whoever reads next hears of it.
    answer.body.on('error', () => {})
    const headers = headerPairs(answer.headers)
    return { status: answer.statusCode, statusText: answer.statusText, headers, body: answer.body, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** undici takes what comes in pieces as a stream of Node.js. */
function bodyOf(body: SoundRequest['body']): Uint8Array | Readable | null {
  if (body === null || body instanceof Uint8Array) return body
  const readable = Readable.from(body, { objectMode: false })
  // The server may have answered, and nobody be listening, when whoever writes is ended.
  readable.on('error', () => {})
  return readable
}

/** A client that is given its connection and can never open another. */
export function oneConnectionClient(socket: Socket, url: WebUrl): Client {
  let free = true
  const take = (): boolean => {
    const fit = free && !socket.destroyed
    free = false
    return fit
  }
  return new Client(new URL(url.resource).origin, {
    // Never at once: undici overlooks a connection that is there before its own call has returned.
    connect: (_target, done) =>
      queueMicrotask(() => (take() ? done(null, socket) : done(gone(url.host), null))),
    maxHeaderSize: limits.headerBytesMax,
    // The driver limits the whole exchange; a limit on its parts would only hide which one it was.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    useMilo: false,
  })
}

const gone = (host: string): SyscallError =>
  new SyscallError('EIO', `\`${host}\` closed the connection before the request was sent`)

/** undici gives names and values in turn when asked for them raw, whatever its types say. */
export function headerPairs(raw: unknown): readonly (readonly [string, string])[] {
  assert(Array.isArray(raw), 'raw headers are a list')
  const pairs: (readonly [string, string])[] = []
  for (let index = 0; index + 1 < raw.length; index += 2)
    pairs.push([String(raw[index]).toLowerCase(), String(raw[index + 1])])
  return pairs
}
