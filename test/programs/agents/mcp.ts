/** The client of `@modelcontextprotocol/sdk` over streamable HTTP: the tools of a server, and a call of one. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

export default async function (server: string, key: string) {
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(server), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  })
  await client.connect(transport)
  const { tools } = await client.listTools()
  const { content } = await client.callTool({ name: 'weather', arguments: { city: 'Oslo' } })
  const refused = await client.callTool({ name: 'weather', arguments: { city: 'Atlantis' } })
  await client.close()
  return { names: tools.map(({ name }) => name), content, refused }
}
