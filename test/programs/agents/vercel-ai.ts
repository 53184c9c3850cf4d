/** The `ai` package with its provider for OpenAI: generateText, streamText, and tools that it calls itself. */
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, isStepCount, jsonSchema, streamText, tool } from 'ai'
import { tools } from 'gatehouse/guest'

export default async function (server: string, key: string, maxRetries = 2) {
  const openai = createOpenAI({ baseURL: `${server}/v1`, apiKey: key })

  const { text: whole } = await generateText({ model: openai('greeter'), prompt: 'Say hello.', maxRetries })

  let streamed = ''
  for await (const piece of streamText({ model: openai('greeter'), prompt: 'Say hello.', maxRetries })
    .textStream) {
    streamed += piece
  }

  const { text } = await generateText({
    model: openai.chat('forecaster'),
    prompt: 'How warm is it?',
    tools: { weather },
    maxRetries,
    stopWhen: isStepCount(5),
  })
  return { whole, streamed, tools: text }
}

const weather = tool({
  description: 'The temperature in a city',
  inputSchema: jsonSchema<{ city: string }>({
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
  }),
  execute: ({ city }) => tools.weather({ city }),
})
