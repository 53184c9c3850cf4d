/** What people and hooks answer, read before it counts for anything. */
import { z } from 'zod'
import { byApplication } from '../actors.ts'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ApproveOptions } from './request.ts'

const hookAnswer = z.union([
  z.undefined(),
  z.enum(['approve', 'deny']).transform((answer) => ({ answer })),
  z.strictObject({
    answer: z.literal('approve'),
    by: z.string().optional(),
    reason: z.string().optional(),
    args: z.unknown().optional(),
  }),
  z.strictObject({ answer: z.literal('deny'), by: z.string().optional(), reason: z.string().optional() }),
])

/** @throws KernelError EINVAL for what is no answer */
export function readHookAnswer(
  said: unknown,
): ({ readonly answer: 'approve' | 'deny' } & ApproveOptions) | undefined {
  const read = hookAnswer.safeParse(said)
  if (read.success) return read.data as ReturnType<typeof readHookAnswer>
  throw new KernelError(
    'EINVAL',
    "what `approvals.ask` gives is 'approve', 'deny', { answer, by, reason } or nothing",
  )
}

/** @throws KernelError EINVAL */
export const readBy = (by: unknown): string => readText('by', by, limits.approvalByMax) ?? byApplication

/** @throws KernelError EINVAL */
export const readReason = (reason: unknown): string | undefined =>
  readText('reason', reason, limits.approvalReasonMax)

function readText(name: string, given: unknown, lengthMax: number): string | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'string' && given !== '' && given.length <= lengthMax && given.isWellFormed())
    return given
  throw new KernelError('EINVAL', `\`${name}\` is a text of 1 to ${lengthMax} characters`)
}
