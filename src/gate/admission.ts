/** Admission: everything that can refuse a call, in one fixed order, before anything is touched. */
import { SyscallError } from '../errors.ts'
import { readPlainly } from '../flaws.ts'
import { parseGuestJson } from '../json.ts'
import { limits } from '../limits.ts'
import type { Content } from '../policy/content.ts'
import type { Decision, Obligation, Request } from '../policy/types.ts'
import { Meter } from '../proc/meter.ts'
import type { Process } from '../proc/process.ts'
import { isLimit } from '../proc/tallies.ts'
import type { Drivers, Judged, OpenStream, Syscall } from '../syscalls/row.ts'
import { findSyscall } from '../syscalls.ts'
import { type Answered, assertNotAround } from './around.ts'
import { contentOf } from './content.ts'
import { mergeDecisions } from './merge.ts'
import { askPolicy } from './question.ts'
import type { Runs } from './runs.ts'
import { sentOf } from './seen.ts'
import { Fallen, standingOf, type Used } from './standing.ts'

/** What calls are decoded, judged and counted with. */
export interface AdmissionMeans {
  readonly drivers: Drivers
  readonly runs: Runs
}

/** A call that may be made. */
export interface Admitted {
  readonly row: Syscall
  readonly args: never
  /** What the policy judged; one empty text for a call that is not judged. */
  readonly resources: readonly string[]
  /** What permitted it, all questions together; undefined for a call that is not judged. */
  readonly decision: Decision | undefined
  /** What it was asked. */
  readonly judged: readonly Judged[]
  /** The open stream that it is about, and what permits that: its demands on the record hold for this call too. */
  readonly stream?: OpenStream
  readonly under?: Decision | undefined
  /** Whether its intent has to be durable first. */
  readonly external: boolean
  /** Tokens and money that are set aside for it. */
  readonly meter?: Meter
  /** Where it waited for a person: the `seq` of the entry that asked. */
  readonly ask?: number
  /** Whether what it was approved to change is still so; looked at once more before an effect that had to wait. */
  readonly unchanged?: () => Promise<boolean>
}

/** A call that a person has to approve; nothing is counted or charged yet. */
export interface Asks extends Admitted {
  readonly asks: true
  readonly decision: Decision
  /** What the policy was asked. */
  readonly requests: readonly Request[]
}

/** Why a call may not be made, and how far it came. */
export class Refusal extends Error {
  override readonly cause: SyscallError
  readonly resource: string | undefined
  readonly decision: Decision | undefined
  /** Where it waited for a person: the `seq` of the last entry that asked. */
  readonly ask: number | undefined
  /** What had permitted it, or asked about it, until then: what that demands of the record counts still. */
  permitted: readonly (Decision | undefined)[] = []
  constructor(cause: SyscallError, resource?: string, decision?: Decision, ask?: number) {
    super(cause.message)
    this.cause = cause
    this.resource = resource
    this.decision = decision
    this.ask = ask
  }
}

/**
 * Admits one call: table, decode, policy, approval, budget. The gate has looked at signals before.
 * @param name the syscall as the guest named it
 * @param text its arguments as the guest sent them
 * @param isApproved where the policy asks for a person: whether one has approved this; it counts for this admission alone
 * @throws Refusal with an errno
 */
export function admit(
  process: Process,
  means: AdmissionMeans,
  name: string,
  text: string,
  isApproved: (asks: Asks) => boolean = () => false,
): Admitted | Asks {
  const { obligations, requests, ...admitted } = judgeCall(process, means, name, text)
  const { row, args, external, decision, judged } = admitted
  const { runs } = means
  const resource = requests[0]?.resource
  try {
    if (obligations.length > 0) assertFree(runs.talliesOf(process), obligations, resource, decision)
    if (decision?.effect === 'ask') {
      const asks: Asks = { ...admitted, decision, requests, asks: true }
      if (!isApproved(asks)) {
        assertRoom(process, row)
        return asks
      }
    }
    const most = row.reserves?.(args, means.drivers, process)
    if (most !== undefined) assertRoom(process, row)
    const meter = most === undefined ? undefined : Meter.open(process, most)
    charge(process, row, row.bits?.(args, means.drivers) ?? 0)
    if (obligations.length > 0) count(runs.talliesOf(process), obligations)
    // The last step: only what is really admitted has been done.
    const isPiece = external && admitted.stream !== undefined
    // Of what is sent in pieces a value may lie across two.
    if (isPiece) runs.missed(process)
    runs.admitted(process, judged, isPiece ? undefined : sentOf(args, external))
    return meter === undefined ? admitted : { ...admitted, meter }
  } catch (error) {
    const refusal = refusalOf(error, resource)
    if (refusal instanceof Refusal) refusal.permitted = [decision]
    throw refusal
  }
}

/**
 * For a call that was on its way when its kernel ended: whether it is made again, a person says, whatever the policy lets
 * pass without one.
 * @throws Refusal for what the policy forbids, or what is not judged
 */
export function askAgain(process: Process, means: AdmissionMeans, name: string, text: string): Asks {
  const { obligations: _, ...admitted } = judgeCall(process, means, name, text)
  const reason = 'it was on its way when the kernel ended, and whether it was done is not known'
  if (admitted.decision === undefined) throw new Refusal(new SyscallError('EIO', reason))
  const decision: Decision = { ...admitted.decision, effect: 'ask', reason }
  return { ...admitted, decision, asks: true }
}

/** What the gate knows of a call when the policy has been asked. */
interface JudgedCall extends Admitted {
  readonly requests: readonly Request[]
  /** Of all that permits it, or asks. */
  readonly obligations: readonly Obligation[]
}

/**
 * The part of admission that counts and charges nothing: table, decode, policy.
 * @throws Refusal for what no policy can let pass, and what one forbids
 */
export function judgeCall(
  process: Process,
  { drivers, runs }: AdmissionMeans,
  name: string,
  text: string,
): JudgedCall {
  let resource: string | undefined
  let stream: OpenStream | undefined
  const answered: Answered[] = []
  try {
    const row = findSyscall(name)
    const args = decode(row, text)
    stream = row.stream?.(args, drivers, process)
    row.check?.(args, drivers, process)
    const content = contentOf(name, args)
    const under = stream && standingOf(process, runs, stream, usedBy(row, args, stream, content))
    const judged = row.judge?.(args, drivers, process) ?? []
    resource = judged[0]?.resource
    const answers = askPolicy(process, runs, judged, content)
    answered.push(...answers.answered)
    if (answers.forbidden !== undefined) {
      const { request, decision } = answers.forbidden
      throw new Refusal(new SyscallError('EPERM', decision.reason), request.resource, decision)
    }
    const decisions = answered.map(({ decision }) => decision)
    assertNotAround(name, args, answered, (request) => process.policy.decide(request))
    return {
      ...{ row, args, judged, requests: answered.map(({ request }) => request) },
      external: row.external?.(args, drivers, process) ?? false,
      decision: mergeDecisions(decisions),
      ...(stream !== undefined && { stream, under }),
      obligations: decisions.flatMap((decision) => decision.obligations ?? []).filter(isLimit),
      resources: judged.length === 0 ? [''] : [...new Set(judged.map((each) => each.resource))],
    }
  } catch (error) {
    if (error instanceof Fallen && error.isFinal && stream !== undefined)
      drivers.streams.cut(process, stream.number)
    const refusal = refusalOf(error, resource)
    if (refusal instanceof Refusal)
      refusal.permitted = [...answered.map(({ decision }) => decision), stream?.terms.decision]
    throw refusal
  }
}

const usedBy = (row: Syscall, args: never, { terms }: OpenStream, content: Content): Used => ({
  ...{ use: row.uses ?? 'read', content },
  judged: row.asksAgain?.(args, terms.judged) ?? terms.judged,
})

/** @returns what the gate refuses with; what the kernel did wrong stays what it is */
function refusalOf(error: unknown, resource: string | undefined): unknown {
  if (error instanceof Fallen) return new Refusal(error.cause, error.resource, error.decision)
  return error instanceof SyscallError ? new Refusal(error, resource) : error
}

/** What permits once, or so often, has not been used up by the run. */
function assertFree(
  { tallies, now }: ReturnType<Runs['talliesOf']>,
  obligations: readonly Obligation[],
  resource: string | undefined,
  decision: Decision | undefined,
): void {
  try {
    tallies.assertFree(obligations, now)
  } catch (error) {
    if (error instanceof SyscallError) throw new Refusal(error, resource, decision)
    throw error
  }
}

/** Counted as soon as the call is admitted: what fails after that has been tried. */
function count({ tallies, now }: ReturnType<Runs['talliesOf']>, obligations: readonly Obligation[]): void {
  tallies.count(obligations, now)
}

function decode(row: Syscall, text: string): never {
  const decoded = readPlainly(row.args, parseGuestJson(text))
  if ('data' in decoded) return decoded.data
  const [{ path, message }] = decoded.flaws
  throw new SyscallError(
    'EINVAL',
    `\`${['args', ...path].join('.').slice(0, 200)}\`: ${message.slice(0, 400)}`,
  )
}

/** What is free always passes: a process without budget can still end in order. */
function charge(process: Process, row: Syscall, bits: number): void {
  if (row.cost === 0) return
  assertRoom(process, row)
  if (bits > 0) process.ledger.charge('bits', bits)
  process.ledger.charge('syscalls', row.cost)
}

function assertRoom(process: Process, row: Syscall): void {
  if (process.inFlight.size + process.turns.waiting >= limits.callsInFlightMax) {
    throw new SyscallError(
      'EAGAIN',
      `${limits.callsInFlightMax} calls are in flight already; await some first`,
    )
  }
  if (process.turns.waitingLength > limits.outboxMax)
    throw new SyscallError('EAGAIN', 'too many replies wait already; await some first')
  process.ledger.assertLeft('syscalls', row.cost)
}
