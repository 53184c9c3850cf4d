// crypto.subtle: digests and HMAC with SHA-1 and SHA-2; everything else is refused, with what there is.
import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { expose } from './lib/expose.js'

const hashes = { __proto__: null, 'SHA-1': sha1, 'SHA-256': sha256, 'SHA-384': sha384, 'SHA-512': sha512 }
const there =
  'user space has digest (SHA-1, SHA-256, SHA-384, SHA-512) and importKey, exportKey, generateKey, sign and verify of HMAC'
const refused = (what) => web.domException('NotSupportedError', `${what} is not here; ${there}`)

const nameOf = (algorithm) =>
  `${typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase()

function hashOf(algorithm) {
  const name = nameOf(algorithm)
  if (hashes[name] === undefined) throw refused(`the hash \`${name}\``)
  return { name, hash: hashes[name] }
}

function bytesOf(data) {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  if (data instanceof ArrayBuffer) return new Uint8Array(data).slice()
  throw new TypeError('data is an ArrayBuffer or a view of one')
}

const keys = new WeakMap()
let making = false
const usagesOfHmac = new Set(['sign', 'verify'])

export class CryptoKey {
  constructor() {
    if (!making) throw new TypeError('Illegal constructor')
  }
  get type() {
    return 'secret'
  }
  get extractable() {
    return keys.get(this).extractable
  }
  get algorithm() {
    const { hash, bytes } = keys.get(this)
    return { name: 'HMAC', hash: { name: hash }, length: bytes.length * 8 }
  }
  get usages() {
    return [...keys.get(this).usages]
  }
}

function makeKey(hash, bytes, extractable, usages) {
  const list = [...new Set(usages)]
  for (const usage of list)
    if (!usagesOfHmac.has(usage))
      throw web.domException('SyntaxError', `a key of HMAC is for sign and verify, not \`${usage}\``)
  if (list.length === 0) throw web.domException('SyntaxError', 'a key needs a usage')
  making = true
  try {
    const key = new CryptoKey()
    keys.set(key, { hash, bytes, extractable: !!extractable, usages: list })
    return key
  } finally {
    making = false
  }
}

function keyFor(algorithm, key, usage) {
  if (nameOf(algorithm) !== 'HMAC') throw refused(`\`${nameOf(algorithm)}\``)
  const state = keys.get(key)
  if (state === undefined) throw new TypeError('the key is a CryptoKey')
  if (!state.usages.includes(usage))
    throw web.domException('InvalidAccessError', `the key is not for \`${usage}\``)
  return state
}

function assertHmac(algorithm) {
  if (nameOf(algorithm) !== 'HMAC') throw refused(`\`${nameOf(algorithm)}\``)
}

const fromBase64Url = (text) => {
  const { atob } = web.need('encoding')
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  )
}
const toBase64Url = (bytes) =>
  web.toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

export class SubtleCrypto {
  constructor() {
    web.assertMaking()
  }
  async digest(algorithm, data) {
    const { hash } = hashOf(algorithm)
    return hash(bytesOf(data)).buffer
  }
  async importKey(format, data, algorithm, extractable, usages) {
    assertHmac(algorithm)
    const { name } = hashOf(algorithm.hash)
    if (format !== 'raw' && format !== 'jwk') throw refused(`the format \`${format}\``)
    if (format === 'jwk' && data?.kty !== 'oct')
      throw web.domException('DataError', 'the key is no `oct` JWK')
    const bytes = format === 'raw' ? bytesOf(data) : fromBase64Url(`${data.k}`)
    if (bytes.length === 0) throw web.domException('DataError', 'a key has at least one byte')
    return makeKey(name, bytes, extractable, usages)
  }
  async exportKey(format, key) {
    const state = keys.get(key)
    if (state === undefined) throw new TypeError('the key is a CryptoKey')
    if (!state.extractable) throw web.domException('InvalidAccessError', 'the key cannot be extracted')
    if (format === 'raw') return state.bytes.slice().buffer
    if (format !== 'jwk') throw refused(`the format \`${format}\``)
    const alg = `HS${state.hash.slice(4)}`
    return { kty: 'oct', k: toBase64Url(state.bytes), alg, ext: true, key_ops: [...state.usages] }
  }
  async generateKey(algorithm, extractable, usages) {
    assertHmac(algorithm)
    const { name, hash } = hashOf(algorithm.hash)
    const bits = algorithm.length ?? hash.blockLen * 8
    if (!(Number.isInteger(bits) && bits > 0 && bits % 8 === 0 && bits <= 65_536))
      throw web.domException('OperationError', 'the length of a key is whole bytes, in bits, at most 65,536')
    return makeKey(name, web.randomBytes(bits / 8), extractable, usages)
  }
  async sign(algorithm, key, data) {
    const { hash, bytes } = keyFor(algorithm, key, 'sign')
    return hmac(hashes[hash], bytes, bytesOf(data)).buffer
  }
  async verify(algorithm, key, signature, data) {
    const { hash, bytes } = keyFor(algorithm, key, 'verify')
    const given = bytesOf(signature)
    const right = hmac(hashes[hash], bytes, bytesOf(data))
    let difference = given.length ^ right.length
    for (let index = 0; index < right.length; index += 1) difference |= right[index] ^ (given[index] ?? 0)
    return difference === 0
  }
}
for (const name of ['encrypt', 'decrypt', 'deriveBits', 'deriveKey', 'wrapKey', 'unwrapKey'])
  Object.defineProperty(SubtleCrypto.prototype, name, {
    value: {
      async [name]() {
        throw refused(`\`${name}\``)
      },
    }[name],
    writable: true,
    configurable: true,
  })

expose({ CryptoKey, SubtleCrypto })
export const subtle = web.makeOnly(SubtleCrypto)
