/** Signed notes and the checkpoints in them: what others can read, and what nobody can change. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkpointText, readCheckpoint } from '../../src/evidence/checkpoint.ts'
import { signerOf } from '../../src/evidence/keys.ts'
import {
  isSignedBy,
  readNote,
  readVerifier,
  signNote,
  verifierOf,
  verifierText,
} from '../../src/evidence/note.ts'

/** The example of the specification (C2SP signed-note, also that of golang.org/x/mod/sumdb/note). */
const published = {
  verifier: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  note: `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`,
}

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const verifier = verifierOf('example.org/log', publicKey)
const text = 'a text\nof two lines\n'
const note = signNote(text, signerOf(privateKey, 'example.org/log'))

const isSigned = (given: string, by = verifier): boolean => {
  const read = readNote(given)
  return read !== undefined && isSignedBy(read, by)
}

describe('notes', () => {
  test('the published example is read and holds', () => {
    const by = readVerifier(published.verifier)
    expect(by && isSigned(published.note, by)).toBe(true)
    expect(by && isSigned(published.note.replace('answer', 'reason'), by)).toBe(false)
    expect(by && verifierText(by)).toBe(published.verifier)
  })

  test('what is signed holds for its signer, and for nobody else', () => {
    expect(isSigned(note)).toBe(true)
    expect(readNote(note)?.text).toBe(text)
    expect(isSigned(note, verifierOf('example.org/log', other.publicKey))).toBe(false)
    expect(isSigned(note, verifierOf('example.org/other', publicKey))).toBe(false)
    expect(isSigned(signNote(text, signerOf(other.privateKey, 'example.org/log')))).toBe(false)
  })

  test('a verifier survives being written and read; a changed one is none', () => {
    const written = verifierText(verifier)
    const read = readVerifier(`${written}\n`)
    expect(read && isSigned(note, read)).toBe(true)
    for (const at of [0, written.indexOf('+') + 1, written.length - 4]) {
      const changed = `${written.slice(0, at)}${written[at] === 'e' ? 'f' : 'e'}${written.slice(at + 1)}`
      expect(readVerifier(changed)).toBeUndefined()
    }
    for (const bad of ['', 'a', 'a+b', 'a+00000000+AAAA', '+c74f20a3+ARpc'])
      expect(readVerifier(bad)).toBeUndefined()
  })

  test('no change of one character goes unnoticed', () => {
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(note[at] !== character)
        expect(isSigned(note.slice(0, at) + character + note.slice(at + 1))).toBe(false)
      }),
    )
  })

  test('a signature by another beside it changes nothing; a false one of the same signer spoils it', () => {
    const [, ofOther] = signNote(text, signerOf(other.privateKey, 'witness')).split('\n\n')
    expect(isSigned(`${note}${ofOther}`)).toBe(true)
    const [, forged = ''] = signNote('another\n', signerOf(privateKey, 'example.org/log')).split('\n\n')
    expect(isSigned(`${note}${forged}`)).toBe(false)
  })

  test.each([
    ['no blank line', 'text\n— a AAAAAAA=\n'],
    ['no signature', 'text\n\n'],
    ['no newline at the end', note.slice(0, -1)],
    ['a control character', note.replace('two', 't\u0007o')],
    ['base64 in another form', note.replace(/=\n$/, '\n')],
    ['a hyphen for a dash', note.replace('—', '-')],
    ['nothing', ''],
    ['too much', `${'x'.repeat(70_000)}\n\n— a AAAAAAA=\n`],
  ])('%s is no note', (_what, given) => {
    expect(isSigned(given)).toBe(false)
  })

  test.each(['', 'a b', 'a+b', 'a\n', 'x'.repeat(201)])('the name %j is refused', (name) => {
    expect(() => verifierOf(name, publicKey)).toThrow(TypeError)
  })

  test('a text without an end, and another kind of key, are refused', () => {
    expect(() => signNote('text', signerOf(privateKey, 'a'))).toThrow(/ends with a newline/)
    const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(() => signNote('text\n', signerOf(rsa, 'a'))).toThrow(/not an Ed25519 key/)
  })
})

describe('checkpoints', () => {
  const root = Buffer.alloc(32, 7)

  test('are three lines, and read back', () => {
    const written = checkpointText({ origin: 'example.org/log', size: 42, root })
    expect(written).toBe(`example.org/log\n42\n${root.toString('base64')}\n`)
    expect(readCheckpoint(written)).toEqual({ origin: 'example.org/log', size: 42, root })
    expect(readCheckpoint(`${written}an extension\n`)?.size).toBe(42)
  })

  test.each([
    '',
    'origin\n',
    `\n1\n${root.toString('base64')}\n`,
    `origin\n01\n${root.toString('base64')}\n`,
    `origin\n-1\n${root.toString('base64')}\n`,
    `origin\n99999999999999999\n${root.toString('base64')}\n`,
    'origin\n1\nAAAA\n',
    `origin\n1\n${root.toString('hex')}\n`,
    `origin\n1\n${root.toString('base64')}`,
  ])('%j is none', (given) => {
    expect(readCheckpoint(given)).toBeUndefined()
  })
})

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'invalid' | 'acceptable'
    }[]
  }[]
}

test('Ed25519 itself says of published signatures what their publishers say', async () => {
  const { verify } = await import('node:crypto')
  const file = new URL('../fixtures/wycheproof-ed25519.json', import.meta.url)
  const { testGroups }: Wycheproof = JSON.parse(readFileSync(file, 'utf8'))
  const wrong = testGroups.flatMap(({ publicKey: { pk }, tests }) => {
    const x = Buffer.from(pk, 'hex').toString('base64url')
    const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
    return tests.filter(
      ({ msg, sig, result }) =>
        verify(null, Buffer.from(msg, 'hex'), key, Buffer.from(sig, 'hex')) !== (result === 'valid'),
    )
  })
  expect(wrong).toEqual([])
})
