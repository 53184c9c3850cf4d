/** Streams of the kernel: what a process opened it reads piece by piece, within bounds, and nobody else does. */
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, refusalOf, until } from './support/kernel.ts'
import { serve, serveRaw } from './support/servers.ts'

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
