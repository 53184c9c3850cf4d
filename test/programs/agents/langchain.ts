/** LangChain's `createAgent` with its model of OpenAI: an answer, a streamed one, and an agent with a tool. */
import { ChatOpenAI } from '@langchain/openai'
import { tools } from 'gatehouse/guest'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

export default async function (server: string, key: string, maxRetries = 2) {
  const modelOf = (model: string) =>
    new ChatOpenAI({ model, apiKey: key, maxRetries, configuration: { baseURL: `${server}/v1` } })

  const { text: whole } = await modelOf('greeter').invoke('Say hello.')

  let streamed = ''
  for await (const chunk of await modelOf('greeter').stream('Say hello.')) streamed += chunk.text

  const agent = createAgent({ model: modelOf('forecaster'), tools: [weather] })
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'How warm is it?' }] })
  return { whole, streamed, tools: messages.at(-1)?.text ?? null }
}

const weather = tool(async ({ city }) => JSON.stringify(await tools.weather({ city })), {
  name: 'weather',
  description: 'The temperature in a city',
  schema: z.object({ city: z.string() }),
})
