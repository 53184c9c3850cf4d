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
    }),
    returns: 'unknown',
    cost: 1,
    check: ({ name, args }, { tool }) => tool.check(name, args),
    judge: ({ name, args }, { tool }) => [
      { action: 'tool.call', resource: name, args, schema: tool.schemaOf(name) },
    ],
    external: () => true,
    invoke: ({ name, args }, { grant, process, carries, releases }, { tool }) => {
      carries(tool.labelsOf(name))
      const reason = 'the application registered the tool as one that declassifies'
      // What it was given came from a process with these labels, and it has no others to take off.
      const how = { by: `tool ${name}`, reason, from: process.labels, again: true }
      releases(tool.declassifiedBy(name), how)
      return tool.call(grant, name, args)
    },
  }),
} as const
