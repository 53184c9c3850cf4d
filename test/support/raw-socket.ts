/** A client that need not keep to any protocol: bytes in, bytes out. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Connects; the socket is gone when the test is over. */
export function dial(path: string): Socket {
  const socket = connect(path)
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

/** Sends bytes and gives all that comes back until the other side closes. */
export function exchange(path: string, bytes: string | Buffer): Promise<string> {
  const socket = dial(path)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  socket.write(bytes)
  return new Promise((resolve) => socket.once('close', () => resolve(text)))
}

/** A whole request as it should be, but for what is given. */
export function requestText(
  path: string,
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const key = readFileSync(join(dirname(path), 'key'), 'utf8')
  const all = { host: 'gatehouse', 'gatehouse-protocol': '1', 'gatehouse-key': key, ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
