/** Keys that sign checkpoints: Ed25519, held by the kernel or by a signer that the application gives. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, KeyObject, sign } from 'node:crypto'
import { type Signer, verifierOf } from './note.ts'
import { EvidenceError } from './store.ts'

/** A signer of the application's own, such as a hardware module. */
export interface SignerOption {
  /** By which auditors know it: 1 to 200 characters, no white space, no `+`. */
  readonly name: string
  /** Ed25519; a text is PEM. */
  readonly publicKey: KeyObject | string
  /**
   * Signs at once, since a checkpoint has its place in the chain and nothing may come between it and what it covers. A
   * signer that has to wait (over a network) keeps a key of its own here and endorses the next: `previousKey`.
   * @returns the signature, 64 bytes
   */
  sign(bytes: Uint8Array): Uint8Array
}

/** A key for as long as its holder lives, and under a name that follows from it. */
export const makeSigner = (): Signer => signerOf(generateKeyPairSync('ed25519').privateKey)

/** @param name `gatehouse-` and 8 hex digits of SHA-256 of the public key, unless another is given */
export function signerOf(privateKey: KeyObject, name?: string): Signer {
  const publicKey = createPublicKey(privateKey)
  return {
    name: name ?? nameOf(publicKey),
    publicKey,
    sign: (bytes) => sign(null, bytes, privateKey),
  }
}

/** @returns a new private key as PEM (PKCS#8) */
export const newKeyText = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** @throws EvidenceError EINVAL for what is no private Ed25519 key in PEM; the text is in no message */
export function readKeyText(text: string): Signer {
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    throw new EvidenceError('EINVAL', 'it is no private key in PEM (PKCS#8) without a passphrase')
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new EvidenceError('EINVAL', `it is a key for ${key.asymmetricKeyType}, and not for Ed25519`)
  return signerOf(key)
}

/** @throws EvidenceError EINVAL for a name or key that cannot stand in a note */
export function readSigner(given: SignerOption): Signer {
  try {
    const { publicKey } = given
    const key = publicKey instanceof KeyObject ? publicKey : createPublicKey(publicKey)
    verifierOf(given.name, key)
    return { name: given.name, publicKey: key, sign: (bytes) => given.sign(bytes) }
  } catch (error) {
    const why = error instanceof TypeError ? error.message : 'its public key is no key in PEM'
    throw new EvidenceError('EINVAL', `the signer given as \`evidence.key\` is not sound: ${why}`)
  }
}

function nameOf(publicKey: KeyObject): string {
  const raw = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url')
  return `gatehouse-${hash('sha256', raw, 'hex').slice(0, 8)}`
}
