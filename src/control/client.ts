/** A command's side of the socket: finds the kernel of a directory, asks, and reads what it says. */
import { type Dispatcher, Pool } from 'undici'
import type { Inspection } from '../inspect.ts'
import { limits } from '../limits.ts'
import { codeOf, findPlace, type Place } from './place.ts'
import {
  type AnswerReply,
  type ApprovalsReply,
  ControlError,
  type DeclassifyReply,
  hostName,
  keyHeader,
  type LogLine,
  type PsReply,
  protocol,
  protocolHeader,
  type ReloadReply,
  type RequestOf,
  type SignalReply,
} from './protocol.ts'

type Query = Readonly<Record<string, string>>

export class ControlClient {
  readonly #dir: string
  readonly #place: Place
  readonly #client: Pool

  /**
   * @param dir a kernel's directory
   * @throws ControlError ENOENT where no kernel listens, EACCES where the kernel is another user's
   */
  constructor(dir: string) {
    this.#dir = dir
    this.#place = findPlace(dir)
    this.#client = new Pool(`http://${hostName}`, {
      socketPath: this.#place.path,
      headersTimeout: limits.controlReplyMs,
      connectTimeout: limits.controlReplyMs,
      // A follower may wait for output for ever.
      bodyTimeout: 0,
    })
  }

  ps(all: boolean): Promise<PsReply> {
    return this.#ask('GET', '/ps', all ? { all: '1' } : {})
  }

  inspect(target: string): Promise<Inspection> {
    return this.#ask('GET', '/inspect', { target })
  }

  signal(target: string, signal: string): Promise<SignalReply> {
    return this.#ask('POST', '/signal', {}, JSON.stringify({ target, signal }))
  }

  approvals(): Promise<ApprovalsReply> {
    return this.#ask('GET', '/approvals', {})
  }

  answer(answer: RequestOf<'/answer'>): Promise<AnswerReply> {
    return this.#ask('POST', '/answer', {}, JSON.stringify(answer))
  }

  declassify(what: RequestOf<'/declassify'>): Promise<DeclassifyReply> {
    return this.#ask('POST', '/declassify', {}, JSON.stringify(what))
  }

  reload(what: RequestOf<'/reload'>): Promise<ReloadReply> {
    return this.#ask('POST', '/reload', {}, JSON.stringify(what))
  }

  /**
   * @param stop ends the following
   * @returns what is kept of a process and, for a follower, what comes, as it comes
   * @throws ControlError ECONNRESET where the kernel ended or cut it off before it was done
   */
  async *logs(
    target: string,
    how: { readonly calls: boolean; readonly follow: boolean },
    stop: AbortSignal,
  ): AsyncGenerator<LogLine, void, undefined> {
    const query = { target, ...(how.calls && { calls: '1' }), ...(how.follow && { follow: '1' }) }
    const { body } = await this.#send('GET', '/logs', query, null, stop)
    let last: LogLine | undefined
    for await (const text of linesOf(body)) {
      last = JSON.parse(text) as LogLine
      yield last
    }
    if (last?.kind !== 'end' && !stop.aborted)
      throw new ControlError(
        'ECONNRESET',
        'the kernel ended, or cut this off because it was not read fast enough',
      )
  }

  async close(): Promise<void> {
    await this.#client.destroy()
    this.#place.close()
  }

  async #ask<T>(method: 'GET' | 'POST', path: string, query: Query, body: string | null = null): Promise<T> {
    const timeout = AbortSignal.timeout(limits.controlReplyMs)
    const reply = await this.#send(method, path, query, body, timeout)
    return JSON.parse(await readText(reply.body)) as T
  }

  /** @throws ControlError for everything that is not the reply that was asked for */
  async #send(
    method: 'GET' | 'POST',
    path: string,
    query: Query,
    body: string | null,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const headers = { [protocolHeader]: protocol, [keyHeader]: this.#place.key }
    let reply: Dispatcher.ResponseData
    try {
      reply = await this.#client.request({ method, path, query, body, headers, signal })
    } catch (error) {
      throw this.#unreachable(error)
    }
    const theirs = reply.headers[protocolHeader]
    if (theirs !== protocol) {
      await reply.body.dump()
      throw new ControlError(
        'EPROTO',
        `what listens in \`${this.#dir}\` speaks protocol ${String(theirs ?? 'unknown').slice(0, limits.wordMax)}, and this command ${protocol}; use the same version of gatehouse for both`,
      )
    }
    if (reply.statusCode === 200) return reply
    throw refusalOf(await readText(reply.body))
  }

  #unreachable(error: unknown): ControlError {
    const code = codeOf(error)
    if (code === 'ENOENT') return new ControlError(code, `the kernel in \`${this.#dir}\` has ended`)
    if (code === 'ECONNREFUSED')
      return new ControlError(
        'ECONNREFUSED',
        `the kernel that listened in \`${this.#dir}\` has ended without closing; the next one there clears that up`,
      )
    return new ControlError(code, `the kernel in \`${this.#dir}\` does not answer: ${code}`)
  }
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limits.controlReplyBytesMax) throw new ControlError('EFBIG', 'the reply is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function refusalOf(text: string): ControlError {
  let found: unknown
  try {
    found = JSON.parse(text)?.error
  } catch {
    found = undefined
  }
  if (typeof found === 'object' && found !== null && 'code' in found && 'message' in found)
    return new ControlError(String(found.code), String(found.message))
  return new ControlError('EIO', 'the kernel refuses, and does not say why')
}

/** Lines of text that end in `\n`, as they come; a part of one at the end is none. */
async function* linesOf(body: Dispatcher.ResponseData['body']): AsyncGenerator<string, void, undefined> {
  let rest = ''
  try {
    for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch {
    // The other side has left, or this one wants no more: what came is complete up to here.
  }
}
