/** What another terminal can ask of a kernel; every path with what it takes, and what it gives. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import process from 'node:process'
import type { z } from 'zod'
import { KernelError, SyscallError } from '../errors.ts'
import { readPlainly } from '../flaws.ts'
import type { Inspection } from '../inspect.ts'
import { limits } from '../limits.ts'
import type { ProcessState } from '../proc/exit.ts'
import type { ProcessRow } from '../proc/rows.ts'
import type { LogStreams } from './log-streams.ts'
import {
  type AnswerReply,
  type ApprovalsReply,
  ControlError,
  type DeclassifyReply,
  type ErrorReply,
  hostName,
  keyHeader,
  type PsReply,
  protocol,
  protocolHeader,
  type ReloadReply,
  type RequestOf,
  type RequestPath,
  requests,
  type SignalReply,
} from './protocol.ts'

/** The kernel as it is seen from another terminal. Its methods throw KernelError or SyscallError. */
export interface Controlled {
  policy(): PsReply['kernel']['policy']
  ps(options: { readonly all: boolean }): readonly ProcessRow[]
  inspect(target: string): Inspection
  /** @param by who sends it, for the record */
  signal(target: string, signal: string, by: string): SignalReply
  approvals(): ApprovalsReply
  /** @param by who answers, for the record */
  answer(answer: RequestOf<'/answer'>, by: string): AnswerReply
  /** @param by who releases it, for the record */
  declassify(what: RequestOf<'/declassify'>, by: string): Promise<DeclassifyReply>
  /** @param by who puts it in force, for the record */
  reload(what: RequestOf<'/reload'>, by: string): Promise<ReloadReply>
  /** @returns resolves with how a live process has ended; undefined for one that is none */
  whenEnded(pid: number): Promise<ProcessState> | undefined
}

/** Whoever reaches the socket is its owner, or root, who can be anybody: the folder lets nobody else in. */
const sender = `from a terminal (uid ${process.geteuid?.() ?? 'unknown'})`

export class Routes {
  readonly #kernel: Controlled
  readonly #logs: LogStreams
  readonly #onDefect: (error: unknown) => void

  constructor(kernel: Controlled, logs: LogStreams, onDefect: (error: unknown) => void) {
    this.#kernel = kernel
    this.#logs = logs
    this.#onDefect = onDefect
  }

  /**
   * Answers one request, whatever it is; never rejects.
   * @param key what whoever asks has to send
   */
  async answer(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    response.on('error', () => response.destroy())
    try {
      const { path, query } = readHead(request, key)
      if (path === '/logs') return this.#logs.send(read(path, query), response)
      if (acts(path)) reply(response, 200, await this.#act(path, request, query))
      else reply(response, 200, this.#look(path, query))
    } catch (error) {
      this.#refuse(response, error)
    }
  }

  #look(path: '/ps' | '/inspect' | '/approvals', query: object): PsReply | Inspection | ApprovalsReply {
    if (path === '/inspect') return this.#kernel.inspect(read(path, query).target)
    if (path === '/approvals') {
      read(path, query)
      return this.#kernel.approvals()
    }
    const { all } = read(path, query)
    return {
      kernel: { pid: process.pid, policy: this.#kernel.policy() },
      processes: this.#kernel.ps({ all: all === '1' }),
    }
  }

  async #act(
    path: ActPath,
    request: IncomingMessage,
    query: object,
  ): Promise<SignalReply | AnswerReply | DeclassifyReply | ReloadReply> {
    if (Object.keys(query).length > 0) throw new ControlError('EINVAL', 'what acts is sent as a body')
    const body = parse(await readBody(request))
    const named = ({ by }: { readonly by?: string | undefined }): string =>
      by === undefined ? sender : `${by}, ${sender}`
    switch (path) {
      case '/signal': {
        const { target, signal } = read(path, body)
        return this.#kernel.signal(target, signal, sender)
      }
      case '/answer': {
        const answer = read(path, body)
        return this.#kernel.answer(answer, named(answer))
      }
      case '/declassify': {
        const what = read(path, body)
        return this.#kernel.declassify(what, named(what))
      }
      case '/reload': {
        const what = read(path, body)
        return this.#kernel.reload(what, named(what))
      }
    }
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const known =
      error instanceof ControlError || error instanceof KernelError || error instanceof SyscallError
    if (!known) this.#onDefect(error)
    const { code, message } = known ? error : { code: 'EIO', message: 'the kernel failed; nothing was done' }
    reply(response, statusOf(code), { error: { code, message } } satisfies ErrorReply)
  }
}

const methods: Readonly<Record<RequestPath, 'GET' | 'POST'>> = {
  '/ps': 'GET',
  '/inspect': 'GET',
  '/logs': 'GET',
  '/signal': 'POST',
  '/approvals': 'GET',
  '/answer': 'POST',
  '/declassify': 'POST',
  '/reload': 'POST',
}

/** Those that change something. */
type ActPath = '/signal' | '/answer' | '/declassify' | '/reload'
const acts = (path: RequestPath): path is ActPath => methods[path] === 'POST'

/** @throws ControlError for another protocol, key or host, and what is none of the paths */
function readHead(
  { method, url = '', headers }: IncomingMessage,
  key: string,
): { path: RequestPath; query: object } {
  const theirs = headers[protocolHeader]
  if (theirs !== protocol)
    throw new ControlError(
      'EPROTO',
      `this kernel speaks protocol ${protocol}, and the command ${typeof theirs === 'string' ? theirs.slice(0, limits.wordMax) : 'none'}; use the same version of gatehouse for both`,
    )
  if (!isSame(headers[keyHeader], key))
    throw new ControlError('EACCES', "the request does not carry this kernel's key")
  if (headers.host !== hostName) throw new ControlError('EINVAL', 'the request is for another host')
  const [given = '', search = ''] = url.split('?', 2)
  const path = (Object.keys(methods) as RequestPath[]).find((known) => known === given)
  if (path === undefined || methods[path] !== method)
    throw new ControlError('ENOSYS', 'there is nothing of that name')
  return { path, query: Object.fromEntries(new URLSearchParams(search)) }
}

/** In the same time wherever they differ. */
function isSame(given: string | readonly string[] | undefined, key: string): boolean {
  const [a, b] = [Buffer.from(typeof given === 'string' ? given : ''), Buffer.from(key)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function read<Path extends RequestPath>(path: Path, given: unknown): z.infer<(typeof requests)[Path]> {
  const checked = readPlainly(requests[path], given)
  if ('data' in checked) return checked.data as z.infer<(typeof requests)[Path]>
  const [{ path: steps, message }] = checked.flaws
  const where = steps.length === 0 ? '' : `\`${steps.join('.')}\`: `
  throw new ControlError('EINVAL', `${where}${message}`.slice(0, limits.refusedArgsMax))
}

/** What is too long is left unread, so that the reply to it still can be sent. */
function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= limits.controlBodyBytesMax) return void chunks.push(chunk)
      request.pause()
      reject(new ControlError('E2BIG', `a request has at most ${limits.controlBodyBytesMax} bytes`))
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString()))
    for (const event of ['close', 'error'])
      request.once(event, () => reject(new ControlError('EINVAL', 'the body ends too early')))
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ControlError('EINVAL', 'the body is not JSON')
  }
}

function reply(response: ServerResponse, status: number, document: object): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document))
}

function statusOf(code: string): number {
  if (code === 'EIO') return 500
  if (code === 'EACCES') return 403
  if (code === 'EAGAIN') return 503
  return code === 'ESRCH' || code === 'ENOSYS' ? 404 : 400
}
