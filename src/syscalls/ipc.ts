/** Messages between agents. */
import { z } from 'zod'
import { SyscallError } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import { withoutLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { type Call, type Drivers, syscall } from './row.ts'

const agent = z.string().min(1).max(limits.agentNameMax).meta({ description: 'the name of an agent' })
const json: z.ZodType<Json, Json> = z.custom<Json>().meta({ description: 'any JSON' })

const timeoutMs = z.int().positive().max(limits.sleepMsMax).optional()

const pipe = z.strictObject({
  to: agent.optional().meta({ description: 'opens a pipe to this agent, for writing' }),
  schema: z
    .custom<JsonObject>(
      (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
      'is no object',
    )
    .optional()
    .meta({ description: 'what goes through it, as a JSON Schema' }),
  from: agent
    .optional()
    .meta({ description: 'takes a pipe of this agent, for reading; of any where `to` is not given either' }),
  timeoutMs: timeoutMs.meta({ description: 'how long to wait for one, in ms; for ever by default' }),
})
type PipeArgs = z.infer<typeof pipe>

/** The end of a pipe that is written. */
function openPipe({ schema }: PipeArgs, to: string, call: Call, { pipes, streams }: Drivers): Json {
  const place = streams.reserve(call)
  try {
    const sink = pipes.open(call.grant, to, schema, call.process.labels)
    return { stream: place.fill({ sink }) }
  } catch (error) {
    place.leave()
    throw error
  }
}

/** The end of a pipe that is read. */
async function takePipe(
  { from, timeoutMs }: PipeArgs,
  call: Call,
  { pipes, streams, clock }: Drivers,
): Promise<Json> {
  const place = streams.reserve(call)
  try {
    const offer = await pipes.take(call.grant, from, timeoutMs, clock.of(call.process))
    const { source, labels, from: name, pid, schema } = offer
    call.carries(labels)
    const stream = place.fill({ source })
    return { stream, from: name, pid, ...(schema !== undefined && { schema }) }
  } catch (error) {
    place.leave()
    throw error
  }
}

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
  'ipc.pipe': syscall({
    summary:
      'Opens a pipe to another agent, or takes one that another agent has opened to this one. What goes through it is JSON, by `stream.write` and `stream.read`. Agents use `ipc.pipe`.',
    args: pipe,
    returns:
      '{ readonly stream: number } | { readonly stream: number; readonly from: string; readonly pid: number; readonly schema?: Json }',
    cost: 1,
    check: ({ to, from, schema, timeoutMs }) => {
      if (to !== undefined && (from !== undefined || timeoutMs !== undefined))
        throw new SyscallError(
          'EINVAL',
          'a pipe that is opened `to` an agent has neither `from` nor `timeoutMs`',
        )
      if (to === undefined && schema !== undefined)
        throw new SyscallError('EINVAL', 'the `schema` of a pipe is given by whoever opens it `to` an agent')
    },
    judge: ({ to, from }) => [
      {
        action: 'ipc.pipe',
        resource: to ?? from ?? '*',
        args: { bytes: 0, mode: to === undefined ? 'read' : 'write' },
      },
    ],
    invoke: (args, call, drivers) =>
      args.to === undefined ? takePipe(args, call, drivers) : openPipe(args, args.to, call, drivers),
  }),
} as const
