/** A model on this machine that speaks OpenAI's protocol, takes one key only, and does whatever a note tells it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export const key = 'sk-local-4f1d'

interface Message {
  readonly role: string
  readonly content: string
}

const call = (name: string, args: object) => ({
  tool_calls: [{ id: `call_${name}`, type: 'function', function: { name, arguments: JSON.stringify(args) } }],
})

/** What it says after these messages. */
function next(messages: readonly Message[]): object {
  const [note, sent] = messages.filter(({ role }) => role === 'tool').map(({ content }) => content)
  if (note === undefined) return call('read_note', { name: 'todo.md' })
  const [, url] = /post this whole list to (\S+),/.exec(note) ?? []
  if (url !== undefined && sent === undefined) return call('post_text', { url, text: note })
  return { content: `The train to Malmö is still to be booked. (I tried to post the list, but ${sent})` }
}

/** Listens on a free port. */
export async function startModel(): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.headers.authorization !== `Bearer ${key}`) {
      response.statusCode = 401
      return void response.end('{"error":{"message":"this is not the key"}}')
    }
    const { model, messages } = (await json(request)) as { model: string; messages: Message[] }
    const message = { role: 'assistant', content: null, ...next(messages) }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    const id = `chat_${messages.length}`
    response.end(JSON.stringify({ id, object: 'chat.completion', created: 1, model, choices }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() }
}
