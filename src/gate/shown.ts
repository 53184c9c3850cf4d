/** What comes back, as the guest, the record and observers see it: without what rules take out of it. */
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Admitted } from './admission.ts'
import { type Outcome, outcomeOf } from './answers.ts'
import { redactedKinds, redactMessage, redactResult } from './content.ts'
import { partOf } from './partial.ts'

/**
 * @param name the syscall
 * @param result of its driver, where there is one
 * @param error that the driver threw, where it did
 */
export function shownOf(
  name: string,
  { args, decision }: Admitted,
  result: Json | undefined,
  error: unknown,
): Outcome {
  const kinds = redactedKinds(decision)
  if (kinds.length === 0) return outcomeOf(result, error)
  if (error !== undefined) {
    const { text, cause } = outcomeOf(result, error)
    if (cause === undefined) return { text }
    return { text, cause: new SyscallError(cause.code, redactMessage(cause.message, kinds), cause.sent) }
  }
  // It was taken out as the part was cut.
  if (partOf(name, args) !== undefined) return outcomeOf(result, undefined)
  try {
    return outcomeOf(redactResult(name, result ?? null, kinds), undefined)
  } catch (failure) {
    return outcomeOf(undefined, failure)
  }
}
