/** An answer without secrets: status text, headers and body, before anybody else sees it. */
import { SyscallError } from '../../../errors.ts'
import { type Hold, isUnpacked } from '../body.ts'
import { type Answer, headerOf } from '../exchange.ts'
import type { KnownValue, Redactor } from './redactor.ts'

/** An answer and the type of its body, as the server names it. */
export interface CleanAnswer extends Answer {
  readonly type: string | undefined
}

/**
 * @param used the values that the request had in it
 * @param redactor of all values that are known; undefined where there are none
 * @throws SyscallError EIO for a body that cannot be searched, though the request had secrets in it; whatever `hold` throws
 */
export async function cleanAnswer(
  answer: Answer,
  used: readonly KnownValue[],
  redactor: Redactor | undefined,
  hold: Hold,
): Promise<CleanAnswer> {
  const type = headerOf(answer, 'content-type')
  if (redactor === undefined) return { ...answer, type }
  const { bytes } = answer
  if (used.length > 0 && bytes.length > 0) assertSearchable(answer)
  // The text with its escapes undone, at each level.
  hold(bytes.length * 2)
  return {
    ...answer,
    ...cleanHead(answer, redactor),
    bytes: await redactor.body(bytes),
    type,
  }
}

/** @throws SyscallError EIO for a body that cannot be searched */
export function assertSearchable(answer: Pick<Answer, 'headers'>): void {
  if (isUnpacked(headerOf(answer, 'content-encoding'))) return
  throw new SyscallError(
    'EIO',
    'the answer is packed in a way that the kernel did not ask for, and so cannot be searched for the secret that was sent',
  )
}

/** @returns the same without secrets */
export function cleanHead<Head extends Pick<Answer, 'headers' | 'statusText'>>(
  head: Head,
  redactor: Redactor,
): Head {
  const { statusText, headers } = head
  return {
    ...head,
    statusText: redactor.text(statusText),
    headers: headers.map(([name, value]) => [redactor.text(name), redactor.text(value)] as const),
  }
}
