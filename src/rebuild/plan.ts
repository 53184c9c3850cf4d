/** Where a kernel goes on: worked out, and checked, before it writes anything. */

import type { ForkOptions, ResumeOptions, Unsettled } from '../config/rebuild.ts'
import { KernelError } from '../errors.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { EvidenceError } from '../evidence/store.ts'
import { type Start, startOf } from './start.ts'
import { type Survey, surveyOf, type Unended } from './survey.ts'

export interface Plan {
  readonly survey: Survey
  readonly start: Start | undefined
  readonly fork: (ForkOptions & { readonly as: string }) | undefined
  readonly unsettled: Unsettled
  /** For the first entry. */
  readonly from: { readonly seq: number; readonly run?: string; readonly as?: string }
}

/**
 * @param as what a forked run is called
 * @returns undefined where nothing is there that could go on
 * @throws EvidenceError where the record is not whole; KernelError ENOENT for a run that had not begun, or had ended, there
 */
export function planOf(
  log: EvidenceLog,
  { resume, fork }: { readonly resume?: boolean | ResumeOptions; readonly fork?: ForkOptions },
  as: () => string,
): Plan | undefined {
  if (fork === undefined && (resume === undefined || resume === false)) return undefined
  const end = log.head().entries - 1
  if (end < 0) return fork === undefined ? undefined : notThere(fork)
  const until = Math.min(fork?.seq ?? end, end)
  const start = startOf(log, until, Object.keys(fork?.replies ?? {}).map(Number))
  if (start === undefined) assertWhole(log)
  const entries = (from: number) => log.entries(from === 0 ? {} : { from })
  if (fork === undefined) {
    const survey = surveyOf(entries, until, start)
    const { unsettled = 'fail' } = typeof resume === 'object' ? resume : {}
    if (!survey.unended.some(goesOn)) return undefined
    return { survey, start, fork: undefined, unsettled, from: { seq: end } }
  }
  const named = { run: fork.run, as: as() }
  const survey = surveyOf(entries, until, start, named)
  if (!survey.unended.some(goesOn)) return notThere(fork)
  const { seq } = survey
  return {
    ...{ survey, start },
    fork: { ...fork, as: named.as },
    unsettled: fork.unsettled ?? 'fail',
    from: { seq, ...named },
  }
}

/** Code of the application is not on record. */
export const goesOn = ({ isolation }: Pick<Unended, 'isolation'>): boolean => isolation !== 'host'

function notThere({ run, seq }: ForkOptions): never {
  throw new KernelError('ENOENT', `no process of run \`${run}\` that could go on lives at entry ${seq}`)
}

/** What somebody changed is no past to go on from. */
function assertWhole(log: EvidenceLog): void {
  const { ok, problems } = log.verify()
  const [first] = problems
  if (ok || first === undefined) return
  const where = first.entry === null ? 'a payload' : `entry ${first.entry}`
  throw new EvidenceError('EIO', `nothing goes on from evidence that is not whole: ${where}: ${first.detail}`)
}
