/** Grants, and servers on loopback that say exactly what a test tells them. */
import { createServer as createHttp, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { NetDriver } from '../../../src/drivers/net/driver.ts'
import type { FetchReply } from '../../../src/drivers/net/exchange.ts'
import type { FetchRequest } from '../../../src/drivers/net/request.ts'
import { SyscallError } from '../../../src/errors.ts'
import { type AddressClass, Grant } from '../../../src/grant.ts'

/** Vitest loads the modules anew for each test file, so each claims the mint once. */
export const mint = Grant.claimMint()

export interface Terms {
  readonly addresses?: readonly AddressClass[]
  readonly signal?: AbortSignal
  readonly pid?: number
  readonly syscall?: string
}

export function grantFor(resource: string, terms: Terms = {}): Grant {
  const { addresses = [], signal = new AbortController().signal, pid = 7, syscall = 'net.fetch' } = terms
  return mint.make(
    { pid, agent: 'tester', syscall, resources: [resource], addresses },
    {
      signal,
      get aborted() {
        return signal.aborted
      },
    },
  )
}

/** Fetches under a grant for this very URL that permits loopback unless told otherwise. */
export function get(
  net: NetDriver,
  url: string,
  more: Partial<FetchRequest> = {},
  terms: Terms = {},
): Promise<FetchReply> {
  const grant = grantFor(url, { addresses: ['loopback'], ...terms })
  return net.fetch(grant, { url, ...more })
}

/** The error of a fetch that has to fail. */
export async function failure(reply: Promise<FetchReply>): Promise<SyscallError> {
  const error = await reply.then(
    (value) => new Error(`answered with ${value.status}`),
    (reason: unknown) => reason,
  )
  if (error instanceof SyscallError) return error
  throw error
}

export async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}))
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return portOf(server.address())
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** @returns the URL of a server that answers as `handle` does */
export async function serve(handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttp(handle))}/`
}

/** @returns the URL of a server that speaks raw bytes, after the first that it hears */
export async function serveRaw(speak: (socket: Socket) => void): Promise<string> {
  const server = createTcp((socket) => {
    socket.once('data', () => speak(socket))
  })
  return `http://127.0.0.1:${await listen(server)}/`
}

export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}
