/**
 * Signed notes: a text, and under it who signs it with Ed25519 (C2SP signed-note v1.0.0, RFC 8032).
 * An auditor can read this file alone.
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'

/** Who signs, as others know it. */
export interface Verifier {
  readonly name: string
  readonly publicKey: KeyObject
  /** The first four bytes of SHA-256 over name, newline, 0x01 and the public key. */
  readonly id: Buffer
}

/** Who can sign. */
export interface Signer {
  /** 1 to 200 characters, no white space, no `+`. */
  readonly name: string
  /** Ed25519. */
  readonly publicKey: KeyObject
  /** @returns the signature of these bytes, 64 bytes */
  sign(bytes: Uint8Array): Uint8Array
}

export interface Signature {
  readonly name: string
  readonly id: Buffer
  readonly bytes: Buffer
}

export interface Note {
  /** What is signed; it ends with a newline. */
  readonly text: string
  readonly signatures: readonly Signature[]
}

const ed25519 = 1
const keyBytes = 32
const idBytes = 4
const signatureBytes = 64
/** More is no note of ours, and nothing is read of it. */
const noteMax = 64 * 1024
const signaturesMax = 16
const namePattern = /^[^\s+\p{C}]{1,200}$/u

/**
 * @param name of the signer
 * @param key Ed25519, the private one or the public one
 * @throws TypeError for another name or kind of key
 */
export function verifierOf(name: string, key: KeyObject): Verifier {
  if (!namePattern.test(name))
    throw new TypeError('a signer has a name of 1 to 200 characters, without white space and without `+`')
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('the key is not an Ed25519 key')
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return { name, publicKey, id: idOf(name, rawKey(publicKey)) }
}

/** The form in which a verifier is handed on: `name+id+key`, the id in hex, the key in base64 after its type. */
export function verifierText({ name, publicKey, id }: Verifier): string {
  const key = Buffer.concat([Buffer.of(ed25519), rawKey(publicKey)])
  return `${name}+${id.toString('hex')}+${key.toString('base64')}`
}

/**
 * @param text as `verifierText` writes it
 * @returns undefined where it is none, or its id is not that of its key
 */
export function readVerifier(text: string): Verifier | undefined {
  const [name = '', id = '', encoded = '', ...rest] = text
    .trim()
    .split('+', 2)
    .concat(afterSecond(text.trim()))
  const key = decode(encoded, 1 + keyBytes)
  if (rest.length > 0 || !namePattern.test(name) || key?.[0] !== ed25519) return undefined
  const raw = key.subarray(1)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }
  const verifier = { name, publicKey: createPublicKey({ format: 'jwk', key: jwk }), id: idOf(name, raw) }
  return verifier.id.toString('hex') === id ? verifier : undefined
}

/** Base64 may hold `+` itself. */
function afterSecond(text: string): string {
  const second = text.indexOf('+', text.indexOf('+') + 1)
  return second < 0 ? '' : text.slice(second + 1)
}

/**
 * @param text not empty, without control characters but newlines, and ending with one
 * @returns the note with one signature
 * @throws TypeError for another text, or where the signer does not sign
 */
export function signNote(text: string, signer: Signer): string {
  if (!isText(text)) throw new TypeError('a note is a text that ends with a newline')
  const { name, publicKey, id } = verifierOf(signer.name, signer.publicKey)
  const bytes = signer.sign(Buffer.from(text))
  if (!(bytes instanceof Uint8Array) || !isSound(text, publicKey, bytes))
    throw new TypeError(`the signer \`${name}\` did not give a signature of its key`)
  return `${text}\n— ${name} ${Buffer.concat([id, bytes]).toString('base64')}\n`
}

/** @returns undefined for what is not a note */
export function readNote(note: string): Note | undefined {
  const gap = note.lastIndexOf('\n\n')
  if (note.length > noteMax || gap < 0 || !note.endsWith('\n')) return undefined
  const text = note.slice(0, gap + 1)
  const lines = note.slice(gap + 2, -1).split('\n')
  if (!isText(text) || lines.length > signaturesMax) return undefined
  const signatures: Signature[] = []
  for (const line of lines) {
    const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? []
    const bytes = decode(encoded)
    if (!namePattern.test(name) || bytes === undefined || bytes.length <= idBytes) return undefined
    signatures.push({ name, id: bytes.subarray(0, idBytes), bytes: bytes.subarray(idBytes) })
  }
  return { text, signatures }
}

/** @returns whether one of its signatures is that verifier's, and sound; one that claims to be and is not spoils the note */
export function isSignedBy({ text, signatures }: Note, { name, id, publicKey }: Verifier): boolean {
  const own = signatures.filter((each) => each.name === name && each.id.equals(id))
  return own.length > 0 && own.every(({ bytes }) => isSound(text, publicKey, bytes))
}

const isSound = (text: string, publicKey: KeyObject, signature: Uint8Array): boolean =>
  signature.length === signatureBytes && verify(null, Buffer.from(text), publicKey, signature)

function isText(text: string): boolean {
  return text.endsWith('\n') && text.length > 1 && text.isWellFormed() && !/[^\P{Cc}\n]/u.test(text)
}

const idOf = (name: string, raw: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519), raw]), 'buffer').subarray(
    0,
    idBytes,
  )

function rawKey(publicKey: KeyObject): Buffer {
  return Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url')
}

/** Only as it is written again: base64 in another form would let two notes be one. */
function decode(text: string, length?: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  const isSame = bytes.toString('base64') === text
  return isSame && (length === undefined || bytes.length === length) ? bytes : undefined
}
