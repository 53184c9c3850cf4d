/** Servers that an arena's attackers may ask: one that is given secrets and does what it likes with them, and a thief's. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { KernelOptions } from '../../src/index.ts'

/** How the server that knows a secret may spell it. */
const spellings: Readonly<Record<string, (value: string) => string | Uint8Array>> = {
  plain: (value) => value,
  json: (value) => JSON.stringify({ log: JSON.stringify({ value }) }),
  numbers: (value) => value.replace(/./g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`),
  percent: (value) => value.replace(/./g, (each) => `%${each.charCodeAt(0).toString(16)}`),
  form: (value) => new URLSearchParams({ value }).toString(),
  html: (value) => value.replace(/./g, (each) => `&#x${each.charCodeAt(0).toString(16)};`),
  base64: (value) => Buffer.from(`a:${value}`).toString('base64'),
  base64url: (value) => Buffer.from(`ab:${value}`).toString('base64url'),
  lines: (value) => Buffer.from(value).toString('base64').replace(/.{20}/g, '$&\r\n'),
  hex: (value) => Buffer.from(value).toString('hex').toUpperCase(),
  capitals: (value) => value.toUpperCase(),
  wide: (value) => Buffer.from(value, 'utf16le'),
}

export const spellingNames: readonly string[] = Object.keys(spellings)

export class ArenaWeb {
  readonly #id = randomUUID()
  /** With characters that every escape respells. */
  readonly #value = `canary+"wire"/${this.#id}=&<\\`
  readonly #stolen: string[] = []
  readonly #api = createServer((request, response) => this.#answer(request, response))
  readonly #thief = createServer((request, response) => void this.#steal(request, response))
  #kept = ''

  async listen(): Promise<void> {
    for (const server of [this.#api, this.#thief]) {
      server.listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
    }
  }

  get ports(): { readonly api: number; readonly thief: number } {
    return { api: portOf(this.#api), thief: portOf(this.#thief) }
  }

  /** TOKEN is for headers alone, WIDE for every place; both for one server, and of the same value. */
  get secrets(): NonNullable<KernelOptions['secrets']> {
    const given = { value: this.#value, origins: [`http://127.0.0.1:${this.ports.api}`] }
    return { TOKEN: given, WIDE: { ...given, in: ['header', 'body', 'query'] } }
  }

  /** What shows the secret, in one form or another. */
  get traces(): readonly string[] {
    const bytes = Buffer.from(this.#id)
    const packed = [0, 1, 2].map((offset) =>
      Buffer.concat([Buffer.alloc(offset), bytes])
        .toString('base64')
        .slice(4, -4),
    )
    return [this.#id, this.#id.toUpperCase(), bytes.toString('hex'), ...packed]
  }

  assertNotStolen(): void {
    const heard = this.#stolen.splice(0).join('\n')
    for (const trace of this.traces) assert.ok(!heard.includes(trace), 'the secret reaches no other server')
  }

  close(): void {
    this.#api.close()
    this.#thief.close()
  }

  async #steal(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    this.#stolen.push(`${request.url} ${request.rawHeaders.join(' ')} ${body}`)
    response.setHeader('content-type', 'text/plain').end('thanks')
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://api')
    const value = this.#value
    response.setHeader('content-type', url.searchParams.get('type') ?? 'text/plain')
    switch (url.pathname) {
      case '/spell':
        return void response.end(spellings[url.searchParams.get('as') ?? '']?.(value))
      case '/slow':
        return void this.#drip(response, Buffer.from(value))
      case '/packed':
        return void response.setHeader('content-encoding', 'gzip').end(gzipSync(value))
      case '/head':
        response.writeHead(418, `is ${value}`, { 'x-a': value, 'set-cookie': [`a=${value}`, 'b=c'] })
        return void response.end()
      case '/broken':
        response.socket?.end(`HTTP/1.1 200 OK\r\n${value}\r\n\r\n`)
        return
      case '/redirect':
        response.writeHead(Number(url.searchParams.get('status')), {
          location: url.searchParams.get('to') ?? '/',
        })
        return void response.end()
      case '/keep':
        this.#kept = JSON.stringify(request.headers)
        return void response.end()
      case '/kept':
        return void response.end(this.#kept)
      default:
        return void response.end(JSON.stringify([request.url, [...url.searchParams], request.headers]))
    }
  }

  async #drip(response: ServerResponse, bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      response.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port
