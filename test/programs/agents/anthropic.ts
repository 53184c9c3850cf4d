/** The `@anthropic-ai/sdk` client: an answer, a streamed one, and a loop of tool calls whose turns are streamed. */
import Anthropic from '@anthropic-ai/sdk'
import { tools } from 'gatehouse/guest'

export default async function (server: string, key: string, maxRetries = 2) {
  const client = new Anthropic({ baseURL: server, apiKey: key, maxRetries })
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Say hello.' }]
  const greeting = { model: 'greeter', max_tokens: 100, messages }

  const whole = textOf(await client.messages.create(greeting))

  let streamed = ''
  for await (const event of client.messages.stream(greeting)) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
      streamed += event.delta.text
  }

  const asked: Anthropic.MessageParam[] = [{ role: 'user', content: 'How warm is it?' }]
  for (;;) {
    const question = { model: 'forecaster', max_tokens: 100, messages: asked, tools: [weather] }
    const message = await client.messages.stream(question).finalMessage()
    if (message.stop_reason !== 'tool_use') return { whole, streamed, tools: textOf(message) }
    asked.push({ role: 'assistant', content: message.content })
    const content: Anthropic.ToolResultBlockParam[] = []
    for (const block of message.content) {
      if (block.type !== 'tool_use') continue
      const result = JSON.stringify(await tools.weather(block.input as { city: string }))
      content.push({ type: 'tool_result', tool_use_id: block.id, content: result })
    }
    asked.push({ role: 'user', content })
  }
}

const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')

const weather: Anthropic.Tool = {
  name: 'weather',
  description: 'The temperature in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
