/** Whether what permitted the call that opened a stream holds still, when it is read or written. */
import { SyscallError } from '../errors.ts'
import { joinLabels, withoutLabels } from '../labels.ts'
import type { Content } from '../policy/content.ts'
import { labelsGiven } from '../policy/obligations.ts'
import type { Decision } from '../policy/types.ts'
import type { Process } from '../proc/process.ts'
import type { Judged, OpenStream, StreamUse } from '../syscalls/row.ts'
import { redactedKinds } from './content.ts'
import { mergeDecisions } from './merge.ts'
import { askPolicy } from './question.ts'
import type { Runs } from './runs.ts'

/** Why a stream cannot be used as it was opened, with what says so. */
export class Fallen extends Error {
  override readonly cause: SyscallError
  readonly resource: string
  readonly decision: Decision
  /** Whether it is of no use any more: what is not written to a pipe is one value, and to a request it is a hole in it. */
  readonly isFinal: boolean

  constructor({ ends, isExternal }: OpenStream, why: string, resource: string, decision: Decision) {
    super(why)
    this.isFinal = ends.source !== undefined || isExternal
    this.cause = new SyscallError('EPERM', why)
    this.resource = resource
    this.decision = decision
  }
}

/** How a stream is used. */
export interface Used {
  readonly use: StreamUse
  /** What its opening was asked about, as it is asked about this call. */
  readonly judged: readonly Judged[]
  /** What is written. */
  readonly content: Content
}

/**
 * What is read is asked about again only where another policy is in force; what is written each time, since the process
 * may carry more by now, and rules may look at it.
 * @returns what the call is permitted by, whose demands on the record hold for it too; undefined where nothing judged it
 * @throws Fallen where it is not permitted any more
 */
export function standingOf(
  process: Process,
  runs: Runs,
  stream: OpenStream,
  { use, judged, content }: Used,
): Decision | undefined {
  const { terms } = stream
  const isSame = process.policy === terms.policy
  if (judged.length === 0 || (use === 'read' && isSame)) return terms.decision
  const { answered, forbidden } = askPolicy(process, runs, judged, content)
  if (forbidden !== undefined)
    throw new Fallen(stream, forbidden.decision.reason, forbidden.request.resource, forbidden.decision)
  const decision = mergeDecisions(answered.map((each) => each.decision))
  const [first] = judged
  if (decision === undefined || first === undefined) return terms.decision
  const carriedMore = withoutLabels(process.labels, joinLabels(terms.carried, terms.labels)).length > 0
  const why = whyNot(stream, decision, isSame && !carriedMore)
  if (why !== undefined) throw new Fallen(stream, why, first.resource, decision)
  if (!isSame) {
    const labels = joinLabels(terms.labels, labelsGiven(decision.obligations ?? []))
    stream.terms = { ...terms, policy: process.policy, decision, labels }
  }
  return decision
}

/** @param isSame whether it is asked under the same policy, of a process that carries the same */
function whyNot({ terms, ends }: OpenStream, decision: Decision, isSame: boolean): string | undefined {
  // A person approved the opening, and so what these rules ask about.
  const approved = terms.decision?.effect === 'ask' ? terms.decision.rules : []
  const isApproved =
    isSame &&
    decision.rules.every(({ policy, id }) => approved.some((it) => it.policy === policy && it.id === id))
  if (decision.effect === 'ask' && !isApproved)
    return `${decision.reason}; an open stream cannot ask: close it, and make a call with all of it`
  if (ends.source !== undefined && redactedKinds(decision).length > 0)
    return 'the policy in force takes data out of what comes back, which is not done piece by piece; open it anew'
  return undefined
}
