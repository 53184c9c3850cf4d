import { execFile } from 'node:child_process'
import { createServer as createHttp } from 'node:http'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { NetDriver } from '../../../src/drivers/net/driver.ts'
import { get, listen, readAll, serve } from './support.ts'

const net = new NetDriver()

test('what arrives is the request that was granted, with the kernel’s headers and nobody else’s', async () => {
  const url = await serve(async (request, response) => {
    const body = (await readAll(request)).toString()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
  })
  const target = `${url}a?b=c`
  const reply = await get(net, target, {
    method: 'POST',
    headers: { 'X-Note': 'hello', cookie: 'a=1' },
    text: 'grüß',
  })
  const seen: unknown = JSON.parse('text' in reply ? reply.text : '')
  expect(seen).toEqual({
    method: 'POST',
    url: '/a?b=c',
    body: 'grüß',
    headers: {
      host: new URL(url).host,
      connection: 'close',
      'content-length': '6',
      accept: '*/*',
      'accept-encoding': 'gzip, deflate, br',
      'user-agent': 'gatehouse',
      'x-note': 'hello',
      cookie: 'a=1',
    },
  })
  expect(reply).toMatchObject({ status: 200, statusText: 'OK', url: target })
})

test('a guest may name its own user agent', async () => {
  const url = await serve((request, response) => response.end(request.headers['user-agent']))
  const reply = await get(net, url, { headers: { 'User-Agent': 'my-agent/1' } })
  expect(reply).toMatchObject({ base64: Buffer.from('my-agent/1').toString('base64') })
})

test('every method of the table arrives; bytes arrive as they were', async () => {
  const url = await serve(async (request, response) => {
    const body = await readAll(request)
    response.setHeader('x-method', request.method ?? '').end(body)
  })
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const reply = await get(net, url, { method })
    expect(reply.headers).toContainEqual(['x-method', method])
  }
  expect(await get(net, url, { method: 'PUT', base64: 'AP/+' })).toMatchObject({ base64: 'AP/+' })
})

test.each([301, 302, 303, 307, 308])('a %d is an answer, and where it leads is not asked', async (status) => {
  let followed = 0
  const elsewhere = await serve((_request, response) => {
    followed += 1
    response.end()
  })
  const url = await serve((_request, response) => response.writeHead(status, { location: elsewhere }).end())
  const reply = await get(net, url)
  expect(reply.status).toBe(status)
  expect(reply.headers).toContainEqual(['location', elsewhere])
  expect(followed).toBe(0)
})

test('cookies are handed to the guest and kept by nobody', async () => {
  const cookies: unknown[] = []
  const url = await serve((request, response) => {
    cookies.push(request.headers.cookie)
    response.setHeader('set-cookie', ['a=1', 'b=2']).end()
  })
  const reply = await get(net, url)
  await get(net, url)
  expect(reply.headers.filter(([name]) => name === 'set-cookie')).toEqual([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
  expect(cookies).toEqual([undefined, undefined])
})

test('no connection outlives its request', async () => {
  const ports = new Set<number | undefined>()
  const url = await serve((request, response) => {
    ports.add(request.socket.remotePort)
    response.end()
  })
  for (let round = 0; round < 3; round += 1) await get(net, url)
  expect(ports.size).toBe(3)
})

test('a proxy in the environment is not used', async () => {
  let proxied = 0
  const proxy = await serve((_request, response) => {
    proxied += 1
    response.end()
  })
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) vi.stubEnv(name, proxy)
  try {
    const url = await serve((_request, response) => response.end('direct'))
    expect((await get(new NetDriver(), url)).status).toBe(200)
    expect(proxied).toBe(0)
  } finally {
    vi.unstubAllEnvs()
  }
})

test('an error of the server is an answer', async () => {
  const url = await serve((_request, response) => response.writeHead(503, 'Not Now').end())
  expect(await get(net, url)).toMatchObject({ status: 503, statusText: 'Not Now' })
})

test('IPv6 and names reach the same server as its address does', async () => {
  const server = createHttp((request, response) => response.end(request.headers.host))
  const port = await listen(server, '::1').catch(() => undefined)
  if (port === undefined) return // This machine has no IPv6.
  const reply = await get(net, `http://[::1]:${port}/`)
  expect(reply).toMatchObject({ base64: Buffer.from(`[::1]:${port}`).toString('base64') })
  // The first address refuses, the second answers.
  const both = new NetDriver({ lookup: async () => [{ address: '127.0.0.1' }, { address: '::1' }] })
  expect((await get(both, `http://both.example:${port}/`)).status).toBe(200)
})

test('loading the driver leaves the application’s own fetch as Node.js made it', async () => {
  const url = await serve((_request, response) => response.end('hello'))
  const script = `
    const slot = Symbol.for('undici.globalDispatcher.1')
    const before = globalThis[slot]
    await import(process.argv[1])
    const untouched = globalThis[slot] === before
    console.log(untouched, await (await fetch(process.argv[2])).text())`
  const driver = new URL('../../../src/drivers/net/driver.ts', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
    driver,
    url,
  ])
  expect(stdout).toBe('true hello\n')
})
