/** Messages between agents. */
import { z } from 'zod'
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { withoutLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { syscall } from './row.ts'

const agent = z.string().min(1).max(limits.agentNameMax).meta({ description: 'the name of an agent' })
const json: z.ZodType<Json, Json> = z.custom<Json>().meta({ description: 'any JSON' })

const sizeOf = (message: Json): number => {
  const bytes = JSON.stringify(message).length
  if (bytes > limits.messageBytesMax)
    throw new SyscallError(
      'EMSGSIZE',
      `a message of ${bytes} characters, at most ${limits.messageBytesMax} fit`,
    )
  return bytes
}

export const ipcCalls = {
  'ipc.send': syscall({
    summary: 'Puts a message into the mailbox of another agent.',
    args: z.strictObject({ to: agent, message: json }),
    params: ['to', 'message'],
    returns: 'null',
    cost: 1,
    judge: ({ to, message }) => [{ action: 'ipc.send', resource: to, args: { bytes: sizeOf(message) } }],
    invoke: ({ to, message }, { grant, process }, { ipc }) => {
      const labels = withoutLabels(process.labels, process.releases.use(message))
      return ipc.send(grant, to, message, labels)
    },
  }),
  'ipc.receive': syscall({
    summary:
      'Takes the oldest message from the own mailbox, of one agent or of any, and waits where there is none.',
    args: z.strictObject({
      from: agent.optional().meta({ description: 'of this agent only; of any by default' }),
      timeoutMs: z
        .int()
        .positive()
        .max(limits.sleepMsMax)
        .optional()
        .meta({ description: 'how long to wait, in ms; for ever by default' }),
    }),
    params: [],
    returns: '{ readonly from: string; readonly pid: number; readonly message: unknown }',
    cost: 1,
    judge: ({ from }) => [{ action: 'ipc.receive', resource: from ?? '*', args: {} }],
    invoke: async ({ from, timeoutMs }, { grant, process, carries }, { ipc, clock }) => {
      const { labels, ...message } = await ipc.receive(grant, from, timeoutMs, clock.of(process))
      carries(labels)
      return message
    },
  }),
} as const
