/**
 * A snapshot: what a fold over the record up to an entry gives, but for processes that live, as a text beside the log. It
 * holds no content: files and messages name the payloads on record of which they are made.
 */
import { z } from 'zod'
import { imageSchema } from '../drivers/vfs/image.ts'
import { labelFlaw } from '../labels.ts'
import { limits } from '../limits.ts'
import type { EndedProcess } from '../proc/table.ts'

const count = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const name = z.string().min(1).max(limits.agentNameMax)
const labels = z.array(z.string().refine((label) => labelFlaw(label) === undefined))

const headSchema = z.strictObject({
  v: z.literal(1),
  /** The entry after which files, mailboxes and the table were as they stand here; homes say so for themselves. */
  seq: count,
  /** The first entry that still has to be read: where the record of the oldest run begins that goes on. */
  from: count,
  /** Hash of the kernel's policies before that entry. */
  policies: hash,
  lastPid: count,
  /** What processes that ended carried, all together. */
  labels,
  ended: z.array(z.custom<EndedProcess>((value) => typeof value === 'object' && value !== null)),
  /** What makes up the state, as `Segment` says. */
  segments: z.array(
    z.strictObject({
      ...{ from: count, to: count, isForked: z.boolean() },
      names: z.array(z.tuple([z.string(), z.string()])),
    }),
  ),
  /** What waits in mailboxes, each the oldest first. */
  mailboxes: z.array(
    z.tuple([name, z.array(z.strictObject({ from: name, pid: count, labels, payload: hash }))]),
  ),
})
export type SnapshotHead = z.infer<typeof headSchema>

const homeSchema = z.strictObject({
  agent: name,
  /** The entry after which its files were as they stand here. */
  seq: count,
  memory: imageSchema,
  episodic: imageSchema,
  state: imageSchema,
})
export type HomeImage = z.infer<typeof homeSchema>

export interface Snapshot {
  readonly head: SnapshotHead
  readonly homes: readonly HomeImage[]
}

/** One line: the head, or one agent's files. */
export const lineOf = (part: SnapshotHead | HomeImage): string => `${JSON.stringify(part)}\n`

/** @returns undefined for a text that is none */
export function readSnapshot(text: string): Snapshot | undefined {
  try {
    const [first = '', ...rest] = text.trimEnd().split('\n')
    return {
      head: headSchema.parse(JSON.parse(first)),
      homes: rest.map((line) => homeSchema.parse(JSON.parse(line))),
    }
  } catch {
    return undefined
  }
}
