/** Requests of the kernel itself, to a server that the application named: guarded as those of agents are, answered as they come. */
import { SyscallError } from '../../errors.ts'
import type { AddressClass } from '../../grant.ts'
import { limits } from '../../limits.ts'
import { openConnection } from './connect.ts'
import { headerPairs, oneConnectionClient } from './exchange.ts'
import { netError } from './failures.ts'
import { readRequest } from './request.ts'
import { type Lookup, Resolver, systemLookup } from './resolve.ts'
import type { Secrets } from './secrets/secrets.ts'
import { parseUrl } from './url.ts'

export interface EgressOptions {
  readonly secrets: Secrets
  readonly lookup?: Lookup
  /** Certificate authorities to trust in place of the system's, as PEM. */
  readonly ca?: readonly string[]
}

/** As the web's, as far as packages use it that ask one server. */
export type EgressFetch = (
  input: string | URL | Request,
  init?: {
    readonly method?: string | undefined
    readonly headers?: unknown
    readonly body?: unknown
    readonly signal?: AbortSignal | null | undefined
  },
) => Promise<Response>

export class Egress {
  readonly #secrets: Secrets
  readonly #resolver: Resolver
  readonly #ca: readonly string[] | undefined

  constructor({ secrets, lookup, ca }: EgressOptions) {
    this.#secrets = secrets
    this.#resolver = new Resolver(lookup ?? systemLookup)
    this.#ca = ca
  }

  /**
   * Whether a secret may go to a server, in a header.
   * @throws SyscallError EINVAL or EPERM that names the secret, and what would help
   */
  assertMayGo(secret: string, url: string): void {
    this.#secrets.usesIn({ url, headers: { authorization: bearerOf(secret) } })
  }

  /**
   * A `fetch` for one server. It follows no redirect, keeps no cookie and no connection, uses no proxy. A placeholder of
   * a secret counts in headers alone: what stands in a body is what agents wrote.
   * @param url of the server; nothing else is asked
   * @param permitted classes of address beyond the public internet
   * @returns a function that throws SyscallError, whose `sent` says whether the server may have acted
   */
  fetchFor(url: string, permitted: readonly AddressClass[]): EgressFetch {
    const { origin } = new URL(parseUrl(url).resource)
    return async (input, init = {}) => {
      const target = parseUrl(input instanceof Request ? input.url : String(input))
      if (new URL(target.resource).origin !== origin)
        throw new SyscallError('EPERM', "a model's package asks another server than that of its model")
      const progress = { sent: false }
      try {
        return await this.#ask(target, init, permitted, progress)
      } catch (error) {
        throw failureOf(error, init.signal, progress.sent)
      }
    }
  }

  async #ask(
    url: ReturnType<typeof parseUrl>,
    { method = 'POST', headers, body, signal: given }: NonNullable<Parameters<EgressFetch>[1]>,
    permitted: readonly AddressClass[],
    progress: { sent: boolean },
  ): Promise<Response> {
    const signal = given ?? new AbortController().signal
    const request = { url: url.resource, method, headers: headerRecord(headers) }
    const uses = this.#secrets.usesIn(request)
    const text = body === undefined || body === null ? undefined : String(body)
    const sound = readRequest({ ...request, ...(text !== undefined && { text }) })
    const filled = await this.#secrets.fill(url, request, sound, uses, signal)
    const socket = await openConnection(url, { resolver: this.#resolver, permitted, ca: this.#ca, signal })
    const client = oneConnectionClient(socket, url)
    const close = async (): Promise<void> => {
      await client.destroy()
      socket.destroy()
    }
    try {
      progress.sent = true
      const answer = await client.request({
        path: url.path + filled.query,
        method: filled.method,
        // What is streamed is not packed: it would come in pieces that nobody can unpack alone.
        headers: filled.headers.map((it, index) =>
          index % 2 === 1 && filled.headers[index - 1] === 'accept-encoding' ? 'identity' : it,
        ),
        body: filled.body instanceof Uint8Array ? filled.body : null,
        signal,
        responseHeaders: 'raw',
        reset: true,
      })
      const pairs = headerPairs(answer.headers).filter(([name]) => name !== 'set-cookie')
      const chunks = bounded(answer.body, signal, close)
      return new Response(isEmpty(answer.statusCode) ? null : ReadableStream.from(chunks), {
        status: answer.statusCode,
        headers: pairs.map(([name, value]): [string, string] => [name, value]),
      })
    } catch (error) {
      await close()
      throw error
    }
  }
}

/** The header that stands for a secret until the last moment. */
export const bearerOf = (secret: string): string => `Bearer \${secret:${secret}}`

const isEmpty = (status: number): boolean => status === 204 || status === 205 || status === 304

function headerRecord(headers: unknown): Record<string, string> {
  const entries = new Headers(headers as Record<string, string>)
  return Object.fromEntries([...entries].filter(([, value]) => value !== 'undefined'))
}

/** To the end, to the bound, or to where its reader leaves; the connection ends with it. */
async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let length = 0
  try {
    for await (const chunk of chunks) {
      length += chunk.length
      if (length > limits.llmWireBytesMax)
        throw new SyscallError('EFBIG', `the answer is larger than ${limits.llmWireBytesMax} bytes`, true)
      yield chunk
    }
  } catch (error) {
    throw failureOf(error, signal, true)
  } finally {
    await close()
  }
}

/** An abort stays what it is: who aborted knows why. */
function failureOf(error: unknown, signal: AbortSignal | null | undefined, sent: boolean): unknown {
  return signal?.aborted ? signal.reason : netError(error, "the model's server", sent)
}
