/** The envelope is the one of the specification: its example, and an encoder written from the text alone. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyIdOf, preAuthEncoding, seal } from '../../../src/evidence/report/dsse.ts'

const base64url = (decimal: string): string =>
  Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url')

test('what the specification signed with its example key is what is encoded here', () => {
  const key = createPublicKey({
    format: 'jwk',
    key: {
      ...{ kty: 'EC', crv: 'P-256' },
      x: base64url('46950820868899156662930047687818585632848591499744589407958293238635476079160'),
      y: base64url('5640078356564379163099075877009565129882514886557779369047442380624545832820'),
    },
  })
  const sig = 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=='
  const check = (body: string): boolean =>
    verify(
      'sha256',
      preAuthEncoding('http://example.com/HelloWorld', Buffer.from(body)),
      { key, dsaEncoding: 'ieee-p1363' },
      Buffer.from(sig, 'base64'),
    )
  expect(check('hello world')).toBe(true)
  expect(check('hello worlt')).toBe(false)
})

/** From the words of the specification, byte by byte. */
function encode(type: string, body: Uint8Array): number[] {
  const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)]
  const typeBytes = bytesOf(type)
  const space = 0x20
  return [
    ...[0x44, 0x53, 0x53, 0x45, 0x76, 0x31, space],
    ...[...bytesOf(String(typeBytes.length)), space, ...typeBytes, space],
    ...[...bytesOf(String(body.length)), space, ...body],
  ]
}

test('the encoding is that of the specification for every type and body', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (type, body) => {
      expect([...preAuthEncoding(type, body)]).toEqual(encode(type, body))
    }),
  )
})

test('an envelope is verified with its key alone, and no other', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { payload, payloadType, signatures } = seal('application/x', Buffer.from('{"a":1}'), privateKey)
  expect(Buffer.from(payload, 'base64').toString()).toBe('{"a":1}')
  const signed = Buffer.from(encode(payloadType, Buffer.from(payload, 'base64')))
  const [signature] = signatures
  expect(signature?.keyid).toBe(keyIdOf(publicKey))
  const sig = Buffer.from(signature?.sig ?? '', 'base64')
  expect(verify(null, signed, publicKey, sig)).toBe(true)
  expect(verify(null, signed, generateKeyPairSync('ed25519').publicKey, sig)).toBe(false)
})

test('another kind of key, or a public one, signs nothing', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { publicKey } = generateKeyPairSync('ed25519')
  for (const key of [privateKey, publicKey])
    expect(() => seal('t', Buffer.from(''), key)).toThrow('not an Ed25519 private key')
})
