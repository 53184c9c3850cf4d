import { createServer } from 'node:https'
import { expect, test, vi } from 'vitest'
import { NetDriver } from '../../../src/drivers/net/driver.ts'
import { makeIdentity } from '../../support/certificate.ts'
import { failure, get, listen, serve } from './support.ts'

const { key, cert } = makeIdentity()
const trusting = new NetDriver({ ca: [cert] })
const elsewhere = new NetDriver({ ca: [cert], lookup: async () => [{ address: '127.0.0.1' }] })

async function serveTls(): Promise<{ port: number; names: unknown[] }> {
  const names: unknown[] = []
  const server = createServer({ cert, key }, (request, response) => {
    names.push('servername' in request.socket ? request.socket.servername : undefined)
    response.end(request.headers.host)
  })
  return { port: await listen(server), names }
}

test('a certificate that nobody vouches for is refused before the request is sent', async () => {
  const { port, names } = await serveTls()
  const error = await failure(get(new NetDriver(), `https://localhost:${port}/`))
  expect(error).toMatchObject({ code: 'EIO', message: expect.stringContaining('not trusted'), sent: false })
  expect(names).toEqual([])
})

test('an environment variable does not turn the check of certificates off', async () => {
  const { port } = await serveTls()
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  try {
    expect(await failure(get(new NetDriver(), `https://localhost:${port}/`))).toMatchObject({ code: 'EIO' })
  } finally {
    vi.unstubAllEnvs()
  }
})

test('a certificate for another name is refused', async () => {
  const { port } = await serveTls()
  const error = await failure(get(elsewhere, `https://bank.example:${port}/`))
  expect(error).toMatchObject({
    code: 'EIO',
    message: expect.stringContaining('for another name'),
    sent: false,
  })
})

test('a server without TLS is refused in a plain sentence', async () => {
  const url = await serve((_request, response) => response.end())
  const error = await failure(get(trusting, url.replace('http:', 'https:')))
  expect(error).toMatchObject({
    code: 'EIO',
    message: expect.stringContaining('no TLS connection'),
    sent: false,
  })
})

test('addresses are judged the same under TLS', async () => {
  const { port } = await serveTls()
  const error = await failure(get(trusting, `https://localhost:${port}/`, {}, { addresses: [] }))
  expect(error).toMatchObject({ code: 'EPERM', sent: false })
})

test('the server is told the name that was asked for, and none for an address', async () => {
  const { port, names } = await serveTls()
  expect((await get(trusting, `https://localhost:${port}/`)).status).toBe(200)
  expect((await get(trusting, `https://127.0.0.1:${port}/`)).status).toBe(200)
  expect(names).toEqual(['localhost', false])
})
