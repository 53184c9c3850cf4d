/** A self-signed X.509 certificate (RFC 5280) for servers of tests, made anew for each run: no key is ever kept. */
import { generateKeyPairSync, sign } from 'node:crypto'

export interface ServerIdentity {
  /** PEM. */
  readonly key: string
  /** PEM; it vouches for itself. */
  readonly cert: string
}

/** @returns a P-256 key, and a certificate of it for `localhost` and 127.0.0.1 that never expires */
export function makeIdentity(): ServerIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subjectPublicKeyInfo = publicKey.export({ type: 'spki', format: 'der' })
  const signed = certificateBody(subjectPublicKeyInfo)
  const signature = sign('sha256', signed, privateKey)
  const cert = sequence(signed, ecdsaWithSha256, bitString(signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
  }
}

/** TBSCertificate, section 4.1. */
function certificateBody(subjectPublicKeyInfo: Buffer): Buffer {
  const name = sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), utf8String('gatehouse test'))))
  // Section 4.1.2.5: two digits of the year until 2049; the last second of 9999 means that there is no end.
  const validity = sequence(
    der(0x17, Buffer.from('200101000000Z')),
    der(0x18, Buffer.from('99991231235959Z')),
  )
  const version3 = explicit(0, integer(2))
  const extensions = explicit(3, sequence(basicConstraints, subjectAltName))
  return sequence(
    ...[version3, integer(1), ecdsaWithSha256, name, validity, name, subjectPublicKeyInfo, extensions],
  )
}

// ITU-T X.690: tag, length, content.
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body])
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), body])
}

const sequence = (...items: readonly Buffer[]): Buffer => der(0x30, ...items)
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]))
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes))
const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text))
const octetString = (content: Buffer): Buffer => der(0x04, content)
const bitString = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content)
const explicit = (tag: number, content: Buffer): Buffer => der(0xa0 + tag, content)

/** 1.2.840.10045.4.3.2 (RFC 5758, section 3.2). */
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
/** Section 4.2.1.9, critical: it may vouch, for itself. */
const basicConstraints = sequence(
  ...[
    oid(0x55, 0x1d, 0x13),
    der(0x01, Buffer.from([0xff])),
    octetString(sequence(der(0x01, Buffer.from([0xff])))),
  ],
)
/** Section 4.2.1.6: a DNS name and an address. */
const subjectAltName = sequence(
  oid(0x55, 0x1d, 0x11),
  octetString(sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))),
)
