/** A graph of LangGraph made by hand: a model, its tools and the way between them; run to its end, and streamed. */
import { tool } from '@langchain/core/tools'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { ChatOpenAI } from '@langchain/openai'
import { tools } from 'gatehouse/guest'
import { z } from 'zod'

export default async function (server: string, key: string, maxRetries = 2) {
  const graphOf = (name: string) => {
    const model = new ChatOpenAI({
      model: name,
      apiKey: key,
      maxRetries,
      configuration: { baseURL: `${server}/v1` },
    })
    return new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({
        messages: [await model.bindTools([weather]).invoke(messages)],
      }))
      .addNode('tools', new ToolNode([weather]))
      .addEdge(START, 'model')
      .addConditionalEdges('model', ({ messages }) =>
        (messages.at(-1) as { tool_calls?: unknown[] }).tool_calls?.length ? 'tools' : END,
      )
      .addEdge('tools', 'model')
      .compile()
  }
  const hello = { messages: [{ role: 'user', content: 'Say hello.' }] }

  const greeting = await graphOf('greeter').invoke(hello)

  let streamed = ''
  for await (const [chunk] of await graphOf('greeter').stream(hello, { streamMode: 'messages' })) {
    streamed += chunk.text
  }

  const asked = { messages: [{ role: 'user', content: 'How warm is it?' }] }
  const { messages } = await graphOf('forecaster').invoke(asked)
  return { whole: greeting.messages.at(-1)?.text ?? null, streamed, tools: messages.at(-1)?.text ?? null }
}

const weather = tool(async ({ city }) => JSON.stringify(await tools.weather({ city })), {
  name: 'weather',
  description: 'The temperature in a city',
  schema: z.object({ city: z.string() }),
})
