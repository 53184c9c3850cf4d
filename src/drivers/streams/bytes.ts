/** Bytes of a stream as a guest gets them: as text wherever they are whole characters of UTF-8, so that most need no base64. */

/** What one read gives of bytes. */
export type BytesReply = { readonly text: string } | { readonly base64: string }

/**
 * @param bytes what there is, at least one byte
 * @param max how many a read may give, at least one
 * @param isLast whether nothing follows
 * @returns what is given and how many bytes that is; undefined where they are the beginning of one character, of which more may follow
 */
export function takeBytes(
  bytes: Uint8Array,
  max: number,
  isLast: boolean,
): { readonly reply: BytesReply; readonly taken: number } | undefined {
  const part = bytes.subarray(0, max)
  const whole = part.length - unfinished(part)
  if (whole > 0) {
    const text = decoded(part.subarray(0, whole))
    if (text !== undefined) return { reply: { text }, taken: whole }
  } else if (!isLast && part.length === bytes.length && part.length < max) return undefined
  return { reply: { base64: Buffer.from(part).toString('base64') }, taken: part.length }
}

/** How many bytes at the end begin a character that is not complete; at most three. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const units = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return units > back ? back : 0
  }
  return 0
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined // Not UTF-8: base64 carries it.
  }
}
