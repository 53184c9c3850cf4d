import type { RequestListener } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NetDriver } from '../../../../src/drivers/net/driver.ts'
import { openSecrets, type SecretOption } from '../../../../src/drivers/net/secrets/open.ts'
import { Secrets } from '../../../../src/drivers/net/secrets/secrets.ts'
import { limits } from '../../../../src/limits.ts'
import { failure, get, readAll, serve, serveRaw } from '../support.ts'

const value = 'tok/en+with="odd"&characters'
const mark = '[secret:TOKEN]'
const token = '${' + 'secret:TOKEN}'

/** A driver whose secret TOKEN is for one server. */
function driverFor(url: string, option: Partial<SecretOption> = {}): NetDriver {
  const sources = openSecrets({ TOKEN: { value, origins: [new URL(url).origin], ...option } })
  return new NetDriver({ secrets: new Secrets(sources) })
}

/** A server that says what it was told. */
const echo: RequestListener = async (request, response) => {
  const body = (await readAll(request)).toString()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, headers: request.headers, body }))
}

/** A server that counts, and remembers the last request. */
async function listening(): Promise<{
  url: string
  seen: { url?: string; headers: string; body: string }[]
}> {
  const seen: { url?: string; headers: string; body: string }[] = []
  const url = await serve(async (request, response) => {
    const body = (await readAll(request)).toString()
    seen.push({ url: request.url ?? '', headers: JSON.stringify(request.rawHeaders), body })
    response.setHeader('content-type', 'text/plain').end('done')
  })
  return { url, seen }
}

test('the server gets the value, and the guest gets its name back', async () => {
  const url = await serve(echo)
  const reply = await get(driverFor(url), url, {
    headers: { Authorization: `Bearer ${token}`, 'x-a': token },
  })
  const told = JSON.parse('text' in reply ? reply.text : '')
  expect(told.headers).toMatchObject({ authorization: `Bearer ${mark}`, 'x-a': mark })
})

test('a header carries the value as it is, a pair as the Basic scheme wants it, a query and a form escaped', async () => {
  const { url, seen } = await listening()
  const net = driverFor(url, { in: ['header', 'body', 'query'] })
  await get(net, url, {
    headers: {
      'x-token': `a ${token} b ${token}`,
      Authorization: `Basic ${token.replace('}', '|basic:user}')}`,
    },
  })
  await get(net, `${url}a?key=${token}&b=1`, {}, {})
  for (const [type, text] of [
    ['application/json', `{"a":"${token}"}`],
    ['application/x-www-form-urlencoded', `a=${token}&b=1`],
    ['text/plain', `<${token}>`],
  ] as const)
    await get(net, url, { method: 'POST', headers: { 'Content-Type': type }, text })
  expect(seen[0]?.headers).toContain(JSON.stringify(`a ${value} b ${value}`))
  expect(seen[0]?.headers).toContain(`Basic ${Buffer.from(`user:${value}`).toString('base64')}`)
  expect(seen[1]?.url).toBe(`/a?key=${encodeURIComponent(value)}&b=1`)
  expect(JSON.parse(seen[2]?.body ?? '')).toEqual({ a: value })
  expect(Object.fromEntries(new URLSearchParams(seen[3]?.body))).toEqual({ a: value, b: '1' })
  expect(seen[4]?.body).toBe(`<${value}>`)
})

test('a body of bytes is sent as it is', async () => {
  const { url, seen } = await listening()
  await get(driverFor(url, { in: ['body'] }), url, {
    method: 'POST',
    base64: Buffer.from(token).toString('base64'),
  })
  expect(seen[0]?.body).toBe(token)
})

test('the URL of the answer has the placeholder', async () => {
  const url = `${await serve(echo)}?k=${token}`
  const reply = await get(driverFor(url, { in: ['query'] }), url)
  expect(reply.url).toBe(url)
  expect(JSON.stringify(reply)).not.toMatch(/tok.{0,6}en/)
})

test.each([
  [
    'in another place',
    { text: token, method: 'POST' },
    'EPERM',
    /`TOKEN` may not stand in the body, only in the value of a header/,
  ],
  [
    'that there is not',
    { headers: { a: token.replace('TOKEN', 'TOKENS') } },
    'EINVAL',
    /no secret `TOKENS`; did you mean `TOKEN`/,
  ],
  [
    'in the name of a header',
    { headers: { [token]: 'a' } },
    'EINVAL',
    /`TOKEN` stands in the name of a header/,
  ],
  ['in the method', { method: token }, 'EINVAL', /stands in the method/],
  ['in small letters', { headers: { a: token.toLowerCase() } }, 'EINVAL', /is no placeholder; write/],
  ['that does not end', { headers: { a: token.slice(0, -1) } }, 'EINVAL', /is no placeholder/],
  ['within another', { headers: { a: token.replace('TOKEN', token) } }, 'EINVAL', /is no placeholder/],
  [
    'as a pair in a body',
    { text: token.replace('}', '|basic:me}'), method: 'POST' },
    'EINVAL',
    /for headers only/,
  ],
  [
    'as a pair with a colon',
    { headers: { a: token.replace('}', '|basic:a:b}') } },
    'EINVAL',
    /is no placeholder/,
  ],
  [
    'after one that is sound',
    { headers: { a: token, b: token.replace('TOKEN', 'NONE') } },
    'EINVAL',
    /no secret `NONE`/,
  ],
  ['too often', { headers: { a: token.repeat(limits.secretUsesMax + 1) } }, 'EINVAL', /more than 32/],
  [
    'too long',
    { headers: { a: token, b: 'x'.repeat(limits.headerBytesMax - 200) } },
    'E2BIG',
    /with their secrets/,
  ],
] as const)('a secret %s is refused, and nothing is sent', async (_, more, code, message) => {
  const { url, seen } = await listening()
  const net = driverFor(url, { value: value.repeat(10) })
  expect(await failure(get(net, url, more))).toMatchObject({
    code,
    message: expect.stringMatching(message),
    sent: false,
  })
  expect(seen).toEqual([])
})

test.each([
  ['path', (url: string) => `${url}${token}`, /the URL before its query/],
  ['host', (url: string) => url.replace('127.0.0.1', token), /the URL before its query/],
  ['fragment', (url: string) => `${url}#${token}`, /the fragment/],
  ['query', (url: string) => `${url}?${token}`, /may not stand in the query/],
])('a secret in the %s of a URL is refused', async (_, spell, message) => {
  const { url, seen } = await listening()
  const net = driverFor(url)
  const error = await failure(
    get(net, url).then(() => {
      net.check({ url: spell(url) })
      return get(net, url)
    }),
  )
  expect(error.message).toMatch(message)
  expect(seen).toHaveLength(1)
})

test('a secret goes to the very scheme, host and port that it names', async () => {
  const named = await listening()
  const other = await listening()
  const net = driverFor(named.url)
  const port = new URL(named.url).port
  for (const url of [
    other.url,
    `http://localhost:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `https://127.0.0.1:${port}/`,
  ]) {
    const call = () => net.check({ url, headers: { a: token } })
    expect(call).toThrow(
      expect.objectContaining({
        code: 'EPERM',
        message: expect.stringContaining(`only for http://127.0.0.1:${port}`),
      }),
    )
    expect(call).toThrow('secret `TOKEN` is not for')
  }
  expect([...named.seen, ...other.seen]).toEqual([])
})

test('a value that cannot be read sends nothing, and only the application hears why', async () => {
  const { url, seen } = await listening()
  const reasons: unknown[] = []
  const origins = [new URL(url).origin]
  const broken = [
    () => Promise.reject(new Error('the vault is closed')),
    () => 'short',
    () => `${value}\r\nx-evil: 1`,
    () => undefined as unknown as string,
  ]
  for (const value of broken) {
    const secrets = new Secrets(openSecrets({ TOKEN: { value, origins } }), (name, error) =>
      reasons.push([name, String(error)]),
    )
    const error = await failure(get(new NetDriver({ secrets }), url, { headers: { a: token } }))
    expect(error).toMatchObject({
      code: 'EIO',
      message: expect.stringContaining('`TOKEN` could not be read'),
      sent: false,
    })
    expect(error.message).not.toMatch(/vault|short|evil/)
  }
  expect(seen).toEqual([])
  expect(reasons[0]).toEqual(['TOKEN', 'Error: the vault is closed'])
  expect(JSON.stringify(reasons.slice(1))).not.toMatch(/short"|evil|odd/)
})

test('a value that never comes ends with the fetch', async () => {
  const { url, seen } = await listening()
  const sources = openSecrets({
    TOKEN: { value: () => new Promise<string>(() => {}), origins: [new URL(url).origin] },
  })
  const net = new NetDriver({ fetchMs: 50, secrets: new Secrets(sources) })
  expect(await failure(get(net, url, { headers: { a: token } }))).toMatchObject({
    code: 'ETIMEDOUT',
    sent: false,
  })
  expect(seen).toEqual([])
})

test('status text, names and values of headers are searched too', async () => {
  const spoken = encodeURIComponent(value)
  const url = await serveRaw((socket) =>
    socket.end(
      `HTTP/1.1 401 no ${value} here\r\nx-${spoken}: 1\r\nset-cookie: t=${value}; path=/\r\nlocation: /a?k=${spoken}\r\nwww-authenticate: Basic realm="${Buffer.from(`me:${value}`).toString('base64')}"\r\ncontent-length: 0\r\n\r\n`,
    ),
  )
  const reply = await get(driverFor(url), url, { headers: { a: token } })
  expect(reply).toMatchObject({ status: 401, statusText: `no ${mark} here` })
  expect(reply.headers).toContainEqual(['set-cookie', `t=${mark}; path=/`])
  expect(reply.headers).toContainEqual(['location', `/a?k=${mark}`])
  expect(JSON.stringify(reply)).not.toMatch(/tok.{0,6}en|odd/)
  expect(reply.headers.map(([name]) => name)).toContain(`x-${mark}`)
})

test('trailers never reach the guest', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { trailer: 'x-token', 'content-type': 'text/plain' })
    response.addTrailers({ 'x-token': value })
    response.end('body')
  })
  expect(JSON.stringify(await get(driverFor(url), url))).not.toContain('odd')
})

test.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['deflate', deflateSync],
] as const)('a body in %s is searched as it is unpacked', async (encoding, pack) => {
  const url = await serve((_request, response) =>
    response
      .writeHead(200, { 'content-encoding': encoding, 'content-type': 'text/plain' })
      .end(pack(`a ${value} b`)),
  )
  expect(await get(driverFor(url), url)).toMatchObject({ text: `a ${mark} b` })
})

test('bytes are searched as text is', async () => {
  const url = await serve((_request, response) => response.end(Buffer.from(`\xff${value}\x00`, 'latin1')))
  const reply = await get(driverFor(url), url)
  expect('base64' in reply && Buffer.from(reply.base64, 'base64').toString('latin1')).toBe(`\xff${mark}\x00`)
})

test('an answer that is packed in a way nobody asked for is withheld from the call that sent a secret', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(gzipSync(value))),
  )
  const error = await failure(get(driverFor(url), url, { headers: { a: token } }))
  expect(error).toMatchObject({
    code: 'EIO',
    message: expect.stringContaining('cannot be searched'),
    sent: true,
  })
})

test('a secret that arrives in two pieces, split anywhere, is one', async () => {
  const spoken = [
    value,
    encodeURIComponent(value),
    JSON.stringify(value),
    Buffer.from(`me:${value}`).toString('base64'),
  ]
  const url = await serve((request, response) => {
    const [, which, at] = (request.url ?? '').split('/').map(Number)
    const bytes = Buffer.from(`before ${spoken[which ?? 0]} after`)
    response.writeHead(200, { 'content-type': 'text/plain' }).write(bytes.subarray(0, at))
    setImmediate(() => response.end(bytes.subarray(at)))
  })
  const net = driverFor(url)
  await fc.assert(
    fc.asyncProperty(fc.nat(spoken.length - 1), fc.integer({ min: 1, max: 50 }), async (which, at) => {
      const reply = await get(net, `${url}${which}/${at}`)
      const text = 'text' in reply ? reply.text : ''
      expect(text).toMatch(/^before .*after$/)
      expect(text).toContain(mark)
      expect(text).not.toMatch(/odd|char/)
    }),
    { numRuns: 60 },
  )
})

test('every value that was sent is searched for, also when newer ones have come since', async () => {
  let made = 0
  const release: (() => void)[] = []
  const values = Array.from({ length: 12 }, (_, index) => `rotating-value-${index}-${'abcdefghijkl'[index]}`)
  const url = await serve((request, response) => {
    response.setHeader('content-type', 'text/plain')
    release.push(() => response.end(request.headers['x-token']))
    if (release.length === values.length) for (const end of release) end()
  })
  const net = driverFor(url, { value: () => values[made++] ?? '' })
  const replies = await Promise.all(values.map(() => get(net, url, { headers: { 'x-token': token } })))
  expect(replies.map((reply) => ('text' in reply ? reply.text : ''))).toEqual(values.map(() => mark))
})

test('errors of the network do not show it', async () => {
  const url = await serveRaw((socket) => socket.end(`nonsense ${value}\r\n\r\n`))
  const error = await failure(get(driverFor(url), url, { headers: { a: token } }))
  expect(`${error.code} ${error.message} ${error.stack}`).not.toContain('odd')
})

test.each(['%', '%4', '%25', '%252', '\\', '\\u00', '\\x4', 'a\\\\'])(
  'an escape that begins with %s before a secret would swallow its beginning, and is refused',
  async (before) => {
    const { url, seen } = await listening()
    const net = driverFor(url, { in: ['header', 'body', 'query'] })
    const calls = [{ headers: { a: before + token } }, { method: 'POST', text: `{"a":"${before}${token}"}` }]
    for (const more of calls)
      expect(await failure(get(net, url, more))).toMatchObject({
        code: 'EINVAL',
        message: expect.stringContaining('would swallow the beginning'),
      })
    if (before.startsWith('%'))
      expect(() => net.check({ url: `${url}?a=${before}${token}` })).toThrow('swallow')
    expect(seen).toEqual([])
  },
)

test('a value that ends as an escape begins is found without that end', async () => {
  for (const end of ['%', '%4', '\\', '\\u00']) {
    const its = `0123456789abcdef${end}`
    const url = await serve((_request, response) =>
      response.setHeader('content-type', 'text/plain').end('0123456789abcdefA.'),
    )
    const reply = await get(driverFor(url, { value: its }), url)
    expect(reply).toMatchObject({ text: `${mark}A.` })
  }
})
