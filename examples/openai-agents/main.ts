/** Two agents of the OpenAI Agents SDK, one handing over to the other: both are governed, and so are their models. */
import { fileURLToPath } from 'node:url'
import { Agent, setTracingDisabled, tool } from '@openai/agents'
import { KernelSpace } from 'gatehouse'
import { OpenAIAgentsKernel } from 'gatehouse/integrations/openai-agents'
import { z } from 'zod'
import { ScriptedModel } from './model.ts'

setTracingDisabled(true)
const flight = z.object({ flight: z.string() })

const changeSeat = tool({
  ...{ name: 'change_seat', description: 'Changes a seat.', parameters: flight.extend({ seat: z.string() }) },
  execute: ({ flight: number, seat }) => `seat ${seat} on ${number} is yours`,
})
const cancel = tool({
  ...{ name: 'cancel_flight', description: 'Cancels a flight.', parameters: flight },
  execute: ({ flight: number }) => `${number} is cancelled`,
})

const booking = new Agent({
  name: 'booking',
  model: new ScriptedModel(
    { ask: 'change_seat', args: { flight: 'GH 12', seat: '4A' } },
    { ask: 'cancel_flight', args: { flight: 'GH 12' } },
    { say: 'You sit at the window now. Cancelling is for a person to do.' },
  ),
  tools: [changeSeat, cancel],
})
const desk = new Agent({
  name: 'desk',
  model: new ScriptedModel({ ask: 'transfer_to_booking', args: {} }),
  handoffs: [booking],
})

await using kernel = new KernelSpace({ policy: fileURLToPath(new URL('policy.yaml', import.meta.url)) })
const gatehouse = new OpenAIAgentsKernel(kernel, { name: 'travel-desk' })
const result = await gatehouse.run(desk, 'A window seat on GH 12, please; or cancel it.')

for (const { type, rawItem, ...item } of result.newItems) {
  if (type === 'tool_call_output_item') console.log(`  → ${'output' in item ? item.output : ''}`)
  else if (rawItem?.type === 'function_call') console.log(`${rawItem.name} ${rawItem.arguments}`)
}
console.log(`${result.lastAgent?.name}: ${result.finalOutput}`)
for (const { kind, syscall, resource } of kernel.evidence.entries())
  if (kind === 'intent' || kind === 'refusal') console.log(`- ${kind} ${syscall} ${resource}`)
