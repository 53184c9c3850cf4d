/** An agent's loop with the `openai` package: the model asks for a tool until it has had enough. */
import OpenAI from 'openai'

/** @returns what the model says in the end */
export async function openaiLoop(
  server: string,
  apiKey: string,
  tool: () => Promise<unknown>,
): Promise<string> {
  const client = new OpenAI({ baseURL: `${server}/v1`, apiKey })
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Work.' }]
  for (;;) {
    const { choices } = await client.chat.completions.create({ model: 'worker', messages })
    const message = choices[0]?.message
    if (message?.tool_calls === undefined) return message?.content ?? ''
    messages.push(message)
    for (const { id } of message.tool_calls)
      messages.push({ role: 'tool', tool_call_id: id, content: JSON.stringify(await tool()) })
  }
}
