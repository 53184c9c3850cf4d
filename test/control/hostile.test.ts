/** Whatever is sent to the socket: the kernel answers others, its guests go on, and nothing grows without bound. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from '../../src/control/client.ts'
import type { LogLine } from '../../src/control/protocol.ts'
import { limits } from '../../src/limits.ts'
import { ask, boot, entriesOf, main, sleep, tempFolder, until } from '../support/kernel.ts'
import { dial, exchange, requestText } from '../support/raw-socket.ts'

function listening() {
  const dir = join(tempFolder(), '.gatehouse')
  const kernel = boot({ evidence: { dir } })
  const client = new ControlClient(dir)
  onTestFinished(() => client.close())
  const defects: unknown[] = []
  kernel.on('error', (error) => defects.push(error))
  return { kernel, client, path: join(dir, 'control', 'socket'), defects }
}

const answers = (client: ControlClient): Promise<boolean> =>
  client.ps(false).then(
    () => true,
    () => false,
  )

/** A reply's status and the code of its error. */
const refusalIn = (reply: string): readonly (string | undefined)[] => [
  /^HTTP\/1\.1 (\d+)/.exec(reply)?.[1],
  /"code":"(\w+)"/.exec(reply)?.[1],
]

/** What is other than it should be. */
const request = (line: string, headers: Record<string, string> = {}, body = '') =>
  [line, headers, body] as const

test.each([
  ['garbage', Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 37) % 256))],
  ['half a header', 'GET /ps HTTP/1.1\r\nhost: gatehouse\r\nx'.padEnd(limits.controlHeaderBytesMax * 2, 'x')],
  ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
  [
    'two lengths',
    'POST /signal HTTP/1.1\r\nhost: gatehouse\r\ncontent-length: 3\r\nContent-Length: 5\r\n\r\nabcde',
  ],
  ['CONNECT', 'CONNECT elsewhere:80 HTTP/1.1\r\nhost: gatehouse\r\n\r\n'],
])('%s is answered with 400 at most, and closed', async (_what, bytes) => {
  const { client, path, defects } = listening()
  const reply = await exchange(path, bytes)
  expect(['', '400', '431']).toContain(refusalIn(reply)[0] ?? '')
  expect(await answers(client)).toBe(true)
  expect(defects).toEqual([])
})

test.each([
  ['another host', request('GET /ps', { host: 'elsewhere' }), ['400', 'EINVAL']],
  ['another host in the path', request('GET http://elsewhere/ps'), ['404', 'ENOSYS']],
  ['a path upwards', request('GET /../ps'), ['404', 'ENOSYS']],
  ['a name that every object has', request('GET /constructor'), ['404', 'ENOSYS']],
  ['another method', request('POST /ps'), ['404', 'ENOSYS']],
  ['no key', request('GET /ps', { 'gatehouse-key': '' }), ['403', 'EACCES']],
  ['another key', request('GET /ps', { 'gatehouse-key': 'f'.repeat(64) }), ['403', 'EACCES']],
  ['another protocol', request('GET /ps', { 'gatehouse-protocol': '2' }), ['400', 'EPROTO']],
  ['what is no option', request('GET /ps?all=1&more=1'), ['400', 'EINVAL']],
  ['another value', request('GET /ps?all=yes'), ['400', 'EINVAL']],
  ['an endless name', request(`GET /inspect?target=${'x'.repeat(2_000)}`), ['400', 'EINVAL']],
  ['no target', request('GET /inspect'), ['400', 'EINVAL']],
  ['a signal as a query', request('POST /signal?target=1&signal=SIGKILL'), ['400', 'EINVAL']],
  ['a body that is no JSON', request('POST /signal', { 'content-length': '3' }, '{"a'), ['400', 'EINVAL']],
  [
    'a prototype',
    request('POST /signal', { 'content-length': '19' }, '{"__proto__":{"a":1}'.slice(0, 19)),
    ['400', 'EINVAL'],
  ],
  ['a list', request('POST /signal', { 'content-length': '2' }, '[]'), ['400', 'EINVAL']],
] as const)('%s is refused', async (_what, request, refusal) => {
  const { path, defects } = listening()
  expect(refusalIn(await exchange(path, requestText(path, ...request)))).toEqual(refusal)
  expect(defects).toEqual([])
})

test('a body that is too large is refused, and a huge one cut off when its bound is passed', async () => {
  const { client, path } = listening()
  const body = 'x'.repeat(limits.controlBodyBytesMax + 1)
  const large = requestText(path, 'POST /signal', { 'content-length': String(body.length) }, body)
  expect(refusalIn(await exchange(path, large))).toEqual(['400', 'E2BIG'])
  const socket = dial(path)
  socket.write(requestText(path, 'POST /signal', { 'content-length': String(2 ** 40) }))
  const block = Buffer.alloc(64 * 1024, 'x')
  const send = (): void => {
    if (!socket.destroyed) socket.write(block, () => setImmediate(send))
  }
  send()
  await until(() => socket.destroyed, 'it is cut off')
  // What fits into the socket's own buffers may still have been taken.
  expect(socket.bytesWritten).toBeLessThan(block.length * 100)
  expect(await answers(client)).toBe(true)
})

test('what is asked in one breath is done once', async () => {
  const { kernel, path } = listening()
  kernel.spawn({ source: main('await ipc.receive()') })
  const body = JSON.stringify({ target: '1', signal: 'SIGCONT' })
  const once = requestText(path, 'POST /signal', { 'content-length': String(body.length) }, body)
  const reply = await exchange(path, once.repeat(200))
  expect(reply.match(/"effect"/g)).toHaveLength(1)
  expect(entriesOf(kernel, 'signal')).toHaveLength(1)
})

test('thousands of connections, opened and left, neither stop the guests nor stay; a silent follower does', async () => {
  const { kernel, client, path } = listening()
  const quiet = kernel.spawn(
    { source: main(`await ipc.receive(); console.log('at last')`) },
    { name: 'quiet' },
  )
  await until(() => quiet.state === 'waiting', 'it waits')
  const lines: LogLine[] = []
  const followed = (async () => {
    const stop = new AbortController().signal
    for await (const line of client.logs('quiet', { calls: false, follow: true }, stop)) lines.push(line)
  })()
  await until(() => lines.length > 0, 'it is followed')
  const left: Socket[] = []
  for (let count = 0; count < 3_000; count += 1) left.push(dial(path))
  expect(await ask(kernel, `return await fs.list('/')`)).not.toEqual([])
  const open = () => left.filter((socket) => !socket.destroyed).length
  await until(() => open() <= limits.controlConnectionsMax, 'those past the bound are closed')
  await sleep(200)
  expect(open(), 'those that are not idle for long').toBeGreaterThan(0)
  await until(() => open() === 0, 'the idle are closed')
  expect(await answers(client)).toBe(true)
  kernel.spawn({ source: main(`await ipc.send('quiet', 1)`) })
  await followed
  expect(lines.slice(1)).toMatchObject([
    { kind: 'output', text: 'at last\n' },
    { kind: 'end', state: 'exited' },
  ])
})

test('a follower that does not read is cut off, and the process prints on', async () => {
  const { kernel, client, path } = listening()
  const child = kernel.spawn(
    {
      source: main(`await ipc.receive(); const text = 'x'.repeat(10000)
        for (let n = 0; n < 1600; n += 1) { console.log(text); if (n % 20 === 0) await new Promise((go) => setTimeout(go, 1)) }
        return 'all printed'`),
    },
    { name: 'talker' },
  )
  await until(() => child.state === 'waiting', 'it waits')
  const slow = dial(path)
  slow.pause()
  slow.write(requestText(path, 'GET /logs?target=talker&follow=1'))
  await sleep(100)
  const before = process.memoryUsage().external
  kernel.spawn({ source: main(`await ipc.send('talker', 1)`) })
  expect((await child.exit).value).toBe('all printed')
  let read = 0
  slow.on('data', (part) => {
    read += part.length
  })
  slow.resume()
  await once(slow, 'close')
  // Sixteen million characters were printed: what it gets is what waited for it.
  expect(read).toBeLessThan(limits.controlBacklogBytes * 2)
  expect(process.memoryUsage().external - before).toBeLessThan(limits.controlBacklogBytes * 8)
  expect(await answers(client)).toBe(true)
})

test('followers leave room for other requests', async () => {
  const { kernel, client, path } = listening()
  kernel.spawn({ source: main('await ipc.receive()') }, { name: 'quiet' })
  const replies = Array.from({ length: limits.controlFollowersMax + 1 }, () => {
    const socket = dial(path)
    socket.write(requestText(path, 'GET /logs?target=quiet&follow=1'))
    return once(socket, 'data').then(([part]) => refusalIn(String(part)))
  })
  const refused = (await Promise.all(replies)).filter(([status]) => status === '503')
  expect(refused).toEqual([['503', 'EAGAIN']])
  expect((await client.signal('quiet', 'SIGKILL')).effect).toBe('ended the process')
})

test('a shutdown does not wait for those who do not read', async () => {
  const { kernel, path } = listening()
  const child = kernel.spawn({ source: main(`console.log('\\u0001'.repeat(200_000)); await ipc.receive()`) })
  await until(() => child.state === 'waiting', 'it has printed')
  const silent = dial(path)
  silent.pause()
  silent.write(requestText(path, `GET /logs?target=${child.pid}&follow=1`))
  dial(path)
  await sleep(50)
  await kernel.shutdown()
  expect(kernel.evidence.verify().ok).toBe(true)
})
