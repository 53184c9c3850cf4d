/** The entries that a replay reads, with the shape that each must have: a record may come from anybody. */
import { z } from 'zod'
import { errnos } from '../errors.ts'
import { signals } from '../proc/signals.ts'

const count = z.int().min(0)
const payload = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), bytes: count })
const errno = z.enum(Object.keys(errnos) as [keyof typeof errnos, ...(keyof typeof errnos)[]])
const signal = z.enum(Object.keys(signals) as [keyof typeof signals, ...(keyof typeof signals)[]])

const spawn = z.object({
  ppid: count,
  agent: z.string(),
  isolation: z.enum(['cell', 'inline', 'host']),
  labels: z.array(z.string()),
  policy: z.string(),
  budget: z.object({ memoryBytes: count.optional() }),
  cell: z.string().optional(),
  extraction: z.literal(true).optional(),
  args: payload.optional(),
  program: payload.optional(),
  filename: z.string().optional(),
  map: payload.optional(),
  boot: payload.optional(),
})

const turn = z.object({
  turn: z.int().min(2),
  at: z.number(),
  after: count,
  replies: z.array(z.union([count, signal])),
})

/** What an intent, a request and a refusal say of the call. */
const call = {
  call: count,
  syscall: z.string(),
  resource: z.string().optional(),
  args: payload,
  ask: count.optional(),
  again: count.optional(),
}

const state = z.object({ from: z.string() })

const outcome = z.object({
  intent: count,
  status: z.enum(['committed', 'failed', 'aborted', 'unknown']),
  code: errno.optional(),
  reason: z.string().optional(),
  result: payload.optional(),
})

const exit = z.object({
  status: z.enum(['exited', 'killed', 'failed']),
  value: payload.optional(),
  error: z.object({ code: errno, message: z.string() }).optional(),
  signal: signal.optional(),
  reason: z.string().optional(),
})

export const recordedEntries = {
  spawn,
  turn,
  intent: z.object(call),
  ask: z.object(call),
  refusal: z.object({ ...call, code: errno, reason: z.string() }),
  outcome,
  state,
  exit,
} as const

export type RecordedKind = keyof typeof recordedEntries
export type Recorded<Kind extends RecordedKind> = z.infer<(typeof recordedEntries)[Kind]>

export const isRecordedKind = (kind: string): kind is RecordedKind => Object.hasOwn(recordedEntries, kind)
