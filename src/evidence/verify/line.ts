/** What a line of a record holds, and the hashes by which lines and payloads are known. */
import { hash } from 'node:crypto'
import { isCanonicalText } from '../canonical.ts'
import type { Entry } from '../entry.ts'

/** What the first entry names as the hash of the one before. */
export const noEntry = '0'.repeat(64)

/** @returns RFC 6962's hash of a leaf, SHA-256(0x00 ‖ bytes of the line), as hex */
export const leafHash = (line: string): string => hash('sha256', `\u0000${line}`, 'hex')

/** @returns SHA-256(salt ‖ UTF-8 bytes of the text), as hex */
export const payloadHash = (salt: Uint8Array, text: string): string =>
  hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'hex')

export type ReadEntry =
  | { readonly entry: Entry }
  | {
      readonly entry: Entry | undefined
      readonly problem: 'unparsable' | 'not-canonical'
      readonly detail: string
    }

/** @returns the entry that a line holds; where the line is not sound, what is wrong with it */
export function readEntry(line: string): ReadEntry {
  const value = parse(line)
  if (!isEntry(value)) {
    const detail = value === undefined ? 'the line is not JSON' : 'the line is JSON, but not an entry'
    return { entry: undefined, problem: 'unparsable', detail }
  }
  if (isCanonicalText(line, value)) return { entry: value }
  return { entry: value, problem: 'not-canonical', detail: 'the line is not in canonical form (RFC 8785)' }
}

/** One line of a pack. */
export interface Payload {
  readonly hash: string
  /** 16 bytes, as hex. */
  readonly salt: string
  /** Absent where only its digest is on record. */
  readonly text?: string
}

/** @returns the payload that a line of a pack holds, whether or not its hash is right; undefined when it holds none */
export function readPayload(line: string): Payload | undefined {
  const value = parse(line)
  if (!isObject(value)) return undefined
  const { hash, salt, text } = value
  if (typeof hash !== 'string' || typeof salt !== 'string') return undefined
  if (!/^[0-9a-f]{64}$/.test(hash) || !/^[0-9a-f]{32}$/.test(salt)) return undefined
  if (text === undefined) return { hash, salt }
  return typeof text === 'string' && text.isWellFormed() ? { hash, salt, text } : undefined
}

/** Whether a payload is what was hashed, as far as its text is there. */
export const isSound = ({ hash, salt, text }: Payload): boolean =>
  text === undefined || payloadHash(Buffer.from(salt, 'hex'), text) === hash

export function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function isEntry(value: unknown): value is Entry {
  return (
    isObject(value) &&
    value.v === 1 &&
    isCount(value.seq) &&
    typeof value.prev === 'string' &&
    typeof value.time === 'number' &&
    typeof value.kind === 'string'
  )
}
