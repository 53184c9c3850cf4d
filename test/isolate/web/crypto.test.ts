/** crypto.subtle, as far as user space has it, against the vectors of its standards and against Node.js. */
import { webcrypto } from 'node:crypto'
import { expect, test } from 'vitest'
import { claims, thrownBy } from '../../support/claims.ts'
import { ask, boot } from '../../support/kernel.ts'

const hex = `const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const bytes = (text) => new TextEncoder().encode(text)
  `

claims('crypto.subtle', {
  'digests of `abc` (FIPS 180)': [
    `${hex}return Promise.all(['SHA-1', 'sha-256', { name: 'SHA-384' }].map(async (name) => hex(await crypto.subtle.digest(name, bytes('abc'))).slice(0, 16)))`,
    ['a9993e364706816a', 'ba7816bf8f01cfea', 'cb00753f45a35e8b'],
  ],
  'HMAC signs, verifies, and tells a wrong signature (RFC 4231, case 2)': [
    `${hex}const key = await crypto.subtle.importKey('raw', bytes('Jefe'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
     const data = bytes('what do ya want for nothing?'), signature = await crypto.subtle.sign('HMAC', key, data)
     const wrong = new Uint8Array(signature).map((byte, at) => at === 0 ? byte ^ 1 : byte)
     return [hex(signature).slice(0, 16), await crypto.subtle.verify('HMAC', key, signature, data), await crypto.subtle.verify('HMAC', key, wrong, data),
       await crypto.subtle.verify('HMAC', key, signature.slice(1), data), ${thrownBy("crypto.subtle.exportKey('raw', key)")}, key.algorithm.hash.name, key.usages]`,
    ['5bdcc146bf60754e', true, false, false, 'InvalidAccessError', 'SHA-256', ['sign', 'verify']],
  ],
  'keys are made from the kernel’s randomness, and go out and in': [
    `const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-512' }, true, ['sign'])
     const jwk = await crypto.subtle.exportKey('jwk', key)
     const back = await crypto.subtle.importKey('jwk', jwk, { name: 'HMAC', hash: 'SHA-512' }, true, ['sign'])
     const raw = await crypto.subtle.exportKey('raw', back)
     return [jwk.alg, raw.byteLength, key instanceof CryptoKey, new Uint8Array(raw).some((byte) => byte !== 0)]`,
    ['HS512', 128, true, true],
  ],
  'all else is refused, with what there is': [
    `const refused = async (work) => { try { await work() } catch (error) { return [error.name, error.message.includes('HMAC')] } }
     return [await refused(() => crypto.subtle.encrypt({ name: 'AES-GCM' }, {}, new Uint8Array(1))),
       await refused(() => crypto.subtle.digest('MD5', new Uint8Array(1))), await refused(() => crypto.subtle.importKey('raw', new Uint8Array(1), 'AES-GCM', true, []))]`,
    Array(3).fill(['NotSupportedError', true]),
  ],
  'getRandomValues takes whole numbers, so many': [
    `return [${['crypto.getRandomValues(new Float32Array(1))', 'crypto.getRandomValues(new DataView(new ArrayBuffer(1)))', 'crypto.getRandomValues(new Uint8Array(65537))', 'new Crypto()', 'new SubtleCrypto()', 'new CryptoKey()'].map(thrownBy).join(', ')},
       crypto.getRandomValues(new BigInt64Array(1)).length, crypto instanceof Crypto]`,
    [
      ...[
        'TypeMismatchError',
        'TypeMismatchError',
        'QuotaExceededError',
        'TypeError',
        'TypeError',
        'TypeError',
      ],
      ...[1, true],
    ],
  ],
})

test('each digest and each HMAC is that of Node.js, whatever the length', async () => {
  const hashes = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']
  const lengths = [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1_000]
  const bytesOf = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7) & 255)
  const body = `const out = []
    for (const hash of args[0]) for (const length of args[1]) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 7) & 255)
      const key = await crypto.subtle.importKey('raw', new Uint8Array(length + 1), { name: 'HMAC', hash }, false, ['sign'])
      for (const buffer of [await crypto.subtle.digest(hash, bytes), await crypto.subtle.sign('HMAC', key, bytes)])
        out.push(btoa(String.fromCharCode(...new Uint8Array(buffer))))
    }
    return out`
  const right: string[] = []
  for (const hash of hashes)
    for (const length of lengths) {
      const algorithm = { name: 'HMAC', hash }
      const key = await webcrypto.subtle.importKey('raw', new Uint8Array(length + 1), algorithm, false, [
        'sign',
      ])
      const data = bytesOf(length)
      for (const it of [
        await webcrypto.subtle.digest(hash, data),
        await webcrypto.subtle.sign('HMAC', key, data),
      ])
        right.push(Buffer.from(it).toString('base64'))
    }
  expect(await ask(boot(), body, { args: [hashes, lengths] })).toEqual(right)
})
