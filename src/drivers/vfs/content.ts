/** What a file holds, as it crosses the boundary: text or base64, whole or a part. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** Bytes of a file as JSON carries them. */
export type Content = { readonly text: string } | { readonly base64: string }

/**
 * How many bytes one read takes.
 * @param size bytes in the file
 * @param offset where the read begins, in bytes; past the end there is nothing to read
 * @param length bytes asked for; absent means all that follow
 * @throws SyscallError EFBIG when that is more than one read may take
 */
export function spanOf(size: number, offset: number, length: number | undefined): number {
  const span = Math.max(0, Math.min(size - offset, length ?? Number.POSITIVE_INFINITY))
  if (span > limits.fileBytesMax) {
    throw new SyscallError(
      'EFBIG',
      `${span} bytes, and one read takes at most ${limits.fileBytesMax}; read parts with \`offset\` and \`length\``,
    )
  }
  return span
}

/** @throws SyscallError EFBIG when one file, or one write, would be so large */
export function assertFileSize(size: number): void {
  if (size > limits.fileBytesMax) {
    throw new SyscallError(
      'EFBIG',
      `${size} bytes, and at most ${limits.fileBytesMax} fit; use several files`,
    )
  }
}

/** @throws SyscallError EINVAL when an offset or length is not a whole number from 0 */
export function assertCount(value: number | undefined, name: string): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new SyscallError('EINVAL', `\`${name}\` is a whole number of bytes, 0 or more`)
  }
}

/** @throws SyscallError EINVAL when the bytes are not UTF-8, since a replacement would change the file in silence */
export function toContent(bytes: Uint8Array, encoding: 'text' | 'bytes'): Content {
  if (encoding === 'bytes') {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') }
  }
  try {
    // A byte order mark is part of the text, so that what is read can be written back unchanged.
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    throw new SyscallError('EINVAL', 'what was read is not UTF-8 text; read it with the encoding `bytes`')
  }
}

/** @throws SyscallError EINVAL for text with a lone surrogate and for base64 that is not canonical */
export function toBytes(content: Content): Uint8Array {
  if ('text' in content) {
    if (!content.text.isWellFormed()) {
      throw new SyscallError('EINVAL', 'the text holds a lone surrogate, which UTF-8 cannot carry')
    }
    return Buffer.from(content.text, 'utf8')
  }
  const bytes = Buffer.from(content.base64, 'base64')
  // One text for one content: Node.js itself would skip over what is not base64.
  if (bytes.toString('base64') !== content.base64) {
    throw new SyscallError('EINVAL', 'the data is not canonical base64 (RFC 4648 section 4, padded)')
  }
  return bytes
}
