/** What a case, or a question to a policy from outside of any run, says has been seen and done before. */
import type { Json } from '../json.ts'
import { historyOf } from './deeds.ts'
import type { Deed, HistoryQuery } from './history.ts'
import { type Origin, Origins } from './origin.ts'
import type { Request } from './types.ts'

/** Where something was done: by the process or below it, elsewhere in its run, or in another run. */
export const deedPlaces = ['process', 'run', 'other'] as const

export interface CaseDeed extends Omit<Deed, 'at'> {
  readonly in: (typeof deedPlaces)[number]
  /** How long ago, in ms. */
  readonly ago: number
  readonly times: number
}

/** Values by the place where they have been seen. */
export type CaseOrigins = Readonly<Partial<Record<Exclude<Origin, 'unknown'>, readonly Json[]>>>

/** @returns what answers conditions; nothing else has been seen, and nothing else done */
export function pastOf(
  principal: string,
  origins: CaseOrigins,
  deeds: readonly CaseDeed[],
): Required<Pick<Request, 'origin' | 'history'>> {
  const seen = new Origins()
  seen.task(origins.task ?? [])
  for (const value of origins.trusted ?? []) seen.received(value, [])
  for (const value of origins.untrusted ?? []) seen.received(value, ['untrusted'])
  const done = deeds.flatMap((deed) => Array.from({ length: deed.times }, () => ({ ...deed, at: -deed.ago })))
  return {
    origin: (value, pay) => seen.of(value, pay),
    history: historyOf((query) => done.filter((deed) => isOf(query, deed, principal)), 0),
  }
}

function isOf({ scope }: HistoryQuery, deed: CaseDeed, principal: string): boolean {
  if (scope === 'everyone') return true
  if (scope === 'agent') return deed.agent === principal
  return scope === 'run' ? deed.in !== 'other' : deed.in === 'process'
}
