/** Calls on processes and signals. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { exitToJson } from '../drivers/proc.ts'
import { isErrno, SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { withoutLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { dispositionNames } from '../proc/dispositions.ts'
import { readNarrowSchema } from '../proc/narrow-schema.ts'
import { agentSignals, signalName } from '../proc/signals.ts'
import { type JudgedCaller, record, syscall } from './row.ts'

const json: z.ZodType<Json, Json> = z.custom<Json>()
const agent = z.string().min(1).max(limits.agentNameMax)
const signal = z.enum(agentSignals).meta({ description: 'the name of a signal that agents may use' })
const budget = record(z.string().max(limits.wordMax), z.union([z.string().max(limits.wordMax), z.number()]), {
  keysMax: limits.budgetPartsMax,
  what: 'parts',
})
/** The bootstrap cuts there too; what is longer was sent past it. */
const errorText = z.string().max(limits.errorTextMax)
const guestError = z.strictObject({
  name: errorText,
  message: errorText,
  stack: errorText.optional(),
  code: errorText.optional(),
})

const programs = {
  source: z.string().max(limits.programBytesMax).meta({ description: 'the text of an ES module' }),
  args: z.array(json).optional().meta({ description: 'arguments of its default export' }),
  name: agent.optional().meta({ description: 'that of its parent by default' }),
  policy: json.optional().meta({ description: 'the name of a preset, or a document; it can only narrow' }),
}

/** What a policy is told of a program that an agent starts. */
const programArguments = ({ identity }: JudgedCaller, source: string) => ({
  isolation: identity.isolation,
  // Only where a condition asks: a program can be large.
  get sha256() {
    return createHash('sha256').update(source).digest('hex')
  },
})

export const procCalls = {
  'proc.self': syscall({
    summary: 'The process itself: pid, parent, name, isolation, labels, what is left of its budget.',
    args: z.strictObject({}),
    params: [],
    returns:
      '{ readonly pid: number; readonly ppid: number; readonly run: string; readonly name: string; readonly isolation: string; readonly labels: readonly string[]; readonly budget: { readonly [charge: string]: number } }',
    cost: 1,
    invoke: (_args, { grant, process }, { proc }) => proc.self(grant, process),
  }),
  'proc.spawn': syscall({
    summary:
      'Starts a child from the source text of a module; its policy and budget can only narrow those of its parent.',
    args: z.strictObject({
      ...programs,
      budget: budget.optional().meta({ description: 'as in a policy; it can only narrow' }),
    }),
    params: ['program'],
    returns: '{ readonly pid: number }',
    cost: 1,
    judge: ({ name, source }, _drivers, process) => [
      { action: 'proc.spawn', resource: name ?? process.name, args: programArguments(process, source) },
    ],
    invoke: ({ source, args = [], name, policy, budget }, { grant, process }, { proc }) =>
      proc.spawn(grant, process, { source, args, name: name ?? process.name, policy, budget }),
  }),
  'proc.extract': syscall({
    summary:
      'Has a child look at what the process itself must not take on, and gives one value of a narrow schema. Whatever goes wrong in it is one and the same error.',
    args: z.strictObject({
      ...programs,
      schema: json.meta({
        description: '`enum`, boolean, integer, date or a text with a pattern: how much it may tell',
      }),
      budget: budget.optional().meta({ description: 'taken out of that of this process at once' }),
    }),
    params: ['program'],
    returns: 'unknown',
    cost: 1,
    bits: ({ schema }) => readNarrowSchema(schema).bits,
    judge: ({ name, source, schema }, _drivers, process) => [
      {
        action: 'proc.extract',
        resource: name ?? process.name,
        args: Object.defineProperty(programArguments(process, source), 'bits', {
          value: readNarrowSchema(schema).bits,
          enumerable: true,
        }) as ReturnType<typeof programArguments> & { readonly bits: number },
      },
    ],
    invoke: async ({ source, args = [], name, policy, budget, schema }, call, { proc }) => {
      const { grant, process, number, releases } = call
      const narrow = readNarrowSchema(schema)
      const request = { source, args, name: name ?? process.name, policy, budget }
      const { value, labels } = await proc.extract(grant, process, request, narrow, number)
      const reason = `a value of at most ${narrow.bits} bits`
      const how = { by: 'proc.extract', reason, from: labels, again: false }
      releases(withoutLabels(labels, process.labels), how)
      return value
    },
  }),
  'proc.wait': syscall({
    summary: 'Waits until a child has ended, and tells how.',
    args: z.strictObject({ pid: z.int().positive().meta({ description: 'a child of this process' }) }),
    params: ['pid'],
    returns:
      "{ readonly status: 'exited' | 'killed' | 'failed'; readonly value?: unknown; readonly error?: { readonly code: string; readonly message: string }; readonly signal?: string; readonly reason?: string; readonly labels?: readonly string[] }",
    cost: 1,
    invoke: async ({ pid }, { grant, process, carries }, { proc }) => {
      const exit = await proc.wait(grant, process, pid)
      carries(exit.labels)
      return exitToJson(exit)
    },
  }),
  'proc.signal': syscall({
    summary: 'Sends a signal to a process, by pid or by name.',
    args: z.strictObject({
      target: z
        .union([z.int().positive(), agent])
        .meta({ description: 'a pid, or the name of one live process' }),
      signal,
    }),
    params: ['target', 'signal'],
    returns: '{ readonly effect: string }',
    cost: 1,
    judge: ({ target, signal }, { table }) => [
      { action: 'proc.signal', resource: table.findFor(target).name, args: { signal } },
    ],
    stakes: ({ target }, { table }) => ({ pid: table.findFor(target).pid }),
    invoke: ({ target, signal }, { grant, process, carries }, { proc, table }) => {
      const found = table.findFor(target)
      carries(found.labels)
      return proc.signal(grant, process, found, signal)
    },
  }),
  'proc.sigaction': syscall({
    summary: 'Says how a signal is taken: by default, ignored, or by a handler. Agents use `proc.on`.',
    args: z.strictObject({
      signal,
      disposition: z.enum(dispositionNames).meta({ description: 'what it does' }),
    }),
    returns: 'null',
    cost: 1,
    invoke: ({ signal, disposition }, { grant, process }, { proc }) =>
      proc.action(grant, process, signal, disposition),
  }),
  'proc.sigmask': syscall({
    summary: 'Keeps these signals waiting until they are no longer in the mask.',
    args: z.strictObject({
      signals: z
        .array(signal)
        .max(agentSignals.length)
        .meta({ description: 'the whole mask, in place of the one before' }),
    }),
    params: ['signals'],
    returns: 'null',
    cost: 1,
    invoke: ({ signals }, { grant, process }, { proc }) => proc.mask(grant, process, signals),
  }),
  'proc.sigreturn': syscall({
    summary: 'Says that a handler has returned. The bootstrap sends it.',
    args: z.strictObject({ signal: z.int().positive().meta({ description: 'number of the signal' }) }),
    returns: 'null',
    cost: 0,
    check: ({ signal }, _drivers, process) => {
      if (!process.dispositions.handlerRuns(signalName(signal)))
        throw new SyscallError('EINVAL', 'no handler of that signal runs')
    },
    invoke: ({ signal }, { grant, process }, { proc }) => proc.handled(grant, process, signal),
  }),
  'proc.output': syscall({
    summary: 'Prints text. Agents use `console`.',
    args: z.strictObject({
      stream: z.enum(['stdout', 'stderr']).meta({ description: 'where to' }),
      text: z.string().meta({ description: 'what to print' }),
    }),
    returns: 'null',
    cost: 1,
    external: () => true,
    invoke: ({ stream, text }, { grant, process }, { proc }) => proc.output(grant, process, stream, text),
  }),
  'proc.exit': syscall({
    summary: 'Ends the process with a value or an error. Sent by the bootstrap when the program returns.',
    args: z.strictObject({
      value: json.optional().meta({ description: 'the value of the process' }),
      error: guestError.optional().meta({ description: 'why it failed, in place of a value' }),
    }),
    params: ['value'],
    returns: 'never',
    cost: 0,
    invoke: ({ value, error }, { grant, process }, { proc }) => {
      if (error === undefined) return proc.exit(grant, process, value, undefined)
      const { name, message, stack = '', code } = error
      return proc.exit(grant, process, undefined, {
        code: isErrno(code) ? code : 'EFAULT',
        message: `${name}: ${message}`,
        name,
        stack,
      })
    },
  }),
} as const
