/** Servers on loopback that say exactly what a test tells them. */
import { createServer as createHttp, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

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
