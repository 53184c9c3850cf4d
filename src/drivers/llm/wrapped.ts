/** Models of wrapped objects: the application asks them itself, once that is permitted, and the kernel meters. */
import type { Json } from '../../json.ts'
import type { ModelContext } from './model.ts'

export interface ModelRunContext extends ModelContext {
  /** Whether a rule looks through the reply: then nothing of it may be given away before it is whole. */
  readonly isLookedThrough: boolean
  /** So many bytes of the reply have come, all counted since the last time. */
  readonly received: (bytes: number) => void
}

/** Tokens as their provider counts them. */
export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens?: number | undefined
}

/** Asks a wrapped model once. */
export type ModelRun = (
  context: ModelRunContext,
) => Promise<{ readonly value: Json; readonly usage: ModelUsage | undefined }>
