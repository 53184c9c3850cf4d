// The module `node:buffer`, of the package `buffer`.
import packaged from 'buffer/'

export const { Buffer, SlowBuffer, INSPECT_MAX_BYTES, kMaxLength } = packaged

// What the package lacks: the encoding of tokens and of addresses.
const isUrl = (encoding) => /^base64url$/i.test(encoding)
const { from, isEncoding, byteLength } = Buffer
const { toString: textOf } = Buffer.prototype
Buffer.from = (value, encoding, length) => from(value, isUrl(encoding) ? 'base64' : encoding, length)
Buffer.isEncoding = (encoding) => isUrl(encoding) || isEncoding(encoding)
Buffer.byteLength = (value, encoding) => byteLength(value, isUrl(encoding) ? 'base64' : encoding)
Buffer.prototype.toString = function (encoding, start, end) {
  if (!isUrl(encoding)) return Reflect.apply(textOf, this, [encoding, start, end])
  return Reflect.apply(textOf, this, ['base64', start, end])
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

export const kStringMaxLength = 0x1fffffe8
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength }
const { atob, btoa, Blob, File } = globalThis

export { atob, Blob, btoa, File }
export const isAscii = (bytes) => new Uint8Array(bytes.buffer ?? bytes).every((byte) => byte < 128)
export default {
  Buffer,
  SlowBuffer,
  INSPECT_MAX_BYTES,
  kMaxLength,
  kStringMaxLength,
  constants,
  isAscii,
  atob,
  btoa,
  Blob,
  File,
}
