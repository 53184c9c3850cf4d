/** Calls on calls that are under way. */
import { z } from 'zod'
import { syscall } from './row.ts'

export const callCalls = {
  'call.cancel': syscall({
    summary:
      'Ends a call of this process that is under way: it fails with ECANCELED, unless it is done sooner. One that is over is left alone.',
    args: z.strictObject({
      call: z.int().positive().meta({ description: 'the number of the call' }),
    }),
    returns: 'null',
    cost: 1,
    invoke: ({ call }, { grant, process }, { proc }) => proc.cancel(grant, process, call),
  }),
} as const
