/** A server on loopback that says what a test tells it, and is closed when the test is over. */
import { createServer, type RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'

/** @returns its URL */
export async function serve(handle: RequestListener): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `http://127.0.0.1:${address.port}/`
}
