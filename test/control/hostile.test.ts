/** Whatever is sent to the socket: the kernel answers others, its guests go on, and nothing grows without bound. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from '../../src/control/client.ts'
import type { LogLine } from '../../src/control/protocol.ts'
import { limits } from '../../src/limits.ts'
import { ask, boot, main, sleep, tempFolder, until } from '../support/kernel.ts'
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

test.each([
  ['garbage', Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 37) % 256))],
  ['half a header', 'GET /ps HTTP/1.1\r\nhost: gatehouse\r\nx'.padEnd(limits.controlHeaderBytesMax * 2, 'x')],
  ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
  ['two lengths', requestText('POST /signal', { 'content-length': '3', 'Content-Length': '5' }, 'abcde')],
  ['CONNECT', requestText('CONNECT elsewhere:80')],
])('%s is answered with 400 at most, and closed', async (_what, bytes) => {
  const { client, path, defects } = listening()
  const reply = await exchange(path, bytes)
  expect(['', '400', '431']).toContain(refusalIn(reply)[0] ?? '')
  expect(await answers(client)).toBe(true)
  expect(defects).toEqual([])
})

test.each([
  ['another host', requestText('GET /ps', { host: 'elsewhere' }), ['400', 'EINVAL']],
  ['another host in the path', requestText('GET http://elsewhere/ps'), ['404', 'ENOSYS']],
  ['a path upwards', requestText('GET /../ps'), ['404', 'ENOSYS']],
  ['a name that every object has', requestText('GET /constructor'), ['404', 'ENOSYS']],
  ['another method', requestText('POST /ps'), ['404', 'ENOSYS']],
  ['another protocol', requestText('GET /ps', { 'gatehouse-protocol': '2' }), ['400', 'EPROTO']],
  ['what is no option', requestText('GET /ps?all=1&more=1'), ['400', 'EINVAL']],
  ['another value', requestText('GET /ps?all=yes'), ['400', 'EINVAL']],
  ['an endless name', requestText(`GET /inspect?target=${'x'.repeat(2_000)}`), ['400', 'EINVAL']],
  ['no target', requestText('GET /inspect'), ['400', 'EINVAL']],
  ['a signal as a query', requestText('POST /signal?target=1&signal=SIGKILL'), ['400', 'EINVAL']],
  [
    'a body that is no JSON',
    requestText('POST /signal', { 'content-length': '3' }, '{"a'),
    ['400', 'EINVAL'],
  ],
  [
    'a prototype',
    requestText('POST /signal', { 'content-length': '19' }, '{"__proto__":{"a":1}'.slice(0, 19)),
    ['400', 'EINVAL'],
  ],
  ['a list', requestText('POST /signal', { 'content-length': '2' }, '[]'), ['400', 'EINVAL']],
] as const)('%s is refused', async (_what, request, refusal) => {
  const { path, defects } = listening()
  expect(refusalIn(await exchange(path, request))).toEqual(refusal)
  expect(defects).toEqual([])
})

test('a huge body is refused when its bound is passed, and not read further', async () => {
  const { client, path } = listening()
  const head = requestText('POST /signal', { 'content-length': String(2 ** 40) })
  const socket = dial(path)
  let reply = ''
  socket.on('data', (part) => {
    reply += part.toString()
  })
  socket.write(head)
  const block = Buffer.alloc(64 * 1024, 'x')
  for (let sent = 0; sent < 200 && !socket.destroyed; sent += 1) {
    socket.write(block)
    await sleep(1)
  }
  await until(() => reply.includes('E2BIG'), 'it is refused')
  await until(() => socket.destroyed, 'it is cut off')
  expect(socket.bytesWritten).toBeLessThan(2 ** 40)
  expect(await answers(client)).toBe(true)
})

test('what is asked in one breath is answered once', async () => {
  const { path } = listening()
  const reply = await exchange(path, requestText('GET /ps').repeat(1_000))
  expect(reply.match(/HTTP\/1\.1 200/g)).toHaveLength(1)
  expect(reply.match(/"processes"/g)).toHaveLength(1)
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
        for (let n = 0; n < 600; n += 1) { console.log(text); if (n % 20 === 0) await new Promise((go) => setTimeout(go, 1)) }
        return 'all printed'`),
    },
    { name: 'talker' },
  )
  await until(() => child.state === 'waiting', 'it waits')
  const slow = dial(path)
  slow.pause()
  slow.write(requestText('GET /logs?target=talker&follow=1'))
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
  // Six million characters were printed: what it gets is what waited for it.
  expect(read).toBeLessThan(limits.controlBacklogBytes * 3)
  expect(process.memoryUsage().external - before).toBeLessThan(limits.controlBacklogBytes * 32)
  expect(await answers(client)).toBe(true)
})

test('followers leave room for other requests', async () => {
  const { kernel, client, path } = listening()
  kernel.spawn({ source: main('await ipc.receive()') }, { name: 'quiet' })
  const replies = Array.from({ length: limits.controlFollowersMax + 1 }, () => {
    const socket = dial(path)
    socket.write(requestText('GET /logs?target=quiet&follow=1'))
    return once(socket, 'data').then(([part]) => refusalIn(String(part)))
  })
  const refused = (await Promise.all(replies)).filter(([status]) => status === '503')
  expect(refused).toEqual([['503', 'EAGAIN']])
  expect((await client.signal('quiet', 'SIGKILL')).effect).toBe('ended the process')
})

test('a shutdown does not wait for those who do not read', async () => {
  const { kernel, path } = listening()
  const child = kernel.spawn({ source: main(`console.log('x'.repeat(200_000)); await ipc.receive()`) })
  await until(() => child.state === 'waiting', 'it has printed')
  const silent = dial(path)
  silent.pause()
  silent.write(requestText(`GET /logs?target=${child.pid}&follow=1`))
  dial(path)
  await sleep(50)
  await kernel.shutdown()
  expect(kernel.evidence.verify().ok).toBe(true)
})
