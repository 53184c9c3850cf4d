import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { presentBody } from '../../../src/drivers/net/body.ts'
import { NetDriver } from '../../../src/drivers/net/driver.ts'
import { limits } from '../../../src/limits.ts'
import { failure, get, serve } from './support.ts'

const net = new NetDriver()
const zeros = Buffer.alloc(limits.fetchBytesMax + 1)
const packers = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['br', brotliCompressSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
] as const

const answering = (encoding: string, body: Uint8Array, type = 'text/plain') =>
  serve((_request, response) =>
    response.writeHead(200, { 'content-encoding': encoding, 'content-type': type }).end(body),
  )

test.each(packers)('a %s bomb ends at the limit', async (encoding, pack) => {
  const bomb = pack(zeros)
  expect(bomb.length).toBeLessThan(limits.fetchBytesMax / 100)
  const error = await failure(get(net, await answering(encoding, bomb)))
  expect(error).toMatchObject({ code: 'EFBIG', sent: true })
})

test('an endless answer ends at the limit, and its sender is told to stop', async () => {
  let stopped: () => void = () => {}
  const over = new Promise<void>((resolve) => {
    stopped = resolve
  })
  const url = await serve((_request, response) => {
    response.on('close', stopped)
    const more = () => {
      while (!response.destroyed && response.write(zeros.subarray(0, 65_536)));
      response.once('drain', more)
    }
    more()
  })
  const error = await failure(get(net, url))
  expect(error).toMatchObject({ code: 'EFBIG', sent: true })
  await over
})

test.each(packers)(
  'what is not the %s that it claims to be is an error, not half an answer',
  async (encoding, pack) => {
    const whole = pack(Buffer.from('all of it '.repeat(100)))
    for (const body of [whole.subarray(0, -12), Buffer.from('plain text')]) {
      const error = await failure(get(net, await answering(encoding, body)))
      expect(error).toMatchObject({ code: 'EIO', message: expect.stringContaining(encoding), sent: true })
    }
  },
)

test.each(packers)('%s is unpacked', async (encoding, pack) => {
  expect(await get(net, await answering(encoding, pack(Buffer.from('grüß'))))).toMatchObject({ text: 'grüß' })
})

test('an encoding that the kernel does not know, or a stack of them, is left as it came', async () => {
  const body = Buffer.from([1, 2, 3])
  for (const encoding of ['zstd', 'gzip, gzip', 'identity']) {
    const reply = await get(net, await answering(encoding, body, 'application/octet-stream'))
    expect(reply).toMatchObject({ base64: 'AQID' })
    expect(reply.headers).toContainEqual(['content-encoding', encoding])
  }
})

test('answers without a body have an empty one, whatever their headers claim', async () => {
  const url = await serve((_request, response) =>
    response
      .writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain', 'content-length': '999' })
      .end(),
  )
  expect(await get(net, url, { method: 'HEAD' })).toMatchObject({ text: '' })
})

test.each([
  'text/plain',
  'text/html; charset=UTF-8',
  'TEXT/CSV;charset="utf-8"',
  'application/json',
  'application/ld+json',
  'image/svg+xml',
  'application/x-ndjson',
  'application/javascript; charset=us-ascii',
])('%s is text', (type) => {
  expect(presentBody(Buffer.from('\ufeffgrüß'), type)).toEqual({ text: '\ufeffgrüß' })
})

test.each([
  undefined,
  '',
  'image/png',
  'application/octet-stream',
  'text/plain; charset=iso-8859-1',
  'text',
  'nottext/plain',
])('%s is base64', (type) => {
  expect(presentBody(Buffer.from('hi'), type)).toEqual({ base64: 'aGk=' })
})

test('text that is not UTF-8 is base64', () => {
  expect(presentBody(Buffer.from([0x68, 0xff]), 'text/plain')).toEqual({ base64: 'aP8=' })
})

test('text that JSON would blow up beyond a reply is base64', () => {
  expect(presentBody(zeros.subarray(1), 'text/plain')).toHaveProperty('base64')
  expect(presentBody(Buffer.alloc(limits.fetchBytesMax, 'a'), 'text/plain')).toHaveProperty('text')
})

test('no byte is lost on the way to the guest', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom('text/plain', 'image/png'), (bytes, type) => {
      const body = presentBody(bytes, type)
      const back = 'text' in body ? Buffer.from(body.text, 'utf8') : Buffer.from(body.base64, 'base64')
      expect(new Uint8Array(back)).toEqual(bytes)
    }),
  )
})
