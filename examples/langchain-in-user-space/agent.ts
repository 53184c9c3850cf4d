/** A LangChain agent as people write them: a model of OpenAI, a tool that reads files, one that sends to the web. */
import { readFile } from 'node:fs/promises'
import { ChatOpenAI } from '@langchain/openai'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

const readNote = tool(({ name }) => readFile(`/workspace/${name}`, 'utf8'), {
  name: 'read_note',
  description: 'Reads one of the notes.',
  schema: z.object({ name: z.string() }),
})

const postText = tool(
  async ({ url, text }) => {
    try {
      const reply = await fetch(url, { method: 'POST', body: text })
      return `it answered ${reply.status}`
    } catch (error) {
      return `it could not be sent: ${error}`
    }
  },
  {
    name: 'post_text',
    description: 'Sends a text to a URL.',
    schema: z.object({ url: z.string(), text: z.string() }),
  },
)

export default async function answer(question: string, openai: { baseURL: string; apiKey: string }) {
  const model = new ChatOpenAI({ model: 'gpt-5', apiKey: openai.apiKey, configuration: openai })
  const agent = createAgent({ model, tools: [readNote, postText] })
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: question }] })
  return messages.at(-1)?.text ?? ''
}
