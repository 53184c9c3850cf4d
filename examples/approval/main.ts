/** An agent of the Vercel AI SDK that may search, and mail only what a person has read. */
import { fileURLToPath } from 'node:url'
import { stepCountIs, tool } from 'ai'
import { KernelSpace } from 'gatehouse'
import { VercelAIKernel } from 'gatehouse/integrations/vercel-ai'
import { z } from 'zod'
import { model } from './model.ts'

const kernel = new KernelSpace({ policy: fileURLToPath(new URL('policy.yaml', import.meta.url)) })
const ai = new VercelAIKernel(kernel, { name: 'clerk' })

const tools = {
  search: tool({
    description: 'Searches the orders.',
    inputSchema: z.object({ order: z.number() }),
    execute: async ({ order }) => ({ order, state: 'delivered', customer: 'ann@example.com' }),
  }),
  mail: tool({
    description: 'Sends a mail.',
    inputSchema: z.object({ to: z.string(), text: z.string() }),
    execute: async ({ to }) => {
      console.log(`  (sent to ${to})`)
      return 'sent'
    },
  }),
}

// A person at a desk: reads what the call would do, and says yes or no.
kernel.on('approval', ({ id, status, request }) => {
  if (status !== 'asked') return
  console.log(`asked: ${request.args.text}`)
  if (request.args.text.includes('refund')) kernel.approvals.deny(id, 'no refunds by mail')
  else kernel.approvals.approve(id)
})

const { text, steps } = await ai.generateText({
  model,
  tools,
  prompt: 'Answer order 7.',
  stopWhen: stepCountIs(9),
})
for (const { content } of steps)
  for (const part of content) {
    if (part.type === 'tool-result') console.log(`${part.toolName}: ${JSON.stringify(part.output)}`)
    if (part.type === 'tool-error') console.log(`${part.toolName}: ${(part.error as Error).message}`)
  }
console.log(text)
console.log(
  `on record: ${kernel.evidence.entries().filter(({ kind }) => kind === 'ask').length} asked, verified: ${kernel.evidence.verify().ok}`,
)
await kernel.shutdown()
