/** Calls on time and chance. Not judged: counted and limited. */
import { z } from 'zod'
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import { limits } from '../limits.ts'
import { syscall } from './row.ts'

export const clockCalls = {
  'clock.time': syscall({
    summary:
      'Milliseconds since 1970, by the process’s own clock. `Date.now()` gives the time of the turn without a call.',
    args: z.strictObject({}),
    returns: 'number',
    cost: 1,
    invoke: (_args, { grant, process }, { clock }) => clock.time(grant, process),
  }),
  'clock.sleep': syscall({
    summary: 'Waits. Agents use `setTimeout`.',
    args: z.strictObject({
      ms: z.number().nonnegative().max(limits.sleepMsMax).meta({ description: 'how long, in milliseconds' }),
    }),
    returns: 'null',
    cost: 1,
    invoke: ({ ms }, { grant, process, number }, { clock }) => clock.sleep(grant, process, number, ms),
  }),
  'clock.cancel': syscall({
    summary: 'Ends a sleep of this process early. Agents use `clearTimeout`.',
    args: z.strictObject({
      call: z.int().positive().meta({ description: 'the number of the call that sleeps' }),
    }),
    returns: 'null',
    cost: 1,
    invoke: ({ call }, { grant, process }, { clock }) => clock.cancel(grant, process, call),
  }),
  'clock.random': syscall({
    summary: 'Random bytes of the kernel. `crypto.getRandomValues` gives them without a call.',
    args: z.strictObject({
      bytes: z.int().positive().max(limits.randomBytesMax).meta({ description: 'how many' }),
    }),
    returns: '{ readonly base64: string }',
    cost: 1,
    check: (_args, _drivers, { identity }) => {
      // With a seed that is known, how much others have drawn can be told from what comes next.
      if (identity.sealed)
        throw new SyscallError('EPERM', 'an extraction has randomness of its own: `crypto.getRandomValues`')
    },
    invoke: ({ bytes }, { grant }, { chance }) => {
      Grant.demand(grant, 'clock.random', '')
      return { base64: chance.bytes(bytes).toString('base64') }
    },
  }),
} as const
