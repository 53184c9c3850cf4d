/** The `openai` client over responses: an answer, a streamed one, and a loop of tool calls whose turns are streamed. */
import { tools } from 'gatehouse/guest'
import OpenAI from 'openai'
import type { ResponseInput, Tool } from 'openai/resources/responses/responses'

export default async function (server: string, key: string, maxRetries = 2) {
  const client = new OpenAI({ baseURL: `${server}/v1`, apiKey: key, maxRetries })

  const { output_text: whole } = await client.responses.create({ model: 'greeter', input: 'Say hello.' })

  let streamed = ''
  for await (const event of client.responses.stream({ model: 'greeter', input: 'Say hello.' })) {
    if (event.type === 'response.output_text.delta') streamed += event.delta
  }

  const input: ResponseInput = [{ role: 'user', content: 'How warm is it?' }]
  for (;;) {
    const response = await client.responses
      .stream({ model: 'forecaster', input, tools: [weather] })
      .finalResponse()
    const calls = response.output.filter((item) => item.type === 'function_call')
    if (calls.length === 0) return { whole, streamed, tools: response.output_text }
    for (const call of calls) {
      const output = JSON.stringify(await tools.weather(JSON.parse(call.arguments)))
      input.push(call, { type: 'function_call_output', call_id: call.call_id, output })
    }
  }
}

const weather: Tool = {
  type: 'function',
  name: 'weather',
  description: 'The temperature in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
}
