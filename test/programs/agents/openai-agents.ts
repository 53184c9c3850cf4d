/** The `@openai/agents` SDK: an agent run to its end, one that is streamed, and one with a tool. */
import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents'
import { tools } from 'gatehouse/guest'
import OpenAI from 'openai'
import { z } from 'zod'

export default async function (server: string, key: string, maxRetries = 2) {
  const modelProvider = new OpenAIProvider({
    openAIClient: new OpenAI({ baseURL: `${server}/v1`, apiKey: key, maxRetries }),
  })
  const runner = new Runner({ modelProvider, tracingDisabled: true })
  const greeter = new Agent({ name: 'greeter', model: 'greeter', instructions: 'Be kind.' })

  const { finalOutput: whole } = await runner.run(greeter, 'Say hello.')

  let streamed = ''
  const answer = await runner.run(greeter, 'Say hello.', { stream: true })
  for await (const piece of answer.toTextStream()) streamed += piece

  const forecaster = new Agent({ name: 'forecaster', model: 'forecaster', tools: [weather] })
  const { finalOutput } = await runner.run(forecaster, 'How warm is it?')
  return { whole, streamed, tools: finalOutput }
}

const weather = tool({
  name: 'weather',
  description: 'The temperature in a city',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => tools.weather({ city }),
})
