/** A call of a model is tried again where that is safe: before any byte of an answer, and where the server says that it did nothing. */
import { DelegateBackoff, handleWhen, retry } from 'cockatiel'
import { limits } from '../../limits.ts'
import type { Failure } from './failures.ts'

export interface AttemptOptions {
  /** How often at most, after the first time. */
  readonly retries: number
  readonly signal: AbortSignal
  readonly read: (thrown: unknown) => Failure
}

/**
 * @param work is called once for each attempt, with its number from 0
 * @returns what the first attempt gives that does not fail
 * @throws what the last one threw
 */
export function attempt<T>(
  work: (attempt: number) => Promise<T>,
  { retries, signal, read }: AttemptOptions,
): Promise<T> {
  const policy = retry(
    handleWhen((error) => !signal.aborted && read(error).isRetryable),
    {
      maxAttempts: retries,
      backoff: new DelegateBackoff(({ attempt: count, result }) =>
        waitMs(count, 'error' in result ? read(result.error) : undefined),
      ),
    },
  )
  // Whoever is ended meanwhile does not wait for it, and neither does the application's own end.
  return policy.dangerouslyUnref().execute(({ attempt: count }) => {
    signal.throwIfAborted()
    return work(count)
  }, signal)
}

/** As long as the server says, or twice as long each time. */
function waitMs(count: number, failure: Failure | undefined): number {
  const own = limits.llmBackoffMs * 2 ** (count - 1)
  return Math.min(limits.llmBackoffMsMax, failure?.afterMs ?? own)
}
