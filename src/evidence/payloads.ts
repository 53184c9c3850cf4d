/** Payloads picked from a stream of lines of packs. */
import { EvidenceError } from './store.ts'
import { isSound, type Payload, readPayload } from './verify.ts'

/**
 * @param packs lines of packs
 * @param hashes of payloads, as entries name them
 * @returns those that are there, each checked to be what was hashed; one without a text is a digest only
 * @throws EvidenceError EIO where one is not what was hashed
 */
export function pickPayloads(
  packs: Iterable<string>,
  hashes: ReadonlySet<string>,
): ReadonlyMap<string, Payload> {
  const found = new Map<string, Payload>()
  for (const line of packs) {
    const payload = readPayload(line)
    if (payload === undefined || !hashes.has(payload.hash)) continue
    if (!isSound(payload))
      throw new EvidenceError(
        'EIO',
        `payload ${payload.hash.slice(0, 16)}… is not what was hashed; verify it`,
      )
    found.set(payload.hash, payload)
  }
  return found
}
