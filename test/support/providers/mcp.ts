/** An MCP server on loopback over streamable HTTP: the official SDK's server, with tools that a test gives it. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import type { Json } from '../../../src/index.ts'

export interface McpTool {
  readonly name: string
  readonly description: string
  /** JSON Schema of an object. */
  readonly inputSchema: { readonly type: 'object' } & Readonly<Record<string, Json>>
  /** @returns what the client reads as text; what it throws comes back as an error of the tool */
  execute(args: Readonly<Record<string, unknown>>): string | Promise<string>
}

export interface McpHeard {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** The JSON-RPC message, of a POST. */
  readonly message: Json
}

export interface McpServer extends AsyncDisposable {
  readonly url: string
  readonly heard: readonly McpHeard[]
  /** Other tools from now on; clients that are connected are told that the list has changed. */
  offer(tools: readonly McpTool[]): Promise<void>
  close(): Promise<void>
}

export interface McpOptions {
  /** Answers by server-sent events unless told to send JSON. */
  readonly json?: boolean
}

/** Opens it on a free port of 127.0.0.1; whoever opens it closes it. */
export async function openMcp(
  tools: readonly McpTool[],
  { json = false }: McpOptions = {},
): Promise<McpServer> {
  const house = new House(tools, json)
  const http = createServer((request, response) => {
    house.answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const close = async (): Promise<void> => {
    await house.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    heard: house.heard,
    offer: (others) => house.offer(others),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** One session for each client that initialises. */
class House {
  readonly heard: McpHeard[] = []
  readonly #sessions = new Map<string, { server: Server; transport: StreamableHTTPServerTransport }>()
  readonly #json: boolean
  #tools: readonly McpTool[]

  constructor(tools: readonly McpTool[], json: boolean) {
    this.#tools = tools
    this.#json = json
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = await messageOf(request)
    this.heard.push({ method: request.method ?? 'GET', headers: request.headers, message })
    const id = request.headers['mcp-session-id']
    const known = this.#sessions.get(String(id))?.transport
    const transport = known ?? (await this.#begin())
    await transport.handleRequest(request, response, message ?? undefined)
  }

  async offer(tools: readonly McpTool[]): Promise<void> {
    this.#tools = tools
    await Promise.all([...this.#sessions.values()].map(({ server }) => server.sendToolListChanged()))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ server }) => server.close()))
  }

  async #begin(): Promise<StreamableHTTPServerTransport> {
    const server = this.#server()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: this.#json,
      onsessioninitialized: (id) => void this.#sessions.set(id, { server, transport }),
    })
    await server.connect(transport)
    return transport
  }

  #server(): Server {
    const about = { name: 'local', version: '1.0.0' }
    const server = new Server(about, { capabilities: { tools: { listChanged: true } } })
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: this.#tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    }))
    server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: args = {} } }) => {
      const tool = this.#tools.find((it) => it.name === name)
      try {
        if (tool === undefined) throw new Error(`no tool \`${name}\``)
        return { content: [{ type: 'text', text: await tool.execute(args) }] }
      } catch (error) {
        return { isError: true, content: [{ type: 'text', text: String(error) }] }
      }
    })
    return server
  }
}

/** @returns null for a request without a body */
async function messageOf(request: IncomingMessage): Promise<Json> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? null : JSON.parse(text)
}
