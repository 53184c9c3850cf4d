// The module `node:buffer`, of the package `buffer`.
import packaged from 'buffer/'

export const { Buffer, SlowBuffer, INSPECT_MAX_BYTES, kMaxLength } = packaged
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
