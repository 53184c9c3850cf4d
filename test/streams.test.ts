/** Streams of the kernel: what a process opened it reads piece by piece, within bounds, and nobody else does. */
import type { RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { KernelOptions, KernelSpace } from '../src/index.ts'
import { limits } from '../src/limits.ts'
import { evidenceIn, expectEqual, replayAll } from './replay/support.ts'
import {
  ask,
  boot,
  entriesOf,
  exitValue,
  main,
  policyOf,
  refusalOf,
  tempFolder,
  until,
} from './support/kernel.ts'
import { readAll as readPieces, serve, serveRaw } from './support/servers.ts'

/** In a program: reads a stream to its end, and gives its pieces. */
const readAll = `const readAll = async (stream, options = {}) => {
  const pieces = []
  for (;;) {
    const piece = await sys('stream.read', { stream, ...options })
    if (piece.done) return pieces
    pieces.push(piece.text ?? piece.base64 ?? piece.value)
  }
}`
/** Whatever there is, and servers on this machine. */
const web = policyOf([
  { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
  { id: 'all', effect: 'permit', action: ['fs.*', 'ipc.*', 'proc.*', 'tool.call'] },
])
const open = (url: string, more = ''): string =>
  `await sys('net.fetch', { url: ${JSON.stringify(url)}, stream: true${more} })`

describe('an answer as a stream', () => {
  test.each(['inline', 'cell'] as const)(
    'comes piece by piece as the server sends it, in %s',
    async (isolation) => {
      let respond: ServerResponse | undefined
      const url = await serve((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write('one ')
        respond = response
      })
      const kernel = boot({ isolation, policy: web })
      const proc = kernel.spawn({
        source: main(`${readAll}
        const { body, status } = ${open(url)}
        const first = await sys('stream.read', { stream: body })
        await console.log('first')
        return [status, first, await readAll(body), ${refusalOf(`sys('stream.read', { stream: body })`)}]`),
      })
      kernel.on('output', () => respond?.end('two'))
      const value = exitValue(await proc.exit)
      expect(value).toEqual([
        200,
        { text: 'one ', done: false },
        ['two'],
        expect.stringMatching(/^EBADF: stream\.read: stream \d+ is not open: it has ended or was closed/),
      ])
    },
  )

  test('has no stream where it has no body', async () => {
    const url = await serve((_request, response) => void response.writeHead(204).end())
    const value = await ask(boot({ policy: web }), `return Object.keys(${open(url)})`)
    expect(value).toEqual(['status', 'statusText', 'headers', 'url'])
  })

  test('gives whole characters as text, and what is no text as bytes', async () => {
    const sent = Buffer.concat([Buffer.from('a€😀'), Buffer.from([0xff, 0x00])])
    const url = await serve((_request, response) => void response.end(sent))
    const value = (await ask(
      boot({ policy: web }),
      `${readAll}
       const { body } = ${open(url)}
       return readAll(body, { bytes: 3 })`,
    )) as string[]
    expect(value.slice(0, 2)).toEqual(['a', '€'])
    const rest = Buffer.concat(value.slice(2).map((piece) => Buffer.from(piece, 'base64')))
    expect(rest.equals(sent.subarray(4))).toBe(true)
  })
})

/** A server that sends until the connection is gone; `gone` resolves then. */
async function endless(
  piece = 'x'.repeat(50_000),
): Promise<{ url: string; sent: () => number; gone: Promise<unknown> }> {
  let sent = 0
  const { promise: gone, resolve } = Promise.withResolvers<unknown>()
  const url = await serve((_request, response) => {
    response.on('close', resolve)
    const pour = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length
      sent += piece.length
    }
    response.on('drain', pour)
    pour()
  })
  return { url, sent: () => sent, gone }
}

const handled = (handle: RequestListener) => serve(handle)
const inFlight = (kernel: KernelSpace, pid: number, syscall: string) =>
  until(
    () => kernel.inspect(pid).live?.inFlight.some((call) => call.syscall === syscall) ?? false,
    `${syscall} is in flight`,
  )
const webBoot = (options: KernelOptions = {}) => boot({ policy: web, ...options })

describe('nothing is read that nobody asks for', () => {
  test('a server that sends for ever is not read ahead, and is cut off when the guest closes the stream', async () => {
    const server = await endless()
    const value = await ask(
      webBoot(),
      `const { body } = ${open(server.url)}
       const { text } = await sys('stream.read', { stream: body })
       await new Promise((resolve) => setTimeout(resolve, 50))
       await sys('stream.close', { stream: body })
       return text.length`,
    )
    expect(value).toBeLessThanOrEqual(limits.streamReadBytesMax)
    await server.gone
    // What the sockets of both sides hold.
    expect(server.sent()).toBeLessThan(20_000_000)
  })

  test('and when its process is killed in the middle of a read', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<unknown>()
    const url = await handled((_request, response) => {
      response.on('close', resolve)
      response.write('one')
    })
    const kernel = webBoot()
    const proc = kernel.spawn({
      source: main(`${readAll}
        return readAll((${open(url)}).body)`),
    })
    await inFlight(kernel, proc.pid, 'stream.read')
    proc.signal('SIGKILL')
    expect(await proc.exit).toMatchObject({ status: 'killed' })
    await gone
    expect(entriesOf(kernel, 'outcome').at(-1)).toMatchObject({ status: 'aborted', code: 'EINTR' })
  })

  test('a guest that opens thousands gets as many as fit, and loses nothing by it', async () => {
    let open = 0
    let most = 0
    const url = await handled((request, response) => {
      open += 1
      most = Math.max(most, open)
      request.socket.on('close', () => {
        open -= 1
      })
      response.write('x')
    })
    const kernel = webBoot()
    const value = await ask(
      kernel,
      `const codes = {}
       for (let n = 0; n < 300; n += 1) {
         const code = await sys('net.fetch', { url: ${JSON.stringify(url)}, stream: true }).then(() => 'ok', (error) => error.code)
         codes[code] = (codes[code] ?? 0) + 1
       }
       return codes`,
    )
    expect(value).toEqual({ ok: limits.fetchesInFlightMax, EAGAIN: 300 - limits.fetchesInFlightMax })
    expect(most).toBe(limits.fetchesInFlightMax)
    await until(() => open === 0, 'all connections are gone with the process')
  })
})

describe('a server that', () => {
  const read = (url: string) => `${readAll}
    const { body } = ${open(url)}
    const pieces = []
    for (;;) {
      const piece = await sys('stream.read', { stream: body }).catch((error) => error)
      if (piece.done || piece.code) return [pieces.join(''), piece.code ?? 'end', (${refusalOf(`sys('stream.read', { stream: body })`)}).slice(0, 5)]
      pieces.push(piece.text)
    }`

  test('breaks off in the middle', async () => {
    const url = await serveRaw((socket: Socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
      setTimeout(() => socket.destroy(), 20)
    })
    expect(await ask(webBoot(), read(url))).toEqual(['half', 'EIO', 'EBADF'])
  })

  test('says that it packs what is not packed', async () => {
    const url = await handled((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all')
    })
    expect(await ask(webBoot(), read(url))).toEqual(['', 'EIO', 'EBADF'])
  })

  test('packs it is read unpacked, and what is cut off is told', async () => {
    const packed = gzipSync('packed '.repeat(1_000))
    const whole = await handled((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)
    })
    expect(await ask(webBoot(), read(whole))).toEqual(['packed '.repeat(1_000), 'end', 'EBADF'])
    const cut = await handled((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length - 12))
    })
    expect(await ask(webBoot(), read(cut))).toEqual([expect.any(String), 'EIO', 'EBADF'])
  })
})

describe('a call under way', () => {
  test('that is canceled fails with ECANCELED, be it a fetch, a read or a sleep; the stream can be read on', async () => {
    const held: ServerResponse[] = []
    const url = await handled((request, response) => {
      if (request.url === '/body') response.write('a')
      held.push(response)
    })
    const kernel = webBoot()
    const proc = kernel.spawn({
      source: main(`
        const code = (work) => work.then(() => 'ok', (error) => error.code + ' ' + error.message.split(': ').at(-1))
        const { body } = ${open(`${url}body`)}
        await sys('stream.read', { stream: body })
        const read = code(sys('stream.read', { stream: body }))            // call 3
        const fetched = code(sys('net.fetch', { url: ${JSON.stringify(url)} }))  // call 4
        const slept = code(sys('clock.sleep', { ms: 1000000 }))            // call 5
        const heard = code(ipc.receive())                                  // call 6
        for (const call of [3, 4, 5, 6, 7, 1000]) await sys('call.cancel', { call })
        console.log('canceled')
        return [await read, await fetched, await slept, await heard, (await sys('stream.read', { stream: body })).text]`),
    })
    kernel.on('output', () => held.find(({ req }) => req.url === '/body')?.end('b'))
    const canceled = 'ECANCELED canceled by the agent itself'
    expect(exitValue(await proc.exit)).toEqual([canceled, canceled, canceled, canceled, 'b'])
    expect(
      entriesOf(kernel, 'outcome')
        .filter(({ code }) => code === 'ECANCELED')
        .filter(({ status }) => status === 'aborted' || status === 'unknown'),
    ).toHaveLength(4)
  })

  test('that waits for a person is taken back', async () => {
    const kernel = boot({ policy: policyOf([{ id: 'ask', effect: 'ask', action: 'fs.write' }]) })
    const value = ask(
      kernel,
      `const write = fs.write('/tmp/a', 'x').then(() => 'ok', (error) => error.code)
       await ipc.receive({ timeoutMs: 1 }).catch(() => {})
       for (;;) { if ((await sys('clock.time', {})) > 0) break }
       await sys('call.cancel', { call: 1 })
       return write`,
    )
    expect(await value).toBe('ECANCELED')
    expect(kernel.approvals.list()).toEqual([])
  })

  test('a second read of a stream is refused while the first waits', async () => {
    const url = await handled((_request, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 50)
    })
    const value = await ask(
      webBoot(),
      `${readAll}
       const { body } = ${open(url)}
       await sys('stream.read', { stream: body })
       const first = sys('stream.read', { stream: body })
       const second = ${refusalOf(`sys('stream.read', { stream: body })`)}
       return [(await first).text, second]`,
    )
    expect(value).toEqual(['b', expect.stringMatching(/^EBUSY: stream\.read: another read of stream 1/)])
  })

  test('nobody reads, writes or closes the stream of another process, or what is none', async () => {
    const url = await handled((_request, response) => void response.write('secret'))
    const child = `export default async (stream) => Promise.all([['read', {}], ['write', { text: 'x' }], ['close', {}]].map(([verb, more]) =>
      sys('stream.' + verb, { stream, ...more }).then(() => 'ok', (error) => error.code)))`
    const value = await ask(
      webBoot(),
      `const { body } = ${open(url)}
       const { pid } = await proc.spawn(${JSON.stringify(child)}, { args: [body] })
       return [(await proc.wait(pid)).value, ${refusalOf(`sys('stream.write', { stream: body, text: 'x' })`)}]`,
    )
    expect(value).toEqual([
      ['EBADF', 'EBADF', 'EBADF'],
      'EBADF: stream.write: stream 1 is open for reading only',
    ])
  })
})

describe('rules', () => {
  const handle: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('pay 4111 1111 ')
    setTimeout(() => response.end('1111 1111 now'), 20)
  }

  test('that take data out of what comes back get the whole of it, and it comes whole', async () => {
    const rules = [
      { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'], redact: ['card'] },
    ] as const
    const value = await ask(
      boot({ policy: policyOf(rules) }),
      `const { text, body } = ${open(await handled(handle))}; return [text, body ?? null]`,
    )
    expect(value).toEqual(['pay [redacted card] now', null])
  })

  test('that keep a call out of the record keep what is read by it out too', async () => {
    const rules = [
      { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'], log: 'digest' },
    ] as const
    const url = await handled(handle)
    const read = async (policy: KernelOptions['policy']) => {
      const dir = tempFolder()
      const kernel = boot({ policy: policy ?? 'strict', evidence: { dir } })
      const value = await ask(
        kernel,
        `${readAll}
        return (await readAll((${open(url)}).body)).length > 1`,
      )
      const entries = kernel.evidence.entries()
      await kernel.shutdown()
      const reads = entries.filter(({ syscall }) => syscall === 'stream.read').map(({ seq }) => seq)
      const results = entries.flatMap(({ intent, result }) =>
        reads.includes(intent as number) ? [(result as { hash: string }).hash] : [],
      )
      return [
        value,
        results.length > 2,
        [...evidenceIn(dir).payloads(new Set(results)).values()].some(({ text }) => text !== undefined),
      ]
    }
    expect(await read(policyOf(rules))).toEqual([true, true, false])
    expect(await read(web)).toEqual([true, true, true])
  })

  test('that label what comes back label each piece of it', async () => {
    const rules = [
      { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'], label: ['untrusted'] },
    ] as const
    const kernel = boot({ policy: policyOf(rules) })
    await ask(
      kernel,
      `${readAll}
      return readAll((${open(await handled(handle))}).body)`,
    )
    const reads = entriesOf(kernel, 'intent', 'stream.read').map(({ seq }) => seq)
    const results = entriesOf(kernel, 'outcome').filter(({ intent }) => reads.includes(intent as number))
    for (const result of results) expect(result.labels).toEqual(['untrusted'])
  })

  test('of a policy that comes into force cut what they do not permit', async () => {
    const kernel = webBoot()
    const proc = kernel.spawn(
      {
        source:
          main(`const { body } = ${open(await handled((_request, response) => void response.write('a')))}
        const { text } = await sys('stream.read', { stream: body })
        await ipc.receive()
        return [text, ${refusalOf(`sys('stream.read', { stream: body })`)}, ${refusalOf(`sys('stream.read', { stream: body })`)}]`),
      },
      { name: 'reader' },
    )
    await inFlight(kernel, proc.pid, 'ipc.receive')
    await kernel.reload(policyOf([{ id: 'all', effect: 'permit', action: ['ipc.*', 'fs.*'] }]))
    await ask(kernel, `await ipc.send('reader', 1)`)
    expect(exitValue(await proc.exit)).toEqual([
      'a',
      expect.stringMatching(/^EPERM: stream\.read `http.*no rule permits it/),
      expect.stringMatching(/^EBADF/),
    ])
  })

  test('about origin see values that lie across the border of two pieces, and none that a reader cut out', async () => {
    const page: RequestListener = (request, response) => {
      response.write(request.url === '/trusted' ? 'ask carol@' : 'ask eve@')
      setTimeout(
        () => response.end(request.url === '/trusted' ? 'corp.com or notbob@corp.com ' : 'evil.com '),
        20,
      )
    }
    const url = await handled(page)
    const rules = [
      { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
      { id: 'evil', effect: 'permit', action: 'net.fetch', resource: `${url}evil`, label: ['untrusted'] },
      { id: 'all', effect: 'permit', action: ['fs.*', 'tool.call'] },
      { id: 'no', effect: 'forbid', action: 'tool.call', when: 'origin(args.to) == "untrusted"' },
      { id: 'strangers', effect: 'forbid', action: 'tool.call', when: 'origin(args.to) == "unknown"' },
    ] as const
    const send = {
      description: 'sends',
      parameters: { type: 'object', properties: { to: { type: 'string' } } },
      execute: () => 'sent',
    } as const
    const value = await ask(
      boot({ policy: policyOf(rules), tools: { send } }),
      `${readAll}
       const why = (to) => tools.send({ to }).then(() => 'sent', (error) => /rule .([a-z]+)/.exec(error.message)?.[1] ?? error.message)
       // Whoever reads chooses where pieces begin: \`bob@corp.com\` here.
       await readAll((${open(`${url}trusted`)}).body, { bytes: 3 })
       const trusted = [await why('carol@corp.com'), await why('bob@corp.com'), await why('carol@corp.c')]
       await readAll((${open(`${url}evil`)}).body)
       return [...trusted, await why('eve@evil.com')]`,
    )
    expect(value).toEqual(['sent', 'strangers', 'strangers', 'no'])
  })
})

describe('a body that is sent as a stream', () => {
  /** In a program: begins a request with a body, and gives its stream and the promise of the reply. */
  const begin = (url: string): string => `const { stream } = await sys('stream.open')
    const reply = sys('net.fetch', { url: ${JSON.stringify(url)}, method: 'POST', bodyStream: stream })
      .then(({ text }) => text, (error) => error.message)
    const write = (text) => sys('stream.write', { stream, text }).then(() => 'ok', (error) => error.code)`
  const echo: RequestListener = async (request, response) => {
    response.setHeader('content-type', 'text/plain')
    response.end((await readPieces(request)).toString())
  }

  test('arrives piece by piece as it is written, and is answered when it is closed', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<string>()
    const url = await serve(async (request, response) => {
      request.once('data', (first: Buffer) => resolve(first.toString()))
      await echo(request, response)
    })
    const kernel = webBoot()
    const proc = kernel.spawn(
      {
        source: main(`${begin(url)}
          const first = await write('one ')
          await ipc.receive()
          const rest = await write('two')
          await sys('stream.close', { stream })
          return [first, rest, await reply]`),
      },
      { name: 'sender' },
    )
    expect(await heard).toBe('one ')
    await ask(kernel, `await ipc.send('sender', 1)`)
    expect(exitValue(await proc.exit)).toEqual(['ok', 'ok', 'one two'])
  })

  test('is written only when a request has it, by one request, and as bytes', async () => {
    const value = await ask(
      webBoot(),
      `const { stream } = await sys('stream.open')
       const early = ${refusalOf(`sys('stream.write', { stream, text: 'x' })`)}
       const fetch = (more) => sys('net.fetch', { url: ${JSON.stringify(await serve(echo))}, method: 'POST', bodyStream: stream, ...more })
         .then(() => 'ok', (error) => error.code)
       const twice = await fetch({ text: 'x' })
       const first = fetch({})
       const second = await fetch({})
       const value = await sys('stream.write', { stream, value: 1 }).catch((error) => error.code)
       await sys('stream.close', { stream })
       return [early.slice(0, 6), twice, second, value, await first, await fetch({})]`,
    )
    expect(value).toEqual(['EAGAIN', 'EINVAL', 'EBUSY', 'EINVAL', 'ok', 'EBADF'])
  })

  test('is judged again with each piece: what its process has read since counts', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<unknown>()
    const url = await serve((request) => {
      request.on('data', () => {})
      request.on('close', resolve)
    })
    const rules = [
      { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
      { id: 'files', effect: 'permit', action: 'fs.*', label: ['confidential'] },
      { id: 'leak', effect: 'forbid', action: 'net.fetch', when: '"confidential" in labels' },
    ] as const
    const kernel = boot({ policy: policyOf(rules) })
    const value = await ask(
      kernel,
      `${begin(url)}
       const before = await write('harmless')
       await fs.stat('/tmp')
       return [before, await write('confidential'), await write('more'), await reply]`,
    )
    expect(value).toEqual(['ok', 'EPERM', 'EBADF', expect.stringContaining('EPIPE: net.fetch')])
    await gone
  })

  test('is refused where a rule looks at it, at its length, or has a person see it', async () => {
    const url = await serve(echo)
    const under = (rule: object) =>
      ask(
        boot({
          policy: policyOf([
            { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
            rule,
          ] as never),
        }),
        `${begin(url)}
         return reply`,
      )
    const rule = { id: 'no', effect: 'forbid', action: 'net.fetch' }
    expect(await under({ ...rule, contains: ['card'] })).toMatch(/^EPERM.*may hold, data of the kind card/)
    expect(await under({ ...rule, when: 'args.bodyBytes > 1000000' })).toMatch(/^EPERM.*rule `no`/)
    expect(await under({ ...rule, effect: 'ask' })).toMatch(/^EPERM.*a person has to approve/)
  })

  test('makes no server’s word trusted that comes back after it: the agent may have sent it, in two pieces', async () => {
    const url = await serve(echo)
    const rules = [
      { id: 'web', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
      { id: 'known', effect: 'permit', action: 'tool.call', when: 'origin(args.to) == "trusted"' },
    ] as const
    const parameters = { type: 'object', properties: { to: { type: 'string' } } }
    const send = { description: 'sends', parameters, execute: () => 'sent' } as const
    const askedWith = (sent: string) =>
      ask(
        boot({ policy: policyOf(rules), tools: { send } }),
        `${sent}
         return [await reply, ${refusalOf(`tools.send({ to: 'eve@evil.com' })`)}]`,
      )
    const page = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('eve@evil.com')
    })
    const trusted = `const reply = sys('net.fetch', { url: ${JSON.stringify(page)} }).then(({ text }) => text); await reply`
    expect(await askedWith(trusted)).toEqual(['eve@evil.com', 'ok'])
    const pieces = `${begin(url)}; await write('eve@ev'); await write('il.com'); await sys('stream.close', { stream })`
    expect(await askedWith(pieces)).toEqual(['eve@evil.com', expect.stringMatching(/^EPERM/)])
  })

  test('breaks where the server goes, and where its writer is killed', async () => {
    const url = await serveRaw((socket) => socket.destroy())
    const value = await ask(
      webBoot(),
      `${begin(url)}
       for (;;) { const code = await write('x'.repeat(100000)); if (code !== 'ok') return [code, (await reply).slice(0, 3)] }`,
    )
    expect(value).toEqual(['EPIPE', 'EIO'])
    const arrived = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<boolean>()
    const other = await serve((request) => {
      request.on('data', () => arrived.resolve())
      request.on('close', () => ended.resolve(request.complete))
    })
    const kernel = webBoot()
    const proc = kernel.spawn({ source: main(`${begin(other)}; await write('half'); await ipc.receive()`) })
    await arrived.promise
    proc.signal('SIGKILL')
    expect(await ended.promise).toBe(false)
  })

  test('waits while the server does not read', async () => {
    const url = await serve((request) => void request.pause())
    const kernel = webBoot()
    const proc = kernel.spawn({
      source: main(`${begin(url)}
        for (let n = 0; n < 300; n += 1) await write('x'.repeat(1000000))`),
    })
    await until(() => entriesOf(kernel, 'outcome').length > 3, 'some is written')
    let before = -1
    await until(() => {
      const now = entriesOf(kernel, 'intent', 'stream.write').length
      const isStill = now === before
      before = now
      return isStill && proc.state === 'waiting'
    }, 'no more is taken')
    expect(before).toBeLessThan(100)
  })
})

describe('on record', () => {
  test('a run with streams is repeated byte by byte', async () => {
    const dir = tempFolder()
    const url = await handled((_request, response) => {
      response.write('one')
      setTimeout(() => response.end(Buffer.from([0xff])), 10)
    })
    const kernel = webBoot({ evidence: { dir } })
    await ask(
      kernel,
      `${readAll}
      return readAll((${open(url)}).body)`,
    )
    await kernel.shutdown()
    const runs = await replayAll(dir)
    expect(runs).toHaveLength(1)
    runs.forEach(expectEqual)
  })
})
