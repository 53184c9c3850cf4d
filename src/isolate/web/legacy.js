// Encodings of several bytes a character: Chinese, Japanese and Korean ones of before Unicode.
export { createMultibyteDecoder } from '@exodus/bytes/multi-byte.js'
