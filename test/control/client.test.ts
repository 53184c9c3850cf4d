/** Before a command connects: the kernel is its own user's, no link leads there, and both speak alike. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from '../../src/control/client.ts'
import { boot, tempFolder } from '../support/kernel.ts'

const isRoot = process.geteuid?.() === 0
/** A user id that nobody here has. */
const foreigner = 12_345

async function failureOf(dir: string): Promise<Error & { code?: string }> {
  try {
    const client = new ControlClient(dir)
    onTestFinished(() => client.close())
    await client.ps(false)
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('it connected')
}

function listening(): string {
  const dir = join(tempFolder(), '.gatehouse')
  boot({ evidence: { dir } })
  return dir
}

/** Something else listens where a kernel would. */
async function impostor(answer: RequestListener): Promise<string> {
  const dir = tempFolder()
  mkdirSync(join(dir, 'control'), { mode: 0o700 })
  writeFileSync(join(dir, 'control', 'key'), 'a'.repeat(64))
  const server = createServer(answer)
  onTestFinished(() => void server.close())
  await new Promise<void>((done) => server.listen(join(dir, 'control', 'socket'), done))
  return dir
}

test('no directory, and a directory in which nobody listens', async () => {
  const dir = tempFolder()
  expect(await failureOf(join(dir, 'none'))).toMatchObject({
    code: 'ENOENT',
    message: expect.stringMatching(/^no kernel listens in `/),
  })
  expect(await failureOf(dir)).toMatchObject({ code: 'ENOENT' })
  mkdirSync(join(dir, 'control'), { mode: 0o700 })
  expect(await failureOf(dir)).toMatchObject({ code: 'ENOENT' })
})

test.runIf(isRoot).each([
  ['the directory', ''],
  ['the folder of the socket', 'control'],
  ['the socket', 'control/socket'],
])('%s of another user is refused', async (_what, part) => {
  const dir = listening()
  chownSync(join(dir, part), foreigner, foreigner)
  const { code, message } = await failureOf(dir)
  expect(code).toBe('EACCES')
  expect(message).toContain(`belongs to another user (uid ${foreigner}; this is uid 0)`)
})

test.each([
  ['the socket', 'control/socket'],
  ['the folder of the socket', 'control'],
])('a link in place of %s is refused', async (_what, part) => {
  const dir = listening()
  renameSync(join(dir, part), join(dir, 'moved'))
  symlinkSync(join(dir, 'moved'), join(dir, part))
  expect((await failureOf(dir)).message).toMatch(/is a link|is no socket/)
})

test('a directory that is a link is refused', async () => {
  const dir = listening()
  const link = join(tempFolder(), 'link')
  symlinkSync(dir, link)
  expect((await failureOf(link)).message).toMatch(/is a link, which is not followed/)
})

test('a folder that others can open is refused, and a file in place of the socket', async () => {
  const dir = listening()
  chmodSync(join(dir, 'control'), 0o750)
  expect((await failureOf(dir)).message).toMatch(/^others than its owner can open `/)
  const other = tempFolder()
  mkdirSync(join(other, 'control'), { mode: 0o700 })
  writeFileSync(join(other, 'control', 'socket'), '')
  expect((await failureOf(other)).message).toMatch(/is no socket of a kernel$/)
})

test('the key is read from a file of the folder, and what is none is refused', async () => {
  const dir = listening()
  const key = join(dir, 'control', 'key')
  expect(lstatSync(key).mode & 0o777).toBe(0o600)
  writeFileSync(key, 'f'.repeat(64))
  expect(await failureOf(dir)).toMatchObject({
    code: 'EACCES',
    message: "the request does not carry this kernel's key",
  })
  writeFileSync(key, 'short')
  expect((await failureOf(dir)).message).toMatch(/^the key in `.*` is none$/)
  rmSync(key)
  symlinkSync('/dev/zero', key)
  expect((await failureOf(dir)).message).toMatch(/is a link or a file/)
})

test('a kernel that speaks another protocol is named as such', async () => {
  const other = await impostor((_request, response) =>
    response.writeHead(200, { 'gatehouse-protocol': '7' }).end('{}'),
  )
  expect(await failureOf(other)).toMatchObject({
    code: 'EPROTO',
    message: expect.stringMatching(
      /speaks protocol 7, and this command 1; use the same version of gatehouse for both$/,
    ),
  })
  const silent = await impostor((_request, response) => response.end('{}'))
  expect((await failureOf(silent)).message).toContain('speaks protocol unknown')
})
