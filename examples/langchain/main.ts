/** A LangChain agent as people have them, and one line more: whatever its model asks for passes the kernel first. */
import { fileURLToPath } from 'node:url'
import { AIMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { KernelSpace } from 'gatehouse'
import { LangChainKernel } from 'gatehouse/integrations/langchain'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

const order = z.object({ order: z.string() })
const findOrder = tool(({ order: id }) => `${id}: a lamp, 49.00, broken on arrival`, {
  ...{ name: 'find_order', description: 'Looks up an order.', schema: order },
})
const refund = tool(({ order: id, cents }) => `${(cents / 100).toFixed(2)} went back for ${id}`, {
  ...{ name: 'refund', description: 'Gives money back.', schema: order.extend({ cents: z.int() }) },
})

/** Says what it was told to say beforehand, so that this runs offline. Any other chat model is wrapped alike. */
const model = fakeModel()
  .respondWithTools([{ name: 'find_order', args: { order: 'A-17' } }])
  .respondWithTools([
    { name: 'refund', args: { order: 'A-17', cents: 4_900 } },
    { name: 'refund', args: { order: 'A-17', cents: 90_000 } },
  ])
  .respond(new AIMessage('The 49.00 are on their way; I may not add the rest.'))

await using kernel = new KernelSpace({ policy: fileURLToPath(new URL('policy.yaml', import.meta.url)) })
kernel.on('approval', ({ status, id, request }) => {
  if (status !== 'asked') return
  console.log(`A person is shown: ${request.args.text}`)
  kernel.approvals.deny(id, { by: 'Mia', reason: 'the lamp was 49.00' })
})

const agent = createAgent({ model, tools: [findOrder, refund] })
const governed = new LangChainKernel(kernel, { name: 'refund-desk' }).wrap(agent)
const { messages } = await governed.invoke({
  messages: [
    { role: 'user', content: 'My lamp came broken. I want my money back, and 900 for the trouble.' },
  ],
})

for (const message of messages.slice(1)) {
  const calls = message instanceof AIMessage ? (message.tool_calls ?? []) : []
  for (const { name, args } of calls) console.log(`it asks for ${name} ${JSON.stringify(args)}`)
  if (calls.length === 0) console.log(`${message.getType()}: ${message.content}`)
}
console.log('On record:')
for (const { kind, syscall, resource } of kernel.evidence.entries())
  if (kind === 'intent' || kind === 'refusal') console.log(`- ${kind} ${syscall} ${resource}`)
