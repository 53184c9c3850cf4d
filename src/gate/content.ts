/** What a call holds in itself, and taking data out of what comes back: the gate's side of `contains` and `redact`. */
import { SyscallError } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import { limits } from '../limits.ts'
import { Content, textOf, Unscannable } from '../policy/content.ts'
import type { DataKind } from '../policy/detect/kinds.ts'
import { redact, redactText } from '../policy/redact.ts'
import type { Decision } from '../policy/types.ts'

/** Calls that carry bytes as `base64` beside their other arguments, and get them so. */
const carryBytes: ReadonlySet<string> = new Set(['fs.read', 'fs.write', 'fs.append', 'net.fetch'])

/**
 * @param name the syscall
 * @param args its decoded arguments
 * @returns everything in them, read when somebody asks
 */
export const contentOf = (name: string, args: unknown): Content =>
  new Content(() => textOf(withText(name, args as Json)))

/** @throws Unscannable for bytes that are no text */
function withText(name: string, value: Json): Json {
  if (name.startsWith('llm.')) return withFilesAsText(value)
  if (name === 'net.fetch' && typeof value === 'object' && value !== null && 'bodyStream' in value)
    throw new Unscannable('its body is sent in pieces')
  const bytes = carryBytes.has(name) ? bytesIn(value) : undefined
  return bytes === undefined ? value : { ...(value as object), base64: textOfBase64(bytes) }
}

/** Files within the messages of a prompt, as the text that they are: a picture cannot be looked through. */
function withFilesAsText(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withFilesAsText)
  const part = value as JsonObject
  const isFile = part.type === 'file' && typeof part.base64 === 'string'
  return Object.fromEntries(
    Object.entries(part).map(([key, item]) => [
      key,
      isFile && key === 'base64' ? textOfBase64(String(item)) : withFilesAsText(item),
    ]),
  )
}

function bytesIn(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null || !('base64' in value)) return undefined
  return typeof value.base64 === 'string' ? value.base64 : undefined
}

function textOfBase64(base64: string): string {
  if (base64.length > limits.scanMax * 2)
    throw new Unscannable(`it has more bytes than a search for data takes at once`)
  return textOfBytes(Buffer.from(base64, 'base64'))
}

/** @throws Unscannable: what is packed, encrypted or in another encoding cannot be looked through */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Unscannable('it holds bytes that are no text in UTF-8')
  }
}

/** @returns the kinds of data that the rules of a decision take out of what comes back */
export const redactedKinds = (decision: Decision | undefined): readonly DataKind[] => [
  ...new Set((decision?.obligations ?? []).flatMap((it) => it.redact ?? [])),
]

/**
 * @param name the syscall
 * @returns the result without data of these kinds
 * @throws SyscallError EPERM where it cannot be looked through; the effect has happened then, and its result is not shown
 */
export function redactResult(name: string, result: Json, kinds: readonly DataKind[]): Json {
  try {
    const bytes = carryBytes.has(name) ? bytesIn(result) : undefined
    if (bytes === undefined) return redact(result, kinds)
    const given = withText(name, result)
    const taken = redact(given, kinds)
    if (taken === given) return result
    const { base64, ...rest } = taken as { readonly base64: string }
    return { ...rest, base64: Buffer.from(base64).toString('base64') }
  } catch (error) {
    if (error instanceof Unscannable) throw unseen(error)
    throw error
  }
}

/** @returns the message of a failure without data of these kinds; a plain one where it cannot be looked through */
export function redactMessage(message: string, kinds: readonly DataKind[]): string {
  try {
    return redactText(message, kinds)
  } catch (error) {
    if (error instanceof Unscannable) return 'it failed, and what it says cannot be shown'
    throw error
  }
}

/**
 * @returns a URL or a name as it goes on record, to observers and to people: without what a rule looked for in it
 */
export const shownResource = (resource: string, decision: Decision | undefined): string =>
  decision?.sensitive === undefined ? resource : redactMessage(resource, decision.sensitive)

/** Why something that cannot be looked through is not shown. */
export const unseen = ({ message }: Unscannable): SyscallError =>
  new SyscallError(
    'EPERM',
    `a rule with \`redact\` shows only what can be looked through, and ${message}; what came back is not shown`,
    true,
  )
