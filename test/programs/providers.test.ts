/** The providers of these tests answer as the real ones do: the official clients, on the host, understand them. */
import Anthropic from '@anthropic-ai/sdk'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import { vectorOf } from '../support/providers/embeddings.ts'
import { openMcp } from '../support/providers/mcp.ts'
import { openProvider, type ProviderOptions } from '../support/providers/provider.ts'
import type { Turn } from '../support/providers/script.ts'

/** A provider with one model, `local`, and both clients of it. */
async function opened(turns: readonly Turn[], options: ProviderOptions = {}) {
  const provider = await openProvider(options)
  onTestFinished(() => provider.close())
  provider.script('local', turns)
  const apiKey = options.key ?? 'any'
  const openai = new OpenAI({ baseURL: `${provider.url}/v1`, apiKey, maxRetries: 1 })
  const anthropic = new Anthropic({ baseURL: provider.url, apiKey, maxRetries: 1 })
  return { provider, openai, anthropic }
}

const hello = { model: 'local', messages: [{ role: 'user' as const, content: 'hello' }] }
const twoCalls = [
  { name: 'weather', args: { city: 'Malmö' } },
  { name: 'weather', args: { city: 'Lima' } },
]

test('parallel calls of tools arrive whole, streamed as well', async () => {
  const { openai, anthropic } = await opened([{ text: 'I look.', calls: twoCalls }])
  const expected = [
    ['weather', '{"city":"Malmö"}'],
    ['weather', '{"city":"Lima"}'],
  ]
  const chat = await openai.chat.completions.stream({ ...hello }).finalChatCompletion()
  const called = chat.choices[0]?.message.tool_calls ?? []
  expect(called.map((call) => call.type === 'function' && Object.values(call.function).slice(0, 2))).toEqual(
    expected,
  )
  const { output } = await openai.responses.stream({ model: 'local', input: 'hello' }).finalResponse()
  expect(
    output.flatMap((item) => (item.type === 'function_call' ? [[item.name, item.arguments]] : [])),
  ).toEqual(expected)
  const { content } = await anthropic.messages.stream({ ...hello, max_tokens: 9 }).finalMessage()
  expect(content).toMatchObject([
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', name: 'weather', input: { city: 'Malmö' } },
    { type: 'tool_use', name: 'weather', input: { city: 'Lima' } },
  ])
})

test('a response that only names the one before goes on with its conversation', async () => {
  const { openai } = await opened([{ text: 'one' }, { text: 'two' }])
  const first = await openai.responses.create({ model: 'local', input: 'hello' })
  const more = { model: 'local', input: 'and?', previous_response_id: first.id }
  expect((await openai.responses.create(more)).output_text).toBe('two')
})

test('vectors come as numbers and as bytes, and are those of their texts', async () => {
  const { openai } = await opened([])
  const asked = { model: 'local', input: ['abc', 'abd'] }
  const expected = [vectorOf('abc', 8), vectorOf('abd', 8)].map((vector) => [...vector])
  const numbers = await openai.embeddings.create({ ...asked, encoding_format: 'float' })
  expect(numbers.data.map(({ embedding }) => embedding)).toEqual(expected)
  // The client asks for bytes, and unpacks them, where nobody says.
  const bytes = await openai.embeddings.create(asked)
  expect(bytes.data.map(({ embedding }) => embedding)).toEqual(expected)
})

test('it takes only its key, and says what it was asked', async () => {
  const { provider, openai, anthropic } = await opened([{ text: 'hello' }], { key: 'right' })
  await openai.chat.completions.create(hello)
  await anthropic.messages.create({ ...hello, max_tokens: 9 })
  expect(provider.heard.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v1/chat/completions',
    'POST /v1/messages',
  ])
  expect(provider.heard[0]).toMatchObject({ headers: { authorization: 'Bearer right' }, body: hello })
  const wrong = openai.withOptions({ apiKey: 'wrong' }).chat.completions.create(hello)
  await expect(wrong).rejects.toThrow(OpenAI.AuthenticationError)
})

test('busy, it is asked again when it says; what no client would send is refused', async () => {
  const { provider, openai } = await opened([{ fails: 'busy', retryAfter: 0 }, { text: 'hello' }])
  expect((await openai.chat.completions.create(hello)).choices[0]?.message.content).toBe('hello')
  expect(provider.heard).toHaveLength(2)
  const empty = openai.chat.completions.create({ ...hello, messages: [] })
  await expect(empty).rejects.toThrow(OpenAI.BadRequestError)
})

test.each(['nonsense', 'break'] as const)(
  'a stream with a %s ends in an error, after what came before',
  async (fails) => {
    const { openai } = await opened([{ fails, after: { text: 'a long answer that is not finished' } }])
    let heard = ''
    const reading = (async () => {
      for await (const chunk of await openai.chat.completions.create({ ...hello, stream: true })) {
        heard += chunk.choices[0]?.delta.content ?? ''
      }
    })()
    await expect(reading).rejects.toThrow()
    expect('a long answer that is not finished').toContain(heard)
    expect(heard).not.toBe('')
  },
)

test('what hangs is left by the client', async () => {
  const { provider, openai } = await opened([{ fails: 'hang' }])
  const controller = new AbortController()
  const asked = openai.chat.completions.create(hello, { signal: controller.signal })
  while (provider.heard.length === 0) await new Promise(setImmediate)
  controller.abort()
  await expect(asked).rejects.toThrow(OpenAI.APIUserAbortError)
})

test('an MCP server offers its tools, calls them, and tells when they have changed', async () => {
  const weather = {
    name: 'weather',
    description: 'The temperature in a city',
    inputSchema: { type: 'object' as const },
    execute: ({ city }: Readonly<Record<string, unknown>>) => `3 °C in ${city}`,
  }
  const server = await openMcp([weather])
  onTestFinished(() => server.close())
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)))
  // It listens for news by a request of its own.
  while (!server.heard.some(({ method }) => method === 'GET')) await new Promise(setImmediate)
  const result = await client.callTool({ name: 'weather', arguments: { city: 'Malmö' } })
  expect(result.content).toEqual([{ type: 'text', text: '3 °C in Malmö' }])
  const changed = new Promise<void>((resolve) =>
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
  )
  await server.offer([{ ...weather, description: 'Something else' }])
  await changed
  const { tools } = await client.listTools()
  expect(tools.map(({ description }) => description)).toEqual(['Something else'])
  await client.close()
})
