/** The entries from which a kernel's state comes back, with the shape that each must have: a record may come from anybody. */
import { z } from 'zod'
import { errnos } from '../errors.ts'
import { labelFlaw } from '../labels.ts'
import { limits } from '../limits.ts'
import { isolations } from '../policy/types.ts'
import { signals } from '../proc/signals.ts'

const count = z.int().min(0)
const amount = z.number().min(0)
const payload = z.object({ hash: z.string(), bytes: count })
const labels = z.array(z.string().refine((label) => labelFlaw(label) === undefined)).max(limits.labelsMax)
const errno = z.enum(Object.keys(errnos) as [keyof typeof errnos, ...(keyof typeof errnos)[]])
const signal = z.enum(Object.keys(signals) as [keyof typeof signals, ...(keyof typeof signals)[]])
const syscall = z.string().max(limits.syscallNameMax)

export const pastEntries = {
  spawn: z.object({
    pid: count.min(1),
    ppid: count,
    agent: z.string().min(1).max(limits.agentNameMax),
    isolation: z.enum(isolations),
    labels,
    documents: payload,
    budget: z.object({
      ...{ syscalls: amount.optional(), wallMs: amount.optional(), cpuMs: amount.optional() },
      ...{ memoryBytes: amount.optional(), tokens: amount.optional(), costUsd: amount.optional() },
      ...{ depth: amount.optional(), bits: amount.optional() },
    }),
    extraction: z.literal(true).optional(),
    args: payload.optional(),
  }),
  turn: z.object({ turn: count, after: count, at: z.number(), replies: z.array(z.union([count, signal])) }),
  state: z.object({ to: z.string() }),
  signal: z.object({ signal, by: z.string() }),
  intent: z.object({
    call: count,
    syscall,
    resource: z.string(),
    args: payload,
    decision: z.object({
      effect: z.string(),
      rules: z.array(z.object({ id: z.string(), policy: z.string(), line: z.number() })).optional(),
    }),
  }),
  outcome: z.object({
    intent: count,
    status: z.enum(['committed', 'failed', 'aborted', 'unknown']),
    result: payload.optional(),
    labels: labels.optional(),
    released: labels.optional(),
    cost: z.object({ tokens: count, costUsd: amount.optional() }).optional(),
  }),
  charge: z.object({
    intent: count,
    cost: z.object({ tokens: count, costUsd: amount.optional() }),
  }),
  refusal: z.object({
    call: count,
    syscall,
    code: errno,
    reason: z.string(),
    resource: z.string().optional(),
    args: payload.optional(),
    decision: z.object({}).optional(),
  }),
  ask: z.object({ call: count, syscall, id: z.string(), args: payload, expires: z.number() }),
  declassify: z.object({
    by: z.string(),
    labels,
    value: payload,
    agent: z.string().optional(),
    path: z.string().optional(),
  }),
  exit: z.object({
    status: z.enum(['exited', 'killed', 'failed']),
    value: payload.optional(),
    error: z.object({ code: errno, message: z.string() }).optional(),
    signal: signal.optional(),
    reason: z.string().optional(),
    labels: labels.optional(),
    usage: z.object({ cpuMs: amount, syscalls: amount, tokens: amount, costUsd: amount }).optional(),
  }),
  host: z.object({ agent: z.string(), syscall, args: payload }),
} as const

export type PastKind = keyof typeof pastEntries
export type Past<Kind extends PastKind> = z.infer<(typeof pastEntries)[Kind]>
