/** Which payloads an entry names. */
import { limits } from '../limits.ts'
import type { Entry } from './entry.ts'

/** @returns their hashes, wherever in the entry they stand */
export function payloadHashesOf(entry: Entry): readonly string[] {
  const hashes: string[] = []
  collect(entry, limits.canonicalDepthMax, hashes)
  return hashes
}

function collect(value: unknown, depth: number, into: string[]): void {
  if (typeof value !== 'object' || value === null || depth === 0) return
  const { hash, bytes } = value as { readonly hash?: unknown; readonly bytes?: unknown }
  if (typeof hash === 'string' && typeof bytes === 'number' && /^[0-9a-f]{64}$/.test(hash)) into.push(hash)
  for (const part of Object.values(value)) if (typeof part === 'object') collect(part, depth - 1, into)
}
