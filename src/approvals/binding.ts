/** What an approval holds for: a digest of everything about one call that a person's answer is about. */
import { createHash } from 'node:crypto'
import { canonicalText } from '../evidence/canonical.ts'
import type { Json } from '../json.ts'

export interface Bound {
  readonly run: string
  readonly pid: number
  /** The process's own number of the call. */
  readonly call: number
  readonly syscall: string
  /** Exactly as the agent sent it. */
  readonly args: string
  /** Hash of the policies in force for the process. */
  readonly policy: string
  readonly labels: readonly string[]
  readonly questions: readonly { readonly action: string; readonly resource: string }[]
  /** The process that the call means, where it means one. */
  readonly target: number | undefined
  /** What stands where the call would write, move or remove. */
  readonly replaces: Json
}

export interface Binding {
  /** What is hashed: canonical JSON (RFC 8785). */
  readonly text: string
  /** SHA-256 of its UTF-8 bytes, as hex. */
  readonly digest: string
}

/**
 * @param nonce fresh for each request: an agent sees digests in its own evidence, and must not guess by them what a
 *   file holds that it may not read
 */
export function bindingOf({ args, labels, target, ...bound }: Bound, nonce: string): Binding {
  const text = canonicalText({
    ...bound,
    v: 1,
    nonce,
    args: hashOf(args),
    labels: [...labels].sort(),
    target: target ?? null,
  })
  return { text, digest: hashOf(text) }
}

/** @returns SHA-256 of its UTF-8 bytes, as hex */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
