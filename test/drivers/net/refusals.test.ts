import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { classifyAddress } from '../../../src/drivers/net/addresses.ts'
import { assertPeer } from '../../../src/drivers/net/connect.ts'
import { NetDriver } from '../../../src/drivers/net/driver.ts'
import { parseUrl } from '../../../src/drivers/net/url.ts'
import { limits } from '../../../src/limits.ts'
import { failure, get, grantFor, listen, mint, serve, serveRaw } from './support.ts'

const net = new NetDriver()
const publicOnly = { addresses: [] }

/** A server on both families, and how often it was reached. */
async function secretServer(): Promise<{ port: number; hits: () => number }> {
  let hits = 0
  const server = createServer((_request, response) => {
    hits += 1
    response.end('the secret')
  })
  return { port: await listen(server, '0.0.0.0'), hits: () => hits }
}

test('without a live grant for this very URL nothing is sent', async () => {
  const secret = await secretServer()
  const url = `http://127.0.0.1:${secret.port}/`
  const request = { url, method: 'GET' }
  const ended = grantFor(url, { addresses: ['loopback'] })
  mint.end(ended)
  await expect(net.fetch(ended, request)).rejects.toThrow(/invariant broken: net.fetch without a live grant/)
  await expect(net.fetch(grantFor(`${url}other`), request)).rejects.toThrow(/beyond its grant/)
  await expect(net.fetch(grantFor(url, { syscall: 'fs.read' }), request)).rejects.toThrow(/grant for fs.read/)
  expect(secret.hits()).toBe(0)
})

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.9.9.9', 'loopback'],
  ['[::1]', 'loopback'],
  ['[::ffff:127.0.0.1]', 'loopback'],
  ['localhost', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['[fd00::1234]', 'private'],
  ['[fd00:ec2::254]', 'linkLocal'],
  ['[::ffff:10.0.0.1]', 'private'],
  ['169.254.169.254', 'linkLocal'],
  ['[::ffff:a9fe:a9fe]', 'linkLocal'],
  ['[fe80::1234]', 'linkLocal'],
  ['168.63.129.16', 'linkLocal'],
])('%s is refused with its class, and how a rule would name it', async (host, reach) => {
  const secret = await secretServer()
  const { resource } = parseUrl(`http://${host}:${secret.port}/`)
  const error = await failure(get(net, resource, {}, publicOnly))
  expect(error).toMatchObject({ code: 'EPERM', sent: false })
  expect(error.message).toContain(`a permitting rule with \`addresses: [${reach}]\` would`)
  expect(secret.hits()).toBe(0)
})

test.each(['2130706433', '0x7f.1', '017700000001', '127.1', '0', '127.0.0.1.'])(
  '%s, a disguise of this machine, is refused before anything is resolved',
  async (host) => {
    const url = `http://${host}/`
    const error = await failure(get(net, url))
    expect(error).toMatchObject({ code: 'EINVAL', sent: false })
  },
)

test.each([
  'http://0.0.0.0/',
  'http://[::]/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://192.0.2.1/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[::7f00:1]/',
  'http://[ff02::1]/',
])('%s is refused whatever a rule names', async (url) => {
  const everything = { addresses: ['loopback', 'private', 'linkLocal'] } as const
  const error = await failure(get(net, url, {}, everything))
  expect(error).toMatchObject({
    code: 'EPERM',
    message: expect.stringContaining('never permitted'),
    sent: false,
  })
})

test('a class that a rule names opens that class and no other', async () => {
  const error = await failure(get(net, 'http://10.0.0.1/', {}, { addresses: ['loopback', 'linkLocal'] }))
  expect(error).toMatchObject({ code: 'EPERM', message: expect.stringContaining('[private]') })
})

test('a public name that leads to this machine is refused, and the refusal does not say where it leads', async () => {
  const secret = await secretServer()
  const rebound = new NetDriver({ lookup: async () => [{ address: '127.0.0.1' }, { address: '10.1.2.3' }] })
  const error = await failure(get(rebound, `http://docs.example:${secret.port}/`, {}, publicOnly))
  expect(error).toMatchObject({ code: 'EPERM', sent: false })
  expect(error.message).toContain('`docs.example` leads to this machine itself and a private network')
  expect(error.message).not.toMatch(/127\.|10\.1/)
  expect(secret.hits()).toBe(0)
})

test('a name is asked once, so that a second answer cannot lead elsewhere', async () => {
  const secret = await secretServer()
  let asked = 0
  const flipping = new NetDriver({
    lookup: async () => {
      asked += 1
      return [{ address: asked === 1 ? '169.254.169.254' : '127.0.0.1' }]
    },
  })
  const error = await failure(get(flipping, `http://flip.example:${secret.port}/`))
  expect(error.code).toBe('EPERM')
  expect(asked).toBe(1)
  expect(secret.hits()).toBe(0)
})

test('of a name with several addresses only those of a permitted class are tried', async () => {
  const secret = await secretServer()
  const mixed = new NetDriver({
    lookup: async () =>
      ['169.254.169.254', '10.255.255.1', '0.0.0.0', '127.0.0.1'].map((address) => ({ address })),
  })
  const reply = await get(mixed, `http://mixed.example:${secret.port}/`)
  expect(reply).toMatchObject({ status: 200, base64: Buffer.from('the secret').toString('base64') })
})

test('a resolver that answers with no address, or with something that is none, opens nothing', async () => {
  for (const address of ['0x7f.1', '127.1', '[::1]', 'localhost', '']) {
    const odd = new NetDriver({ lookup: async () => [{ address }] })
    expect(await failure(get(odd, 'http://odd.example/'))).toMatchObject({ code: 'EPERM', sent: false })
  }
  const none = new NetDriver({ lookup: async () => [] })
  expect(await failure(get(none, 'http://none.example/'))).toMatchObject({ code: 'EPERM', sent: false })
})

test('an address of this machine is this machine, whatever its range', async () => {
  const own = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find((entry) => !entry.internal && ['public', 'private'].includes(classifyAddress(entry.address)))
  if (own === undefined) return // A machine without a network has no other address than loopback.
  const everyOther = { addresses: ['private', 'linkLocal'] } as const
  const error = await failure(
    get(net, `http://${own.family === 'IPv6' ? `[${own.address}]` : own.address}/`, {}, everyOther),
  )
  expect(error).toMatchObject({ code: 'EPERM', message: expect.stringContaining('[loopback]') })
})

test('the address that the system reports is judged again', () => {
  const refused = expect.objectContaining({ code: 'EPERM' })
  expect(() => assertPeer('docs.example', '127.0.0.1', [])).toThrow(refused)
  expect(() => assertPeer('docs.example', '::ffff:10.0.0.1', ['loopback'])).toThrow(refused)
  expect(() => assertPeer('docs.example', undefined, ['loopback', 'private', 'linkLocal'])).toThrow(refused)
  expect(() => assertPeer('docs.example', '127.0.0.1', ['loopback'])).not.toThrow()
  expect(() => assertPeer('docs.example', '93.184.215.14', [])).not.toThrow()
})

test('a narrower grant is never served by a connection of a wider one', async () => {
  const url = await serve((_request, response) => response.end('ok'))
  await get(net, url)
  expect(await failure(get(net, url, {}, publicOnly))).toMatchObject({ code: 'EPERM', sent: false })
})

test.each([
  ['CONNECT', 'EINVAL'],
  ['TRACE', 'EINVAL'],
  ['get', 'EINVAL'],
  ['GET / HTTP/1.1\r\nx: y', 'EINVAL'],
  ['', 'EINVAL'],
])('method %j is refused', async (method, code) => {
  expect(await failure(get(net, 'http://127.0.0.1/', { method }))).toMatchObject({ code, sent: false })
})

test.each([
  'Host',
  'Connection',
  'Keep-Alive',
  'Content-Length',
  'Transfer-Encoding',
  'Upgrade',
  'TE',
  'Trailer',
  'Expect',
  'Via',
  'Accept-Encoding',
  'Proxy-Authorization',
  'Proxy-Connection',
  'X-HTTP-Method-Override',
  'Forwarded',
  'X-Forwarded-Host',
  'x-original-url',
  'X-Rewrite-URL',
])('header %s belongs to the kernel', async (name) => {
  const error = await failure(get(net, 'http://127.0.0.1/', { headers: { [name]: 'x' } }))
  expect(error).toMatchObject({
    code: 'EINVAL',
    message: expect.stringContaining(`\`${name}\``),
    sent: false,
  })
})

test.each([
  ['x-a', 'b\r\nhost: evil.example'],
  ['x-a', 'b\nc'],
  ['x-a', 'b\rc'],
  ['x-a', 'b\0c'],
  ['x-a', 'b\x7fc'],
  ['x-a', 'snow ☃'],
  ['x-a', ' blank'],
  ['x-a\r\nx-b', 'c'],
  ['x a', 'c'],
  ['x:a', 'c'],
  ['', 'c'],
  ['é', 'c'],
])('header %j: %j cannot break out of its line', async (name, value) => {
  const heard: string[] = []
  const url = await serveRaw((socket) => heard.push(String(socket.bytesRead)))
  const error = await failure(get(net, url, { headers: { [name]: value } }))
  expect(error).toMatchObject({ code: 'EINVAL', sent: false })
  expect(error.message).not.toMatch(/[\r\n\0]/)
  expect(heard).toEqual([])
})

test('bodies and headers beyond their limits, and bodies that are none, are refused before anything is opened', async () => {
  const url = 'http://127.0.0.1/'
  const large = 'x'.repeat(limits.fetchBytesMax + 1)
  const cases = [
    [{ method: 'POST', text: large }, 'EFBIG'],
    [{ method: 'POST', base64: Buffer.from(large).toString('base64') }, 'EFBIG'],
    [{ method: 'POST', text: 'a', base64: 'YQ==' }, 'EINVAL'],
    [{ method: 'POST', base64: 'YQ' }, 'EINVAL'],
    [{ method: 'POST', base64: 'Y Q==' }, 'EINVAL'],
    [{ method: 'POST', base64: 'not base64!' }, 'EINVAL'],
    [{ method: 'GET', text: 'a' }, 'EINVAL'],
    [{ method: 'HEAD', base64: 'YQ==' }, 'EINVAL'],
    [{ headers: { 'x-a': 'x'.repeat(limits.headerBytesMax) } }, 'E2BIG'],
    [{ headers: { 'X-A': '1', 'x-a': '2' } }, 'EINVAL'],
  ] as const
  for (const [more, code] of cases)
    expect(await failure(get(net, url, more))).toMatchObject({ code, sent: false })
})
