/** Where the key of a kernel lies, who may read it, and that neither agents nor auditors are shown it. */

import { generateKeyPairSync } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { defaultKeyFile, makeDefaultKey, readKeyFile } from '../../src/evidence/files/key-file.ts'
import { makeSigner, newKeyText } from '../../src/evidence/keys.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import type { KernelOptions } from '../../src/index.ts'
import { ask, boot, refusalOf, tempFolder } from '../support/kernel.ts'
import { verifierFor } from './support.ts'

/** A folder of the user's own, for one test. */
function ownFolder(): string {
  const folder = tempFolder()
  vi.stubEnv('XDG_CONFIG_HOME', folder)
  return folder
}

function keyFile(folder: string, text = newKeyText(), mode = 0o600): string {
  const file = join(folder, 'some.key')
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

test('no test comes near the keys of the user who runs it', () => {
  expect(defaultKeyFile().startsWith(tmpdir())).toBe(true)
  expect(defaultKeyFile().startsWith(join(homedir(), '.config'))).toBe(false)
})

test('a user’s own key is made once, for its owner alone, and by whoever comes first', () => {
  const folder = ownFolder()
  expect([makeDefaultKey(), makeDefaultKey()]).toEqual([true, false])
  const file = join(folder, 'gatehouse/evidence.key')
  expect(defaultKeyFile()).toBe(file)
  expect([statSync(file).mode & 0o777, statSync(join(folder, 'gatehouse')).mode & 0o777]).toEqual([
    0o600, 0o700,
  ])
  expect(readdirSync(join(folder, 'gatehouse'))).toEqual(['evidence.key'])
  const { name } = readKeyFile(file)
  expect(name).toMatch(/^gatehouse-[0-9a-f]{8}$/)
  expect(readKeyFile(file).name).toBe(name)
})

test.each(['', 'relative'])('XDG_CONFIG_HOME of `%s` names no place, so that of the user counts', (value) => {
  vi.stubEnv('XDG_CONFIG_HOME', value)
  expect(defaultKeyFile()).toBe(join(homedir(), '.config/gatehouse/evidence.key'))
})

test.each([
  ['can be read by its group', newKeyText(), 0o640, /others can read it \(its mode is 640\); `chmod 600` it/],
  ['can be read by all', newKeyText(), 0o604, /others can read it/],
  ['is empty', '', 0o600, /it is no private key in PEM/],
  ['is of another kind', pem('ec'), 0o600, /it is a key for ec, and not for Ed25519/],
  ['is a public key', publicPem(), 0o600, /it is no private key in PEM/],
  ['is very long', 'x'.repeat(100_000), 0o600, /has 100000 bytes, and no key has so many/],
])('a key that %s is refused, and nothing of it is told', (_what, text, mode, why) => {
  const file = keyFile(tempFolder(), text, mode)
  const dir = join(tempFolder(), 'evidence')
  const message = refusedWith({ evidence: { dir, key: file } })
  expect(message).toMatch(why)
  expect(message).toContain(`the key \`${file}\` cannot be used`)
  expect(message).not.toContain('BEGIN')
  expect(existsSync(dir)).toBe(false)
})

test('a key that is not there, and a folder in its place, are refused', () => {
  const folder = tempFolder()
  const dir = join(folder, 'evidence')
  expect(refusedWith({ evidence: { dir, key: join(folder, 'none') } })).toMatch(/the system says ENOENT/)
  expect(refusedWith({ evidence: { dir, key: folder } })).toMatch(/it is not a regular file/)
})

test('a key that auditors or agents would be shown is refused, by whatever name it is given', () => {
  const [inside, outside] = [tempFolder(), tempFolder()]
  const file = keyFile(inside)
  const link = join(outside, 'link')
  symlinkSync(file, link)
  for (const key of [file, link]) {
    expect(refusedWith({ evidence: { dir: inside, key } })).toMatch(/which is what auditors are handed/)
    const mounts = { '/data': { host: inside, mode: 'ro' } } as const
    const dir = join(outside, 'evidence')
    expect(refusedWith({ evidence: { dir, key }, mounts })).toMatch(
      /lies in the mount `\/data`, which agents see/,
    )
    expect(refusedWith({ evidence: { dir, previousKey: key }, mounts })).toMatch(/lies in the mount `\/data`/)
  }
})

test('the key of a user is in no mount, by its own name or another', async () => {
  const folder = ownFolder()
  makeDefaultKey()
  linkSync(defaultKeyFile(), join(folder, 'another-name'))
  writeFileSync(join(folder, 'seen.txt'), 'seen')
  const kernel = boot({
    evidence: { dir: join(tempFolder(), 'evidence') },
    mounts: { '/home': { host: folder, mode: 'ro' } },
  })
  expect(
    await ask(kernel, `return (await fs.list('/home')).map(({ name }) => name ?? '').join(' ')`),
  ).not.toMatch(/gatehouse|another-name/)
  const read = (path: string) => ask(kernel, `return ${refusalOf(`fs.read('${path}')`)}`)
  expect(await read('/home/seen.txt')).toBe('ok')
  expect(await read('/home/gatehouse/evidence.key')).toMatch(/ENOENT|EACCES/)
  expect(await read('/home/another-name')).toMatch(/ENOENT|EACCES/)
})

test('a kernel signs with the key that it is given: a path, a signer, or that of its user', async () => {
  const own = ownFolder()
  const file = keyFile(tempFolder())
  const signer = makeSigner()
  const { name, publicKey, sign } = signer
  const asText = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const options = [
    { key: file },
    { key: { name, publicKey, sign } },
    { key: { name: 'agents.example/log', publicKey: asText, sign } },
    {},
  ]
  const expected = [
    () => verifierFor(readKeyFile(file)),
    () => verifierFor(signer),
    () => verifierFor({ ...signer, name: 'agents.example/log' }),
    () => verifierFor(readKeyFile(join(own, 'gatehouse/evidence.key'))),
  ]
  for (const [index, option] of options.entries()) {
    const dir = join(tempFolder(), 'evidence')
    const kernel = boot({ evidence: { dir, ...option } })
    expect(await ask(kernel, 'return 1')).toBe(1)
    const since = [await kernel.evidence.checkpoint()]
    await kernel.shutdown()
    const keys = [expected[index]?.() ?? '']
    const evidence = new EvidenceFolder(dir)
    expect(evidence.verify({ keys, since })).toMatchObject({ ok: true, uncovered: 0, closed: true })
    expect(readFileSync(join(dir, 'checkpoint'), 'utf8')).toContain(`— ${keys[0]?.split('+')[0]} `)
  }
})

test('a key of the kernel’s life signs what is in memory, and nothing is made for it', async () => {
  const folder = ownFolder()
  const kernel = boot()
  expect(await kernel.evidence.checkpoint()).toMatch(/^gatehouse\/[0-9a-f]{32}\n2\n/)
  expect(kernel.evidence.verify()).toMatchObject({ ok: true, covered: 2, keys: [{ trust: 'brought' }] })
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  ['a name with a space', { name: 'a b' }, /a signer has a name of 1 to 200 characters/],
  ['a key that is none', { publicKey: 'key' }, /its public key is no key in PEM/],
  ['a key of another kind', { publicKey: publicPem('ec') }, /the key is not an Ed25519 key/],
  ['no way to sign', { sign: undefined }, /a key is a path, or a signer/],
])('a signer with %s is refused', (_what, change, why) => {
  const { name, publicKey, sign } = makeSigner()
  const key = { name, publicKey, sign, ...change } as never
  expect(refusedWith({ evidence: { dir: join(tempFolder(), 'evidence'), key } })).toMatch(why)
})

test('where no key can be made, nothing starts', () => {
  const folder = ownFolder()
  writeFileSync(join(folder, 'gatehouse'), '')
  const dir = join(tempFolder(), 'evidence')
  expect(refusedWith({ evidence: { dir } })).toMatch(/^no key can be made in .*name one with `evidence.key`/)
  mkdirSync(dir)
  expect(readdirSync(dir)).toEqual([])
})

function refusedWith(options: KernelOptions): string {
  try {
    boot(options)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error('it was not refused')
}

function pem(kind: 'ec'): string {
  const { privateKey } = generateKeyPairSync(kind, { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function publicPem(kind?: 'ec'): string {
  const publicKey =
    kind === undefined ? makeSigner().publicKey : generateKeyPairSync(kind, { namedCurve: 'P-256' }).publicKey
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}
