/** Reads of a part of a file under `redact`: what lies around the part is looked through with it, so that no cut hides a match. */
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { Unscannable } from '../policy/content.ts'
import { findData } from '../policy/detect/find.ts'
import type { DataKind } from '../policy/detect/kinds.ts'
import { replaceSpans } from '../policy/redact.ts'
import { unseen } from './content.ts'

/** The decoded arguments of `fs.read`. */
interface ReadArgs {
  readonly path: string
  readonly offset?: number
  readonly length?: number
  readonly encoding?: 'text' | 'bytes'
}

/** @returns the arguments of a call that reads a part of a file; undefined for any other */
export function partOf(name: string, args: unknown): ReadArgs | undefined {
  if (name !== 'fs.read') return undefined
  const read = args as ReadArgs
  return read.offset === undefined && read.length === undefined ? undefined : read
}

/**
 * @param args what the guest asked for
 * @param read makes the call with other arguments
 * @returns the part, in which every match that reaches into it is taken out as far as it does
 * @throws SyscallError as the read does; EINVAL where a part of a character is asked for as text; EPERM for what is no text
 */
export async function readPart(
  args: ReadArgs,
  kinds: readonly DataKind[],
  read: (args: ReadArgs) => Json | Promise<Json>,
): Promise<Json> {
  const { offset = 0, length, encoding = 'text', path } = args
  const begin = Math.max(0, offset - limits.redactMargin)
  const lead = offset - begin
  const asked = length === undefined ? undefined : lead + length + limits.redactMargin
  const given = await read({
    path,
    offset: begin,
    encoding: 'bytes',
    ...(asked !== undefined && { length: asked }),
  })
  const bytes = Buffer.from((given as { readonly base64: string }).base64, 'base64')
  const whole = cutOf(bytes, begin > 0, bytes.length === asked)
  const end = length === undefined ? bytes.length : Math.min(bytes.length, lead + length)
  const part = redactBytes(bytes, whole, { start: Math.min(lead, bytes.length), end }, kinds)
  return encoding === 'bytes' ? { base64: part.toString('base64') } : { text: decode(part) }
}

interface Range {
  readonly start: number
  readonly end: number
}

/** @returns the bytes that are whole characters, where a window may begin or end within one */
function cutOf(bytes: Buffer, cutBefore: boolean, cutAfter: boolean): Range {
  let start = 0
  let end = bytes.length
  while (cutBefore && start < 3 && isContinuation(bytes[start])) start += 1
  if (cutAfter) {
    let last = end - 1
    while (last > start && end - last < 4 && isContinuation(bytes[last])) last -= 1
    const lead = bytes[last] ?? 0
    const units = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
    if (last + units > end) end = last
  }
  return { start, end }
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** @returns the bytes of a range, each match in it replaced */
function redactBytes(bytes: Buffer, whole: Range, range: Range, kinds: readonly DataKind[]): Buffer {
  const text = readable(bytes.subarray(whole.start, whole.end))
  const pieces: Buffer[] = []
  let from = range.start
  let unit = 0
  let at = whole.start
  for (const { start, end, kind } of findData(text, kinds)) {
    const first = at + Buffer.byteLength(text.slice(unit, start))
    const last = first + Buffer.byteLength(text.slice(start, end))
    unit = end
    at = last
    if (last <= range.start || first >= range.end) continue
    pieces.push(bytes.subarray(from, Math.max(from, first)))
    pieces.push(Buffer.from(replaceSpans('', [{ start: 0, end: 0, kind }])))
    from = Math.min(range.end, last)
  }
  pieces.push(bytes.subarray(from, range.end))
  return Buffer.concat(pieces)
}

function readable(bytes: Uint8Array): string {
  try {
    return textOf(bytes)
  } catch (error) {
    if (error instanceof Unscannable) throw unseen(error)
    throw error
  }
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > limits.scanMax)
    throw new Unscannable(
      `${bytes.length} bytes are more than a search for data takes at once; read at most ${limits.scanMax - 2 * limits.redactMargin}`,
    )
  if (bytes.includes(0)) throw new Unscannable('it holds NUL, which no text does')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Unscannable('it holds bytes that are no text in UTF-8')
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SyscallError('EINVAL', 'what was read is not UTF-8 text; read it with the encoding `bytes`')
  }
}
