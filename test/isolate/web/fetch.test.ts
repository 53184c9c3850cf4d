/** fetch as programs know it, over the kernel's net.fetch: what goes out, what comes back, redirects and aborting. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { thrownBy } from '../../support/claims.ts'
import { ask, boot, entriesOf, policyOf, until } from '../../support/kernel.ts'

const web = policyOf([
  { id: 'web', effect: 'permit', action: ['net.fetch'], addresses: ['loopback'] },
  { id: 'own', effect: 'permit', action: ['fs.*'], resource: '/tmp/**' },
])
const isolations = ['inline', 'cell'] as const

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer(answer)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers with what it was asked. */
const echo = (): Promise<string> =>
  serve(async (request, response) => {
    const { method, url, headers } = request
    response.setHeader('content-type', 'application/json')
    response.setHeader('set-cookie', ['a=1', 'b=2'])
    response.end(JSON.stringify({ method, url, headers, body: await text(request) }))
  })

test.each(isolations)('%s: what is sent, and what is told of the answer', async (isolation) => {
  const url = await echo()
  const value = await ask(
    boot({ policy: web, isolation }),
    `const response = await fetch(args[0] + '/a?b#c', { method: 'post', headers: new Headers({ X: '1', connection: 'close' }), body: new URLSearchParams({ q: '\\u00fc' }) })
     const { headers, ...sent } = await response.json()
     return [sent, headers.x, headers['content-type'], response.ok, response.type, response.url, response.redirected,
       response.headers.get('Content-Type'), response.headers.getSetCookie(), ${thrownBy("response.headers.append('a', 'b')")}, ${thrownBy('response.text()')}]`,
    { args: [url] },
  )
  expect(value).toEqual([
    { method: 'POST', url: '/a?b', body: 'q=%C3%BC' },
    ...['1', 'application/x-www-form-urlencoded;charset=UTF-8', true, 'basic', `${url}/a?b`, false],
    ...['application/json', ['a=1', 'b=2'], 'TypeError', 'TypeError'],
  ])
})

test.each(isolations)('%s: every kind of body arrives', async (isolation) => {
  const url = await echo()
  const value = await ask(
    boot({ policy: web, isolation }),
    `const send = async (body) => (await (await fetch(args[0], { method: 'PUT', body, duplex: 'half' })).json()).body
     const form = new FormData(); form.append('file', new File(['inside'], 'a.txt'))
     const bytes = new TextEncoder().encode('bytes')
     return [await send('text \\u20ac'), await send(bytes), await send(bytes.buffer), await send(new Blob(['blob'])), await send(ReadableStream.from([bytes, bytes])),
       (await send(form)).includes('inside'), await send(null), await (await fetch(new Request(args[0], { method: 'POST', body: 'request' }))).json().then(({ body }) => body)]`,
    { args: [url] },
  )
  expect(value).toEqual(['text €', 'bytes', 'bytes', 'blob', 'bytesbytes', true, '', 'request'])
})

test('bytes come back as they are, as a stream too', async () => {
  const url = await serve((_request, response) => response.end(Buffer.from([0, 255, 1, 254])))
  const value = await ask(
    boot({ policy: web }),
    `const read = async (how) => how(await fetch(args[0]))
     const chunks = []
     for await (const chunk of (await fetch(args[0])).body) chunks.push(...chunk)
     return [await read(async (response) => [...(await response.bytes())]), await read(async (response) => (await response.arrayBuffer()).byteLength),
       await read(async (response) => (await response.blob()).size), chunks]`,
    { args: [url] },
  )
  expect(value).toEqual([[0, 255, 1, 254], 4, 4, [0, 255, 1, 254]])
})

test('redirects: each hop is a call, a POST becomes a GET, and what is for one origin stays there', async () => {
  const other = await echo()
  const url = await serve((request, response) => {
    response.writeHead(request.url === '/see' ? 303 : 307, {
      location: request.url === '/loop' ? '/loop' : other,
    })
    response.end()
  })
  const kernel = boot({ policy: web })
  const value = await ask(
    kernel,
    `const options = { method: 'POST', body: 'x', headers: { authorization: 'mine', cookie: 'a=b', y: '1' } }
     const see = await fetch(args[0] + '/see', options), moved = await fetch(args[0] + '/moved', options)
     const one = await see.json(), two = await moved.json()
     const manual = await fetch(args[0] + '/see', { redirect: 'manual' })
     return [see.redirected, one.method, one.headers['content-type'] ?? null, two.method, two.body, two.headers.authorization ?? null, two.headers.cookie ?? null, two.headers.y,
       manual.status, ${thrownBy("fetch(args[0] + '/see', { redirect: 'error' })")}, ${thrownBy("fetch(args[0] + '/loop')")}]`,
    { args: [url] },
  )
  expect(value).toEqual([true, 'GET', null, 'POST', 'x', null, null, '1', 303, 'TypeError', 'TypeError'])
  expect(entriesOf(kernel, 'intent', 'net.fetch').length).toBe(2 + 2 + 1 + 1 + 11)
})

test.each(isolations)(
  '%s: aborting ends the request in the kernel too, with the reason',
  async (isolation) => {
    let gone = false
    const url = await serve((request) => {
      request.socket.once('close', () => {
        gone = true
      })
    })
    const kernel = boot({ policy: web, isolation })
    const value = await ask(
      kernel,
      `const late = ${thrownBy('fetch(args[0], { signal: AbortSignal.timeout(50) })')}
     const before = ${thrownBy("fetch(args[0], { signal: AbortSignal.abort('before') })")}
     await sys('clock.sleep', { ms: 5 })
     return [late, before]`,
      { args: [url] },
    )
    expect(value).toEqual(['TimeoutError', 'before'])
    await until(() => gone, 'the server sees that its client has gone')
    expect(entriesOf(kernel, 'intent', 'net.fetch').length).toBe(1)
    await expect
      .poll(() => entriesOf(kernel, 'outcome').filter(({ code }) => code === 'ECANCELED').length)
      .toBe(1)
  },
)

test('a call of another process cannot be canceled', async () => {
  const waiting: ServerResponse[] = []
  const url = await serve((_request, response) => void waiting.push(response))
  const kernel = boot({ policy: web })
  const one = ask(kernel, `return (await fetch(args[0])).text()`, { args: [url] })
  await until(() => waiting.length === 1, 'the request has arrived')
  await ask(kernel, `for (let call = 1; call < 50; call += 1) await sys('call.cancel', { call })`)
  waiting[0]?.end('whole')
  expect(await one).toBe('whole')
})

test('a refusal is the kernel’s own error, and what no request can be is a TypeError', async () => {
  const value = await ask(
    boot(),
    `const codeOf = (work) => work.then(() => 'ok', (error) => error.code ?? error.name)
     return [await codeOf(fetch('http://127.0.0.1:9/')), await codeOf(fetch('/relative')), await codeOf(fetch('https://example.org', { headers: { host: 'x' } })),
       await codeOf(fetch('https://example.org', { method: 'GET', body: 'x' })), await codeOf(fetch('https://example.org', { headers: { 'a b': '1' } }))]`,
  )
  expect(value).toEqual(['EPERM', 'EINVAL', 'EINVAL', 'TypeError', 'TypeError'])
})

/** Sends a part each time it is told to. */
async function servePieces() {
  const answers: ServerResponse[] = []
  let closed = 0
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    answers.push(response)
    response.once('close', () => {
      closed += 1
    })
  })
  return { url, answers, closed: () => closed }
}

test.each(isolations)(
  '%s: a body is read as it comes, and a canceled one ends its connection',
  async (isolation) => {
    const { url, answers, closed } = await servePieces()
    const kernel = boot({ policy: web, isolation })
    const printed: string[] = []
    kernel.on('output', ({ text }) => printed.push(text.trim()))
    const value = ask(
      kernel,
      `const response = await fetch(args[0]), reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
     console.log('head', response.status)
     for (let n = 0; n < 2; n += 1) console.log((await reader.read()).value)
     await reader.cancel()
     return [response.bodyUsed, (await reader.read()).done]`,
      { args: [url] },
    )
    await until(() => printed.includes('head 200'), 'the head is there before the body')
    answers[0]?.write('one')
    await until(() => printed.includes('one'), 'the first part is there before the second')
    answers[0]?.write('t\u00f6o')
    expect(await value).toEqual([true, true])
    expect(printed).toEqual(['head 200', 'one', 'töo'])
    await until(() => closed() === 1, 'the server sees that its client has gone')
  },
)

test('aborting ends a body in the middle, with the reason', async () => {
  const { url, answers, closed } = await servePieces()
  const kernel = boot({ policy: web })
  const value = ask(
    kernel,
    `const controller = new AbortController(), response = await fetch(args[0], { signal: controller.signal })
     const reader = response.body.getReader()
     const first = (await reader.read()).value.length
     setTimeout(() => controller.abort(new RangeError('enough')), 5)
     return [first, ${thrownBy('reader.read()')}, ${thrownBy('reader.read()')}]`,
    { args: [url] },
  )
  await until(() => answers.length === 1, 'the request has arrived')
  answers[0]?.write('part')
  expect(await value).toEqual([4, 'RangeError', 'RangeError'])
  await until(() => closed() === 1, 'the server sees that its client has gone')
})

test('many answers that nobody reads hold up no other', async () => {
  const url = await serve((_request, response) => response.end('x'.repeat(100_000)))
  const value = await ask(
    boot({ policy: web }),
    `const unread = []
     for (let n = 0; n < 80; n += 1) unread.push(await fetch(args[0]))
     const texts = await Promise.all(unread.map((response) => response.text()))
     return [texts.length, texts.every((text) => text.length === 100000), (await (await fetch(args[0])).clone().text()).length]`,
    { args: [url] },
  )
  expect(value).toEqual([80, true, 100_000])
})

test.each(isolations)('%s: a stream is sent as it comes', async (isolation) => {
  const heard: string[] = []
  const url = await serve((request, response) => {
    request.setEncoding('utf8')
    request.on('data', (part: string) => heard.push(part))
    request.on('end', () => response.end('all of it'))
  })
  const kernel = boot({
    policy: { ...web, rules: [...web.rules, { id: 'ipc', effect: 'permit', action: 'ipc.*' }] },
    isolation,
  })
  const sender = kernel.spawn(
    {
      source: `export default async (url) => {
        const body = new ReadableStream({ async pull(controller) {
          const { message } = await ipc.receive()
          if (message === null) controller.close()
          else controller.enqueue(new TextEncoder().encode(message))
        } }, { highWaterMark: 0 })
        return (await fetch(url, { method: 'POST', body, duplex: 'half' })).text()
      }`,
    },
    { name: 'sender', args: [url] },
  )
  const tell = (message: string | null) =>
    ask(kernel, `await ipc.send('sender', args[0])`, { args: [message] })
  await tell('one')
  await until(() => heard.join('') === 'one', 'the first part has arrived before the second was made')
  await tell('two')
  await tell(null)
  expect(await sender.exit).toMatchObject({ status: 'exited', value: 'all of it' })
  expect(heard.join('')).toBe('onetwo')
})

test('a stream that fails, gives no bytes, or meets a redirect or a refusal ends the request', async () => {
  const url = await serve((request, response) => {
    request.resume()
    if (request.url === '/moved') response.writeHead(307, { location: '/' }).end()
  })
  const value = await ask(
    boot({ policy: web }),
    `const send = (source, path = '/') => fetch(args[0] + path, { method: 'POST', duplex: 'half', body: new ReadableStream(source) })
     const bytes = { start: (controller) => { controller.enqueue(new Uint8Array(600000)); controller.close() } }
     return [${thrownBy("send({ start: (controller) => controller.error(new RangeError('mine')) })")}, ${thrownBy("send({ start: (controller) => controller.enqueue('text') })")},
       ${thrownBy("send(bytes, '/moved')")}, await fetch('http://10.0.0.1/', { method: 'POST', duplex: 'half', body: new ReadableStream(bytes) }).catch((error) => error.code)]`,
    { args: [url] },
  )
  expect(value).toEqual(['RangeError', 'TypeError', 'TypeError', 'EPERM'])
})
