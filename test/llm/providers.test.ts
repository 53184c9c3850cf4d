/** Packages of the AI SDK as they are published, and servers behind a URL, against a server that speaks their protocols. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { describe, expect, test } from 'vitest'
import type { KernelOptions } from '../../src/index.ts'
import { ask, boot, entriesOf, refusalOf } from '../support/kernel.ts'
import {
  type Answer,
  beginEvents,
  completion,
  endEvents,
  event,
  json,
  modelServer,
} from '../support/model-server.ts'

type Llm = NonNullable<KernelOptions['llm']>
const key = 'sk-test-0123456789abcdef'
const tools = `tools: [{ name: 'add', description: 'adds', parameters: { type: 'object', properties: { a: { type: 'number' } } } }]`
const conversation = `messages: [
  { role: 'user', content: [{ type: 'text', text: 'look' }, { type: 'file', mediaType: 'image/png', base64: 'iVBORw0KGgo=' }] },
  { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 't1', toolName: 'add', input: { a: 1 } }] },
  { role: 'tool', content: [{ type: 'tool-result', toolCallId: 't1', toolName: 'add', output: { sum: 2 } }] },
]`
const call = { id: 't2', type: 'function', function: { name: 'add', arguments: '{"a":2}' } }

/** What the chat of OpenAI's protocol answers: a text and a call, whole or in events. */
const openai: Answer = (response, { path, body }) => {
  if (path.endsWith('/embeddings')) {
    const data = (body.input as string[]).map((text, index) => ({
      object: 'embedding',
      index,
      embedding: [text.length, 0.5],
    }))
    return json(response, { object: 'list', model: 'm', data, usage: { prompt_tokens: 3, total_tokens: 3 } })
  }
  if (body.stream !== true)
    return json(response, completion({ content: 'two', tool_calls: [call] }, undefined, 'tool_calls'))
  beginEvents(response)
  for (const content of ['t', 'wo']) event(response, { content })
  event(response, { tool_calls: [{ index: 0, ...call, function: { name: 'add', arguments: '{"a"' } }] })
  event(response, { tool_calls: [{ index: 0, function: { arguments: ':2}' } }] })
  return endEvents(response, 'tool_calls')
}

const anthropic: Answer = (response, { body }) => {
  const usage = { input_tokens: 20, output_tokens: 5 }
  const head = { id: 'm1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null }
  if (body.stream !== true)
    return json(response, {
      ...head,
      usage,
      stop_reason: 'tool_use',
      content: [
        { type: 'text', text: 'two' },
        { type: 'tool_use', id: 't2', name: 'add', input: { a: 2 } },
      ],
    })
  const send = (data: { readonly type: string }) =>
    response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
  const block = (index: number, content_block: object, deltas: readonly object[]) => {
    send({ type: 'content_block_start', index, content_block } as never)
    for (const delta of deltas) send({ type: 'content_block_delta', index, delta } as never)
    send({ type: 'content_block_stop', index } as never)
  }
  beginEvents(response)
  send({
    type: 'message_start',
    message: { ...head, content: [], stop_reason: null, usage: { input_tokens: 20, output_tokens: 1 } },
  } as never)
  block(
    0,
    { type: 'text', text: '' },
    ['t', 'wo'].map((text) => ({ type: 'text_delta', text })),
  )
  block(1, { type: 'tool_use', id: 't2', name: 'add', input: {} }, [
    { type: 'input_json_delta', partial_json: '{"a":2}' },
  ])
  send({
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 5 },
  } as never)
  send({ type: 'message_stop' })
  response.end()
}

const google: Answer = (response, { path }) => {
  const part = (parts: readonly object[], more: object = {}) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
    usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 5, totalTokenCount: 25 },
  })
  const call = { functionCall: { id: 't2', name: 'add', args: { a: 2 } } }
  if (!path.includes(':stream'))
    return json(response, part([{ text: 'two' }, call], { finishReason: 'STOP' }))
  beginEvents(response)
  for (const text of ['t', 'wo']) response.write(`data: ${JSON.stringify(part([{ text }]))}\n\n`)
  response.end(`data: ${JSON.stringify(part([call], { finishReason: 'STOP' }))}\n\n`)
}

const packages: readonly (readonly [
  name: string,
  answer: Answer,
  make: (url: string) => Llm['models'][string],
])[] = [
  ['@ai-sdk/openai', openai, (baseURL) => createOpenAI({ baseURL, apiKey: key }).chat('m')],
  ['@ai-sdk/anthropic', anthropic, (baseURL) => createAnthropic({ baseURL, apiKey: key })('m')],
  ['@ai-sdk/google', google, (baseURL) => createGoogleGenerativeAI({ baseURL, apiKey: key })('gemini-m')],
  [
    '@ai-sdk/openai-compatible',
    openai,
    (baseURL) => createOpenAICompatible({ baseURL, name: 'x', includeUsage: true })('m'),
  ],
  ['a URL', openai, (url) => ({ url, model: 'm', key: 'MODEL_KEY', addresses: ['loopback'] })],
]

const secretFor = (url: string) => ({ MODEL_KEY: { value: key, origins: [new URL(url).origin] } })

describe.each(packages)('%s', (name, answer, make) => {
  const start = async () => {
    const server = await modelServer(answer)
    const llm = { models: { 'p/m': make(server.url) }, prices: { 'p/m': { input: 1, output: 2 } } }
    return { server, kernel: boot({ llm, secrets: secretFor(server.url) }) }
  }

  test('a conversation with a picture, a call of a tool and its result, whole', async () => {
    const { server, kernel } = await start()
    const reply = await ask(
      kernel,
      `return llm.generate({ model: 'p/m', tokensMax: 100, ${tools}, ${conversation} })`,
    )
    expect(reply).toMatchObject({
      text: 'two',
      toolCalls: [{ toolCallId: 't2', toolName: 'add', input: { a: 2 } }],
      finishReason: 'tool-calls',
    })
    const [asked] = server.asked
    expect(JSON.stringify(asked?.body)).toMatch(/"max\w*tokens":100\b/i)
    expect(JSON.stringify(asked?.body)).toContain('iVBORw0KGgo=')
    expect(JSON.stringify(asked?.body)).toContain('sum')
    if (name !== '@ai-sdk/openai-compatible') expect(JSON.stringify(asked?.headers)).toContain(key)
    expect(JSON.stringify(kernel.evidence.entries())).not.toContain(key)
  })

  test('the same as it is written', async () => {
    const { kernel } = await start()
    const got = await ask(
      kernel,
      `const parts = []
      for await (const part of llm.stream({ model: 'p/m', ${tools}, ${conversation} })) parts.push(part)
      return { text: parts.filter((it) => it.type === 'text').map((it) => it.text).join(''), rest: parts.filter((it) => it.type !== 'text') }`,
    )
    expect(got).toEqual({
      text: 'two',
      rest: [
        { type: 'tool-call', toolCallId: 't2', toolName: 'add', input: { a: 2 } },
        {
          type: 'finish',
          finishReason: 'tool-calls',
          usage: { inputTokens: 20, outputTokens: 5, totalTokens: 25 },
        },
      ],
    })
    expect(entriesOf(kernel, 'charge')).toMatchObject([{ cost: { tokens: 25, costUsd: 0.00003 } }])
    expect(entriesOf(kernel, 'exit')).toMatchObject([{ usage: { tokens: 25, costUsd: 0.00003 } }])
  })
})

describe('a URL', () => {
  const options = (url: string, more: object = {}) => ({
    llm: {
      models: { 'p/m': { url, model: 'm', key: 'MODEL_KEY', addresses: ['loopback'], ...more } },
    } as Llm,
    secrets: secretFor(url),
  })

  test('is asked for a schema as the agent wrote it', async () => {
    const { url, asked } = await modelServer((response) => json(response, completion({ content: '{"n":1}' })))
    const schema = { type: 'object', properties: { n: { type: 'integer' } } }
    const call = `llm.generate({ model: 'p/m', prompt: '', schema: ${JSON.stringify(schema)} })`
    expect(await ask(boot(options(url)), `return (await ${call}).object`)).toEqual({ n: 1 })
    expect(asked[0]?.body.response_format).toMatchObject({
      type: 'json_schema',
      json_schema: { schema, strict: false },
    })
  })

  test('makes vectors too', async () => {
    const { url } = await modelServer(openai)
    expect(await ask(boot(options(url)), `return llm.embed({ model: 'p/m', values: ['a', 'bcd'] })`)).toEqual(
      {
        vectors: [
          [1, 0.5],
          [3, 0.5],
        ],
        usage: { tokens: 3 },
      },
    )
  })

  test('what an agent writes is no placeholder, and what the server says of the key nobody sees', async () => {
    const { url, asked } = await modelServer((response, { headers, body }) => {
      if (body.stream !== true)
        return json(response, completion({ content: `you sent ${headers.authorization}` }))
      beginEvents(response)
      for (const content of [`you sent ${headers.authorization}`.slice(0, 25), key.slice(9), ' so'])
        event(response, { content })
      return endEvents(response)
    })
    const kernel = boot(options(url))
    const got = await ask(
      kernel,
      `const { text } = await llm.generate({ model: 'p/m', prompt: 'my \${secret:MODEL_KEY}' })
      let streamed = ''
      for await (const part of llm.stream({ model: 'p/m', prompt: '' })) streamed += part.text ?? ''
      return [text, streamed]`,
    )
    expect(asked[0]?.body.messages).toEqual([{ role: 'user', content: `my \${secret:MODEL_KEY}` }])
    expect(got).toEqual(['you sent Bearer [secret:MODEL_KEY]', 'you sent Bearer [secret:MODEL_KEY] so'])
  })

  test('an address that is not permitted is not asked', async () => {
    const { url, asked } = await modelServer(openai)
    const said = await ask(
      boot(options(url, { addresses: [] })),
      `return ${refusalOf(`llm.generate({ model: 'p/m', prompt: '' })`)}`,
    )
    expect(said).toMatch(/^EPERM.*`addresses`.*no tokens are charged$/)
    expect(said).not.toContain('127.0.0.1')
    expect(asked).toEqual([])
  })

  test.each([
    ['a secret that there is not', { key: 'OTHER' }, /there is no secret `OTHER`/],
    [
      'a secret that may not go there',
      { url: 'https://elsewhere.example/v1' },
      /secret `MODEL_KEY` is not for `https:\/\/elsewhere.example`/,
    ],
    ['no URL', { url: 'somewhere' }, /does not begin with http/],
    ['a misspelt part', { adresses: [] }, /`adresses`/],
    ['an unknown class of address', { addresses: ['home'] }, /llm\.models\.p\/m\.addresses/],
  ])('%s refuses the start', async (_what, more, message) => {
    const { url } = await modelServer(openai)
    expect(() => boot(options(url, more))).toThrow(message)
  })
})
