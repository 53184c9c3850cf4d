/** An envelope around a document, with who signs it: DSSE v1.0 (secure-systems-lab/dsse), Ed25519 (RFC 8032). */
import { createPublicKey, hash, type KeyObject, sign } from 'node:crypto'

export interface Envelope {
  /** Base64 of the document's bytes. */
  readonly payload: string
  readonly payloadType: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

/** What is signed: the lengths stand before the parts, so that none can be taken for another. */
export function preAuthEncoding(type: string, body: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `
  return Buffer.concat([Buffer.from(head), body])
}

/** @returns SHA-256 over the public key in its SPKI form (DER), as hex: a hint for whoever looks for the key */
export const keyIdOf = (key: KeyObject): string =>
  hash('sha256', publicKeyOf(key).export({ type: 'spki', format: 'der' }), 'hex')

const publicKeyOf = (key: KeyObject): KeyObject => (key.type === 'private' ? createPublicKey(key) : key)

/**
 * @param key Ed25519, private
 * @throws TypeError for another kind of key
 */
export function seal(type: string, body: Uint8Array, key: KeyObject): Envelope {
  if (key.type !== 'private' || key.asymmetricKeyType !== 'ed25519')
    throw new TypeError('the key is not an Ed25519 private key')
  return {
    payload: Buffer.from(body).toString('base64'),
    payloadType: type,
    signatures: [
      { keyid: keyIdOf(key), sig: sign(null, preAuthEncoding(type, body), key).toString('base64') },
    ],
  }
}
