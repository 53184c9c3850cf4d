/** Calls of the tools that the application has registered. */
import { z } from 'zod'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { syscall } from './row.ts'

const json: z.ZodType<Json, Json> = z.custom<Json>()

export const toolCalls = {
  'tool.call': syscall({
    summary:
      'Calls a tool by name; its arguments are checked against its schema first. Agents use `tools.name(args)`.',
    args: z.strictObject({
      name: z.string().max(limits.toolNameMax).meta({ description: 'as it was registered' }),
      args: json.meta({ description: 'what the schema of the tool takes' }),
      wrapped: z.int().min(1).optional().meta({
        description:
          'of a tool of an object that the application has wrapped: which of that name, from 1; agents in isolates have none',
      }),
    }),
    returns: 'unknown',
    cost: 1,
    check: ({ args, ...which }, { tool }, process) => tool.check(which, args, process),
    judge: ({ name, args, wrapped }, { tool }, process) => [
      { action: 'tool.call', resource: name, args, schema: tool.schemaOf(name, process, wrapped) },
    ],
    external: () => true,
    invoke: ({ args, ...which }, { grant, process, number, carries, releases }, { tool }) => {
      carries(tool.labelsOf(which, process))
      const reason = 'the application registered the tool as one that declassifies'
      // What it was given came from a process with these labels, and it has no others to take off.
      const how = { by: `tool ${which.name}`, reason, from: process.labels, again: true }
      releases(tool.declassifiedBy(which, process), how)
      return tool.call(grant, which, args, process, number)
    },
  }),
} as const
