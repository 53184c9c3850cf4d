/** The `openai` client over chat completions: an answer, a streamed one, and a loop of tool calls. */
import { tools } from 'gatehouse/guest'
import OpenAI from 'openai'

export default async function (server: string, key: string, maxRetries = 2) {
  const client = new OpenAI({ baseURL: `${server}/v1`, apiKey: key, maxRetries })
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Say hello.' }]

  const reply = await client.chat.completions.create({ model: 'greeter', messages })
  const whole = reply.choices[0]?.message.content

  let streamed = ''
  for await (const chunk of await client.chat.completions.create({
    model: 'greeter',
    messages,
    stream: true,
  })) {
    streamed += chunk.choices[0]?.delta.content ?? ''
  }

  const asked: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'How warm is it?' }]
  for (;;) {
    const { choices } = await client.chat.completions.create({
      model: 'forecaster',
      messages: asked,
      tools: [{ type: 'function', function: weather }],
    })
    const message = choices[0]?.message
    if (message?.tool_calls === undefined) return { whole, streamed, tools: message?.content ?? null }
    asked.push(message)
    for (const call of message.tool_calls) {
      if (call.type !== 'function') continue
      const content = JSON.stringify(await tools.weather(JSON.parse(call.function.arguments)))
      asked.push({ role: 'tool', tool_call_id: call.id, content })
    }
  }
}

const weather = {
  name: 'weather',
  description: 'The temperature in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
