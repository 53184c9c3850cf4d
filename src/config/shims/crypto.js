// The module `node:crypto`: the kernel's randomness, and digests of the package `@noble/hashes`. Keys and ciphers are not here.
import { hmac } from '@noble/hashes/hmac.js'
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { pbkdf2 as derive } from '@noble/hashes/pbkdf2.js'
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { absent } from './absent.js'
import { Buffer } from './buffer.js'

/** As much as one call of `getRandomValues` fills, in bytes. */
const quota = 65_536

const failure = (code, message, Kind = Error) => Object.assign(new Kind(message), { code })

/** Later, as Node.js calls back: never before the call has returned. */
const later = (callback, work) =>
  queueMicrotask(() => {
    let value
    try {
      value = work()
    } catch (error) {
      callback(error)
      return
    }
    callback(null, value)
  })

export function randomFillSync(target, offset = 0, size = undefined) {
  const bytes = ArrayBuffer.isView(target)
    ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    : new Uint8Array(target)
  const end = size === undefined ? bytes.length : offset + size
  if (offset < 0 || end > bytes.length)
    throw failure('ERR_OUT_OF_RANGE', 'The offset or size is out of range', RangeError)
  for (let at = offset; at < end; at += quota)
    globalThis.crypto.getRandomValues(bytes.subarray(at, Math.min(at + quota, end)))
  return target
}

export function randomFill(target, ...rest) {
  const callback = rest.pop()
  later(callback, () => randomFillSync(target, ...rest))
}

export function randomBytes(size, callback) {
  if (!Number.isInteger(size) || size < 0)
    throw failure('ERR_OUT_OF_RANGE', 'The size is out of range', RangeError)
  if (callback === undefined) return randomFillSync(Buffer.alloc(size))
  return later(callback, () => randomFillSync(Buffer.alloc(size)))
}

export const randomUUID = () => globalThis.crypto.randomUUID()

/** Each number of the range is as likely as any other: what would favour some is drawn again. */
export function randomInt(...args) {
  const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined
  const [min, max] = args.length === 1 ? [0, args[0]] : args
  const range = max - min
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || !(range > 0) || range > 2 ** 48 - 1)
    throw failure('ERR_OUT_OF_RANGE', 'The range of randomInt is not sound', RangeError)
  const draw = () => {
    const fair = 2 ** 48 - (2 ** 48 % range)
    for (;;) {
      const [high, low] = globalThis.crypto.getRandomValues(new Uint32Array(2))
      const drawn = (high & 0xffff) * 2 ** 32 + low
      if (drawn < fair) return min + (drawn % range)
    }
  }
  return callback === undefined ? draw() : later(callback, draw)
}

const digests = { md5, ripemd160, rmd160: ripemd160, sha1, sha224, sha256, sha384, sha512 }

function digestOf(name) {
  const key = `${name}`.toLowerCase().replace(/^(rsa-)?sha-?(\d)/, 'sha$2')
  if (Object.hasOwn(digests, key)) return digests[key]
  throw failure(
    'ERR_CRYPTO_INVALID_DIGEST',
    `Digest method not supported: ${name}; there are ${getHashes().join(', ')}`,
  )
}
export const getHashes = () => Object.keys(digests)

const bytesOf = (data, encoding) =>
  typeof data === 'string'
    ? Buffer.from(data, encoding)
    : ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data)

const shown = (bytes, encoding) => {
  const buffer = Buffer.from(bytes)
  return encoding === undefined || encoding === 'buffer' ? buffer : buffer.toString(encoding)
}

export class Hash {
  #state
  #isDone = false

  constructor(state) {
    this.#state = state
  }

  update(data, encoding) {
    if (this.#isDone) throw failure('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
    if (data === undefined || data === null)
      throw failure('ERR_INVALID_ARG_TYPE', 'The "data" argument must be a string or bytes', TypeError)
    this.#state.update(bytesOf(data, encoding))
    return this
  }

  digest(encoding) {
    if (this.#isDone) throw failure('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
    this.#isDone = true
    return shown(this.#state.digest(), encoding)
  }

  copy() {
    if (this.#isDone) throw failure('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
    return new this.constructor(this.#state.clone())
  }
}
export class Hmac extends Hash {}

export const createHash = (name) => new Hash(digestOf(name).create())
export const createHmac = (name, key) => new Hmac(hmac.create(digestOf(name), bytesOf(key)))
export const hash = (name, data, encoding = 'hex') => shown(digestOf(name)(bytesOf(data)), encoding)

export const pbkdf2Sync = (password, salt, iterations, length, name) =>
  Buffer.from(derive(digestOf(name), bytesOf(password), bytesOf(salt), { c: iterations, dkLen: length }))
export const pbkdf2 = (...args) => {
  const callback = args.pop()
  later(callback, () => pbkdf2Sync(...args))
}

/** Takes as long wherever they differ. */
export function timingSafeEqual(one, other) {
  const [left, right] = [bytesOf(one), bytesOf(other)]
  if (left.length !== right.length)
    throw failure(
      'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH',
      'Input buffers must have the same byte length',
      RangeError,
    )
  let difference = 0
  for (let at = 0; at < left.length; at += 1) difference |= left[at] ^ right[at]
  return difference === 0
}

export const webcrypto = globalThis.crypto
export const subtle = globalThis.crypto.subtle
export const getRandomValues = (array) => globalThis.crypto.getRandomValues(array)
export const constants = {}
export const getFips = () => 0

const asTool = 'sign or encrypt in a tool of the application, which can keep the key away from the agent'
const noKeys = (name) => absent(`crypto.${name}`, asTool)
export const createCipheriv = noKeys('createCipheriv')
export const createDecipheriv = noKeys('createDecipheriv')
export const createDiffieHellman = noKeys('createDiffieHellman')
export const createECDH = noKeys('createECDH')
export const createPrivateKey = noKeys('createPrivateKey')
export const createPublicKey = noKeys('createPublicKey')
export const createSecretKey = noKeys('createSecretKey')
export const createSign = noKeys('createSign')
export const createVerify = noKeys('createVerify')
export const diffieHellman = noKeys('diffieHellman')
export const generateKey = noKeys('generateKey')
export const generateKeyPair = noKeys('generateKeyPair')
export const generateKeyPairSync = noKeys('generateKeyPairSync')
export const generateKeySync = noKeys('generateKeySync')
export const getCiphers = () => []
export const getCurves = () => []
export const hkdf = noKeys('hkdf')
export const hkdfSync = noKeys('hkdfSync')
export const KeyObject = noKeys('KeyObject')
export const privateDecrypt = noKeys('privateDecrypt')
export const privateEncrypt = noKeys('privateEncrypt')
export const publicDecrypt = noKeys('publicDecrypt')
export const publicEncrypt = noKeys('publicEncrypt')
export const scrypt = noKeys('scrypt')
export const scryptSync = noKeys('scryptSync')
export const sign = noKeys('sign')
export const verify = noKeys('verify')
export const X509Certificate = noKeys('X509Certificate')

export default {
  Hash,
  Hmac,
  KeyObject,
  X509Certificate,
  constants,
  createCipheriv,
  createDecipheriv,
  createDiffieHellman,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  createSign,
  createVerify,
  diffieHellman,
  generateKey,
  generateKeyPair,
  generateKeyPairSync,
  generateKeySync,
  getCiphers,
  getCurves,
  getFips,
  getHashes,
  getRandomValues,
  hash,
  hkdf,
  hkdfSync,
  pbkdf2,
  pbkdf2Sync,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  randomBytes,
  randomFill,
  randomFillSync,
  randomInt,
  randomUUID,
  scrypt,
  scryptSync,
  sign,
  subtle,
  timingSafeEqual,
  verify,
  webcrypto,
}
