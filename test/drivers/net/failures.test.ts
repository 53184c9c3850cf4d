import { createServer as createHttp } from 'node:http'
import { createServer as createTcp } from 'node:net'
import { expect, test, vi } from 'vitest'
import { NetDriver } from '../../../src/drivers/net/driver.ts'
import { netError } from '../../../src/drivers/net/failures.ts'
import { SyscallError } from '../../../src/errors.ts'
import { limits } from '../../../src/limits.ts'
import { failure, get, listen, serve, serveRaw } from './support.ts'

const net = new NetDriver()
const brisk = new NetDriver({ fetchMs: 100 })

/** An error with a code, as Node.js makes them. */
const coded = (code: string): Error => Object.assign(new Error(`${code} at /host/path 10.0.0.1`), { code })

test('a server that never answers ends with ETIMEDOUT, perhaps after it acted', async () => {
  const url = await serveRaw(() => {})
  expect(await failure(get(brisk, url))).toMatchObject({
    code: 'ETIMEDOUT',
    message: 'no complete answer within 100 ms',
    sent: true,
  })
})

test('a server that drips its answer is held to the same limit', async () => {
  const url = await serve((_request, response) => {
    const drip = setInterval(() => response.write('.'), 10)
    response.on('close', () => clearInterval(drip))
  })
  expect(await failure(get(brisk, url))).toMatchObject({ code: 'ETIMEDOUT', sent: true })
})

test('a name that is not resolved in time ends with ETIMEDOUT before anything was sent', async () => {
  const lost = new NetDriver({ fetchMs: 50, lookup: () => new Promise(() => {}) })
  expect(await failure(get(lost, 'http://lost.example/'))).toMatchObject({ code: 'ETIMEDOUT', sent: false })
})

test('names wait for each other and none is forgotten when one that waits leaves', async () => {
  const url = new URL(await serve((_request, response) => response.end()))
  const release: (() => void)[] = []
  let atOnce = 0
  const slow = new NetDriver({
    lookup: async () => {
      atOnce += 1
      expect(atOnce).toBeLessThanOrEqual(limits.lookupsAtOnceMax)
      await new Promise<void>((resolve) => release.push(resolve))
      atOnce -= 1
      return [{ address: '127.0.0.1' }]
    },
  })
  const leaving = new AbortController()
  const named = (host: string) => `http://${host}.example:${url.port}/`
  const first = ['a', 'b'].map((host) => get(slow, named(host)))
  const left = failure(get(slow, named('c'), {}, { signal: leaving.signal }))
  const last = get(slow, named('d'))
  leaving.abort()
  expect(await left).toMatchObject({ code: 'EINTR', sent: false })
  const freeing = setInterval(() => release.shift()?.(), 5)
  expect((await Promise.all([...first, last])).map(({ status }) => status)).toEqual([200, 200, 200])
  clearInterval(freeing)
})

test('a signal in the middle of the answer ends the fetch and its connection', async () => {
  const process = new AbortController()
  let closed: () => void = () => {}
  const over = new Promise<void>((resolve) => {
    closed = resolve
  })
  const url = await serve((_request, response) => {
    response.on('close', closed)
    response.write('the first half', () => process.abort())
  })
  const error = await failure(get(net, url, {}, { signal: process.signal }))
  expect(error).toMatchObject({ code: 'EINTR', sent: true })
  await over
})

test('a signal before the start lets nothing leave; its reason is the guest’s', async () => {
  const why = new SyscallError('ETIMEDOUT', 'the process has used up its time')
  const error = await failure(get(net, 'http://127.0.0.1:1/', {}, { signal: AbortSignal.abort(why) }))
  expect(error).toMatchObject({ code: 'ETIMEDOUT', message: why.message, sent: false })
})

test('closing the driver ends what is under way and refuses the next', async () => {
  const closing = new NetDriver()
  const heard = Promise.withResolvers<void>()
  const url = await serveRaw(() => heard.resolve())
  const flying = failure(get(closing, url))
  await heard.promise
  await closing.close()
  expect(await flying).toMatchObject({ code: 'ECANCELED', sent: true })
  expect(await failure(get(closing, url))).toMatchObject({ code: 'ECANCELED', sent: false })
})

test('one process has a bounded number of fetches in flight, and another has its own', async () => {
  const crowded = new NetDriver()
  const url = await serveRaw((socket) => socket.resume())
  const flying = Array.from({ length: limits.fetchesInFlightMax }, () => failure(get(crowded, url)))
  expect(await failure(get(crowded, url))).toMatchObject({ code: 'EAGAIN', sent: false })
  const other = failure(get(crowded, url, {}, { pid: 8 }))
  await crowded.close()
  expect(await other).toMatchObject({ code: 'ECANCELED' })
  for (const error of await Promise.all(flying)) expect(error.code).toBe('ECANCELED')
})

test('the kernel holds a bounded number of response bytes at once, and is free again afterwards', async () => {
  const small = new NetDriver({ heldBytesMax: 1_000 })
  const waiting: (() => void)[] = []
  const url = await serve((request, response) => {
    response.write('x'.repeat(600))
    if (request.url === '/') waiting.push(() => response.end())
    else response.end(() => waiting.shift()?.())
  })
  const first = get(small, url)
  await vi.waitUntil(() => waiting.length === 1)
  expect(await failure(get(small, `${url}second`))).toMatchObject({ code: 'EAGAIN', sent: true })
  expect((await first).status).toBe(200)
  expect((await get(small, `${url}third`)).status).toBe(200)
})

test('a port where nobody listens is ECONNREFUSED', async () => {
  const server = createTcp()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  const error = await failure(get(net, `http://127.0.0.1:${port}/`))
  expect(error).toMatchObject({ code: 'ECONNREFUSED', sent: false })
  expect(error.message).toBe(`nothing listens at \`127.0.0.1:${port}\``)
})

test('a name without an address is EHOSTUNREACH', async () => {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA']) {
    const lost = new NetDriver({ lookup: () => Promise.reject(coded(code)) })
    const error = await failure(get(lost, 'http://lost.example/'))
    expect(error).toMatchObject({ code: 'EHOSTUNREACH', sent: false })
    expect(error.message).toContain('`lost.example:80`')
    expect(error.message).not.toMatch(/host\/path|10\.0/)
  }
})

test.each([
  ['SSH-2.0-OpenSSH_9.2\r\n', /not HTTP/],
  ['HTTP/1.1 two hundred OK\r\n\r\n', /not HTTP/],
  ['HTTP/1.1 200 OK\r\nbad header\r\n\r\n', /not HTTP/],
  ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', /not HTTP|closed/],
  ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', /not HTTP/],
  ['HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf', /closed the connection/],
  ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe', /closed the connection/],
  [
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
    /closed the connection/,
  ],
  ['', /closed the connection/],
])('%j is EIO in a plain sentence', async (bytes, why) => {
  const url = await serveRaw((socket) => socket.end(bytes))
  const error = await failure(get(net, url))
  expect(error).toMatchObject({ code: 'EIO', sent: true })
  expect(error.message).toMatch(why)
})

test('a server that resets the connection is EIO', async () => {
  const url = await serveRaw((socket) => socket.resetAndDestroy())
  expect(await failure(get(net, url))).toMatchObject({ code: 'EIO', sent: true })
})

test('headers beyond the limit are EFBIG', async () => {
  const url = await serve((_request, response) => {
    for (let index = 0; index < 40; index += 1) response.setHeader(`x-${index}`, 'x'.repeat(1_000))
    response.end()
  })
  expect(await failure(get(net, url))).toMatchObject({ code: 'EFBIG', sent: true })
})

test('a request is sent once, also when the server hangs up on it', async () => {
  let requests = 0
  const server = createHttp((request) => {
    requests += 1
    request.socket.destroy()
  })
  const url = `http://127.0.0.1:${await listen(server)}/`
  await failure(get(net, url))
  await failure(get(net, url, { method: 'POST', text: 'pay' }))
  expect(requests).toBe(2)
})

test('an unknown failure names its code and nothing of the host; what is no failure of the network stays what it is', () => {
  const error = netError(coded('EWHATEVER'), 'a.example:80', true)
  expect(error).toMatchObject({
    code: 'EIO',
    message: 'the exchange with `a.example:80` failed (EWHATEVER)',
    sent: true,
  })
  const broken = new TypeError('ours')
  expect(() => netError(broken, 'a.example:80', true)).toThrow(broken)
})
