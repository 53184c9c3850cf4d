/** The second argument of whatever LangChain runs. */
import type { RunnableConfig } from '@langchain/core/runnables'

/** @returns the same configuration, which ends with the signal too */
export function withSignal<Config extends object = RunnableConfig>(
  config: Config | undefined,
  signal: AbortSignal,
): Config & { signal: AbortSignal } {
  const own = (config as { signal?: unknown } | undefined)?.signal
  const both = own instanceof AbortSignal ? AbortSignal.any([own, signal]) : signal
  return { ...(config as Config), signal: both }
}
