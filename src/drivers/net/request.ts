/** A request is decoded before anything is opened: method, headers and body are facts afterwards. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Source } from '../streams/source.ts'

/** The methods that exist; CONNECT and TRACE are for proxies. */
export const fetchMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type FetchMethod = (typeof fetchMethods)[number]

export interface FetchRequest {
  readonly url: string
  /** One of `fetchMethods`, in capitals; GET where absent. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The body, as text or as base64; not both. */
  readonly text?: string | undefined
  readonly base64?: string | undefined
  /** The body, as bytes that come in pieces, in place of both. */
  readonly body?: Source
}

export interface SoundRequest {
  readonly method: FetchMethod
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null
}

/** Sent unless the guest chose its own. */
const defaultHeaders = Object.freeze({ accept: '*/*', 'user-agent': 'gatehouse' })
/** What `readBody` can decode; the guest cannot ask for more. */
const acceptEncoding = 'gzip, deflate, br'

/** Headers that frame the message, steer proxies, or hide the method, the URL or the sender that the policy judged. */
const kernelHeaders =
  /^(host|connection|keep-alive|content-length|transfer-encoding|upgrade|http2-settings|te|trailer|expect|via|accept-encoding|proxy-.*|forwarded|x-forwarded-.*|x-original-url|x-rewrite-url|x-http-method|x-http-method-override|x-method-override)$/

/**
 * @returns the request as it goes out, with the kernel's own headers
 * @throws SyscallError EINVAL, E2BIG (headers) or EFBIG (body), with what is unsound
 */
export function readRequest(request: FetchRequest): SoundRequest {
  const method = readMethod(request.method ?? 'GET')
  const headers = readHeaders(request.headers ?? {})
  const body = request.body === undefined ? readRequestBody(request) : bytesOf(request.body)
  if (body !== null && (method === 'GET' || method === 'HEAD'))
    throw new SyscallError('EINVAL', `a ${method} request has no body; use POST, or put it into the URL`)
  return { method, headers, body }
}

function readMethod(text: string): FetchMethod {
  const method = fetchMethods.find((known) => known === text)
  if (method !== undefined) return method
  throw new SyscallError(
    'EINVAL',
    `method \`${printable(text.slice(0, 40))}\` is none of ${fetchMethods.join(', ')}`,
  )
}

function readHeaders(headers: Readonly<Record<string, string>>): string[] {
  const sound = new Map<string, string>()
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    const lower = readHeaderName(name)
    if (sound.has(lower)) throw new SyscallError('EINVAL', `header \`${lower.slice(0, 40)}\` is given twice`)
    assertHeaderValue(lower, value)
    bytes += lower.length + value.length + ': \r\n'.length
    if (bytes > limits.headerBytesMax)
      throw new SyscallError('E2BIG', `more than ${limits.headerBytesMax} bytes of headers; send a body`)
    sound.set(lower, value)
  }
  return Object.entries({
    ...defaultHeaders,
    ...Object.fromEntries(sound),
    'accept-encoding': acceptEncoding,
  }).flat()
}

/** A token of RFC 9110, section 5.6.2. */
function readHeaderName(name: string): string {
  const shown = name.slice(0, 40)
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name))
    throw new SyscallError('EINVAL', `\`${printable(shown)}\` is not a header name`)
  const lower = name.toLowerCase()
  if (kernelHeaders.test(lower))
    throw new SyscallError('EINVAL', `header \`${shown}\` is set by the kernel alone; leave it out`)
  return lower
}

/** RFC 9110, section 5.5: visible characters, spaces and tabs, none at the ends. */
function assertHeaderValue(name: string, value: string): void {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value) && value.trim() === value) return
  throw new SyscallError(
    'EINVAL',
    `the value of header \`${name.slice(0, 40)}\` holds a line break, a control character, a letter beyond Latin-1 or a blank at its ends`,
  )
}

/** @throws SyscallError EFBIG past what fits, and what the source fails with */
async function* bytesOf(source: Source): AsyncGenerator<Uint8Array> {
  let length = 0
  for (;;) {
    const piece = await source.next()
    if (piece === undefined) return
    if (!('bytes' in piece)) continue
    length += piece.bytes.length
    if (length > limits.fetchStreamBytesMax)
      throw new SyscallError('EFBIG', `the body is larger than ${limits.fetchStreamBytesMax} bytes`)
    yield piece.bytes
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')

function readRequestBody({ text, base64 }: FetchRequest): Uint8Array | null {
  if (text !== undefined && base64 !== undefined)
    throw new SyscallError('EINVAL', 'the body is given as `text` and as `base64`; give one of them')
  if (text !== undefined) return bounded(Buffer.from(text, 'utf8'))
  if (base64 === undefined) return null
  const bytes = Buffer.from(base64, 'base64')
  // Buffer skips what is not base64; only the canonical spelling of the bytes is what the guest meant.
  if (bytes.toString('base64') !== base64)
    throw new SyscallError('EINVAL', '`base64` is not base64 with its padding (RFC 4648, section 4)')
  return bounded(bytes)
}

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= limits.fetchBytesMax) return bytes
  throw new SyscallError('EFBIG', `a body of ${bytes.length} bytes, at most ${limits.fetchBytesMax} fit`)
}
