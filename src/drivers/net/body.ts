/** A response's body is read, unpacked and handed on within one bound, whatever the server claims. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** Called before the kernel keeps so many more bytes; throws when that is too many. */
export type Hold = (bytes: number) => void

/** Text where the server says so and it is UTF-8, otherwise base64. */
export type Body = { readonly text: string } | { readonly base64: string }

type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

const unpackers: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
  ['deflate', unpackDeflate],
])

/**
 * Reads to the end, or to the bound.
 * @param chunks what the server sends
 * @param encoding its `content-encoding`; one of gzip, deflate or br is unpacked, anything else left as it is
 * @throws SyscallError EFBIG past `limits.fetchBytesMax`, packed or unpacked; EIO when it does not unpack
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
  hold: Hold,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > limits.fetchBytesMax) throw tooLarge()
    hold(chunk.length)
    parts.push(chunk)
  }
  const packed = Buffer.concat(parts, length)
  const name = encodingOf(encoding)
  const unpack = unpackers.get(name)
  // Answers to HEAD, 204 and 304 name an encoding and have no body.
  if (unpack === undefined || length === 0) return packed
  const body = await unpackBounded(unpack, name, packed)
  hold(body.length)
  return body
}

/** @returns the name of a `content-encoding`, as it is compared; empty for none */
export const encodingOf = (encoding: string | undefined): string => encoding?.trim().toLowerCase() ?? ''

/** Whether `readBody` gives what the server wrote, and not something packed that it cannot unpack. */
export const isUnpacked = (encoding: string | undefined): boolean =>
  ['', 'identity', ...unpackers.keys()].includes(encodingOf(encoding))

async function unpackBounded(unpack: Unpack, name: string, packed: Uint8Array): Promise<Uint8Array> {
  try {
    return await unpack(packed, { maxOutputLength: limits.fetchBytesMax })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge()
    throw new SyscallError('EIO', `the answer is not the \`${name}\` data that it claims to be`)
  }
}

/** The standard means zlib (RFC 1950); some servers send bare deflate, whose first byte has another low half. */
function unpackDeflate(bytes: Uint8Array, options: { maxOutputLength: number }): Promise<Uint8Array> {
  const zlib = ((bytes[0] ?? 0) & 0x0f) === 8
  return promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(zlib ? inflate : inflateRaw)(
    bytes,
    options,
  )
}

const tooLarge = (): SyscallError =>
  new SyscallError('EFBIG', `the answer is larger than ${limits.fetchBytesMax} bytes; ask for a part of it`)

const textual =
  /^(text\/[^;]+|[^/;]+\/([^;]+\+)?(json|xml|javascript|yaml)|application\/(x-www-form-urlencoded|x-ndjson|jsonl|graphql|sql|toml|x-javascript|x-yaml))$/

/**
 * @param type the `content-type`
 * @returns text byte for byte (a byte order mark stays), or base64
 */
export function presentBody(bytes: Uint8Array, type: string | undefined): Body {
  const text = isTextual(type) ? decodeUtf8(bytes) : undefined
  return text !== undefined && fitsReply(text, bytes.length)
    ? { text }
    : { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') }
}

function isTextual(type: string | undefined): boolean {
  const [essence = '', ...parameters] = (type ?? '').toLowerCase().split(';')
  const charset = parameters.map((part) => /^\s*charset\s*=\s*"?([^"\s]*)/.exec(part)?.[1]).find(Boolean)
  return textual.test(essence.trim()) && /^(utf-?8|us-ascii)$/.test(charset ?? 'utf-8')
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined // Not UTF-8 after all: base64 carries it.
  }
}

/** JSON spells some characters with six; then base64, four for three bytes, is what fits the reply. */
function fitsReply(text: string, bytes: number): boolean {
  const room = (limits.fetchBytesMax / 3) * 4
  return bytes * 6 <= room || JSON.stringify(text).length <= room
}
