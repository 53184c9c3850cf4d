/** Admission: everything that can refuse a call, in one fixed order, before anything is touched. */
import type { ZodError } from 'zod'
import { SyscallError } from '../errors.ts'
import { type Json, parseGuestJson } from '../json.ts'
import { limits } from '../limits.ts'
import type { Decision, Obligation } from '../policy/types.ts'
import type { Process } from '../proc/process.ts'
import { talliesOf } from '../proc/tallies.ts'
import type { Drivers, Syscall } from '../syscalls/row.ts'
import { findSyscall } from '../syscalls.ts'
import { type Answered, assertNotAround } from './around.ts'
import { contentOf } from './content.ts'
import { requestOf } from './question.ts'

/** A call that may be made. */
export interface Admitted {
  readonly row: Syscall
  readonly args: never
  /** What the policy judged; one empty text for a call that is not judged. */
  readonly resources: readonly string[]
  /** What permitted it, all questions together; undefined for a call that is not judged. */
  readonly decision: Decision | undefined
  /** Whether its intent has to be durable first. */
  readonly external: boolean
}

/** Why a call may not be made, and how far it came. */
export class Refusal extends Error {
  override readonly cause: SyscallError
  readonly resource: string | undefined
  readonly decision: Decision | undefined
  /** What had permitted it until then, all questions together: what that demands of the record counts still. */
  permitted: Decision | undefined
  constructor(cause: SyscallError, resource?: string, decision?: Decision) {
    super(cause.message)
    this.cause = cause
    this.resource = resource
    this.decision = decision
  }
}

/**
 * Admits one call: table, decode, policy, budget. The gate has looked at signals before.
 * @param name the syscall as the guest named it
 * @param text its arguments as the guest sent them
 * @throws Refusal with an errno
 */
export function admit(process: Process, drivers: Drivers, name: string, text: string): Admitted {
  let resource: string | undefined
  const answered: Answered[] = []
  try {
    const row = findSyscall(name)
    const args = decode(row, text)
    row.check?.(args, drivers, process)
    const judged = row.judge?.(args, drivers, process) ?? []
    resource = judged[0]?.resource
    const content = contentOf(name, args)
    for (const question of judged) {
      const request = requestOf(process, question, content)
      const decision = process.policy.decide(request)
      if (decision.effect !== 'permit')
        throw new Refusal(new SyscallError('EPERM', decision.reason), question.resource, decision)
      answered.push({ request, decision })
    }
    const decisions = answered.map(({ decision }) => decision)
    assertNotAround(name, args, answered, (request) => process.policy.decide(request))
    const external = row.external?.(args, drivers, process) ?? false
    const obligations = decisions.flatMap((decision) => decision.obligations ?? [])
    if (obligations.length > 0) assertFree(process, obligations, resource, merge(decisions))
    charge(process, row)
    if (obligations.length > 0) count(process, obligations)
    return {
      row,
      args,
      external,
      decision: merge(decisions),
      resources: judged.length === 0 ? [''] : [...new Set(judged.map((request) => request.resource))],
    }
  } catch (error) {
    const refusal = error instanceof SyscallError ? new Refusal(error, resource) : error
    if (refusal instanceof Refusal) refusal.permitted = merge(answered.map(({ decision }) => decision))
    throw refusal
  }
}

/** What permits once, or so often, has not been used up by the run. */
function assertFree(
  process: Process,
  obligations: readonly Obligation[],
  resource: string | undefined,
  decision: Decision | undefined,
): void {
  const { tallies, now } = talliesOf(process)
  try {
    tallies.assertFree(obligations, now)
  } catch (error) {
    if (error instanceof SyscallError) throw new Refusal(error, resource, decision)
    throw error
  }
}

/** Counted as soon as the call is admitted: what fails after that has been tried. */
function count(process: Process, obligations: readonly Obligation[]): void {
  const { tallies, now } = talliesOf(process)
  tallies.count(obligations, now)
}

/** A call that asks several questions is permitted by the rules that answered each. */
function merge([first, ...rest]: readonly Decision[]): Decision | undefined {
  if (first === undefined || rest.length === 0) return first
  const observed = [first, ...rest].find((each) => each.observed !== undefined)?.observed
  const rules = [first, ...rest].flatMap((each) => each.rules)
  const obligations = [first, ...rest].flatMap((each) => each.obligations ?? [])
  return {
    ...first,
    rules,
    ...(obligations.length > 0 && { obligations }),
    ...(observed !== undefined && { observed }),
  }
}

function decode(row: Syscall, text: string): never {
  const given: Json = parseGuestJson(text)
  const decoded = row.args.safeParse(given)
  if (decoded.success) return decoded.data
  throw new SyscallError('EINVAL', describe(decoded.error))
}

function describe(error: ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return 'the arguments are not sound'
  const path = ['args', ...issue.path.map(String)].join('.')
  const message = issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
  return `\`${path.slice(0, 200)}\`: ${message.slice(0, 400)}`
}

function charge(process: Process, row: Syscall): void {
  // What is free always passes: a process without budget can still end in order.
  if (row.cost === 0) return
  if (process.inFlight.size + process.turns.waiting >= limits.callsInFlightMax) {
    throw new SyscallError(
      'EAGAIN',
      `${limits.callsInFlightMax} calls are in flight already; await some first`,
    )
  }
  if (process.turns.waitingLength > limits.outboxMax)
    throw new SyscallError('EAGAIN', 'too many replies wait already; await some first')
  process.ledger.charge('syscalls', row.cost)
}
