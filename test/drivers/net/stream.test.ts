/** Answers as streams: bounds of time and size, and secrets that come in two pieces. */
import { expect, test } from 'vitest'
import { NetDriver, type NetOptions } from '../../../src/drivers/net/driver.ts'
import { openSecrets } from '../../../src/drivers/net/secrets/open.ts'
import { Secrets } from '../../../src/drivers/net/secrets/secrets.ts'
import type { Source } from '../../../src/drivers/streams/source.ts'
import { SyscallError } from '../../../src/errors.ts'
import { noLabels } from '../../../src/labels.ts'
import { grantFor, serve } from './support.ts'

async function opened(url: string, options: NetOptions = {}, headers: Readonly<Record<string, string>> = {}) {
  const net = new NetDriver(options)
  const { head, source } = await net.open(grantFor(url, { addresses: ['loopback'] }), { url, headers })
  if (source === undefined) throw new Error('it has no body')
  return { net, head, source }
}

/** The text that comes, and the errno that ends it. */
async function readAll(source: Source): Promise<readonly [string, string]> {
  let text = ''
  for (;;) {
    try {
      const piece = await source.next()
      if (piece === undefined) return [text, 'end']
      if ('bytes' in piece) text += Buffer.from(piece.bytes).toString()
    } catch (error) {
      if (error instanceof SyscallError) return [text, error.code]
      throw error
    }
  }
}

const drips = (ms: number) =>
  serve((_request, response) => {
    const timer = setInterval(() => response.write('.'), ms)
    response.on('close', () => clearInterval(timer))
  })

test('a server that says nothing for too long, and one that drips for ever, are cut off', async () => {
  const silent = await opened(await serve((_request, response) => void response.write('a')), { idleMs: 30 })
  expect(await readAll(silent.source)).toEqual(['a', 'ETIMEDOUT'])
  const slow = await opened(await drips(5), { idleMs: 5_000, streamMs: 60 })
  expect(await readAll(slow.source)).toEqual([expect.stringMatching(/^\.+$/), 'ETIMEDOUT'])
  for (const { net } of [silent, slow]) await net.close()
})

test('time in which nobody reads is no time of the server', async () => {
  const { source, net } = await opened(await serve((_request, response) => void response.end('a')), {
    idleMs: 30,
  })
  await new Promise((resolve) => setTimeout(resolve, 90))
  expect(await readAll(source)).toEqual(['a', 'end'])
  await net.close()
})

test('more than fits is refused', async () => {
  const url = await serve((_request, response) => void response.end('x'.repeat(300_000)))
  const { source } = await opened(url, { streamBytesMax: 200_000 })
  const [text, code] = await readAll(source)
  expect([text.length <= 200_000, code]).toEqual([true, 'EFBIG'])
})

test('what it holds of the bytes that the kernel may hold is given back when it is closed, and a shutdown closes it', async () => {
  const url = await serve((_request, response) => void response.write('a'))
  const { net, source } = await opened(url, { heldBytesMax: 300_000 })
  const again = () => net.open(grantFor(url, { addresses: ['loopback'] }), { url })
  await expect(again()).rejects.toMatchObject({ code: 'EAGAIN' })
  source.close(noLabels)
  const next = await again()
  const read = readAll(next.source ?? source)
  await net.close()
  expect((await read)[1]).toBe('ECANCELED')
})

test('a secret that a server sends back in two pieces is taken out, and nothing else is kept back', async () => {
  const value = 'sk-live-0123456789abcdef'
  const { promise: read, resolve } = Promise.withResolvers<void>()
  const url = await serve(async ({ headers }, response) => {
    const heard = String(headers.authorization)
    response.write(`data: {"a":1}\n\n`)
    await read
    response.write(`data: {"heard":"${heard.slice(0, 20)}`)
    setTimeout(() => response.end(`${heard.slice(20)}"}\n\n`), 20)
  })
  const secrets = new Secrets(openSecrets({ TOKEN: { value, origins: [new URL(url).origin] } }, () => {}))
  const { source, net } = await opened(url, { secrets }, { authorization: `Bearer ${'$'}{secret:TOKEN}` })
  const first = await source.next()
  expect(first && 'bytes' in first && Buffer.from(first.bytes).toString()).toBe('data: {"a":1}\n\n')
  resolve()
  expect(await readAll(source)).toEqual(['data: {"heard":"Bearer [secret:TOKEN]"}\n\n', 'end'])
  await net.close()
})
