/** Programs that use the web runtime, recorded and replayed byte for byte, and made again from what is on record. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { CellPool } from '../../src/isolate/cell-pool.ts'
import { liveCells } from '../support/children.ts'
import { boot, entriesOf, exitValue, main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { expectEqual, replayAll } from './support.ts'

const policy = policyOf([
  { id: 'web', effect: 'permit', action: ['net.fetch'], addresses: ['loopback'] },
  { id: 'own', effect: 'permit', action: ['fs.*', 'ipc.*', 'proc.*'] },
])

const program = main(`const out = []
  const form = new FormData(); form.append('file', new File(['inside'], 'a.txt'))
  const response = await fetch(args[0], { method: 'POST', body: form })
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) out.push(chunk.length)
  out.push(await fetch(args[0] + '/slow', { signal: AbortSignal.timeout(20) }).catch((error) => error.name))
  const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
  out.push(btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.exportKey('raw', key)))))
  const { port1, port2 } = new MessageChannel()
  out.push(await new Promise((resolve) => { port2.onmessage = ({ data, timeStamp }) => resolve([data, timeStamp]); port1.postMessage(new Date()) }).then(([data, time]) => [data.getTime(), time]))
  out.push(performance.measure('all').duration, new File([], 'now').lastModified, new URL('https://ex\\u00e4mple.org').host, [...new Headers({ b: '1', a: '2' })])
  const packed = await new Response(new Blob(['abc']).stream().pipeThrough(new CompressionStream('gzip'))).bytes()
  await fs.write('/tmp/packed', packed)
  return [out, [...packed]]`)

async function serve(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url !== '/slow') request.pipe(response)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each(['inline', 'cell'] as const)(
  'recorded %s, they replay byte for byte, in the other too',
  async (isolation) => {
    const dir = tempFolder()
    const kernel = boot({ policy, isolation, evidence: { dir } })
    const [sizes] = exitValue(await kernel.spawn({ source: program }, { args: [await serve()] }).exit) as [
      unknown[],
    ]
    expect(sizes).toContain('TimeoutError')
    await kernel.shutdown()
    for (const run of [...(await replayAll(dir)), ...(await replayAll(dir, new CellPool({ spare: 0 })))]) {
      expectEqual(run)
      expect(run.processes).toHaveLength(1)
    }
  },
)

test('a process whose cell dies goes on with what it had loaded', async () => {
  const kernel = boot({ isolation: 'cell', cells: { spare: 0 }, evidence: { dir: tempFolder() } })
  const source =
    main(`const url = new URL('https://a.b/?x=1'), controller = new AbortController(), blob = new Blob(['kept'])
      const { message } = await ipc.receive()
      url.searchParams.set('x', message); controller.abort(message)
      return [url.href, controller.signal.reason, await blob.text(), new Response('late').ok]`)
  const worker = kernel.spawn({ source }, { name: 'worker' })
  await until(() => worker.state === 'waiting', 'it waits')
  for (const pid of liveCells()) process.kill(pid, 'SIGKILL')
  await until(() => entriesOf(kernel, 'rebuild').length === 1, 'it was made again')
  await kernel.spawn({ source: main(`await ipc.send('worker', 'go')`) }).exit
  expect(exitValue(await worker.exit)).toEqual(['https://a.b/?x=go', 'go', 'kept', true])
})
