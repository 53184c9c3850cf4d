/** One process looked at from outside: all that the kernel knows of it now, put together for a person. */
import type { Entry } from './evidence/entry.ts'
import type { Frozen } from './isolate/guest.ts'
import { limits } from './limits.ts'
import { authorsPlace, type Place } from './places.ts'
import type { Budget, Mode } from './policy/types.ts'
import type { SignalOverview } from './proc/dispositions.ts'
import type { ProcessState } from './proc/exit.ts'
import type { Arrival } from './proc/held.ts'
import type { Usage } from './proc/ledger.ts'
import { Process } from './proc/process.ts'
import { type ProcessRow, rowOf } from './proc/rows.ts'
import type { End, EndedProcess } from './proc/table.ts'
import type { System } from './system.ts'

/** One frame of agent code, in the author's own file. */
export interface InspectedFrame extends Place {
  /** The function's name; empty where it has none. */
  readonly function: string
}

export interface InspectedCall {
  /** The process's own number for the call. */
  readonly number: number
  readonly syscall: string
}

/** What `kernel.inspect` gives; JSON throughout. */
export interface Inspection {
  /** Its row of the process table: state, isolation, heap, CPU, labels, what is left of its budget. */
  readonly process: ProcessRow
  /** How it ended, where it has. */
  readonly end?: End
  /** The rest is there while it lives. */
  readonly live?: LiveInspection
}

export interface LiveInspection {
  readonly policy: { readonly names: readonly string[]; readonly hash: string; readonly mode: Mode }
  /** `paused`: in the middle of an instruction; `idle`: between turns; `system`: with its cell, by the operating system. */
  readonly frozen?: Frozen['how']
  /** Where it stands, the innermost frame first; empty where no agent code was running. */
  readonly stack: readonly InspectedFrame[]
  /** Frames further out that are not shown. */
  readonly framesMore: number
  /** Why there is no stack, where there is none. */
  readonly stackMissing?: string
  readonly inFlight: readonly (InspectedCall & {
    readonly resource: string
    readonly ms: number
    /** The request for approval that it waits with. */
    readonly approval?: string
  })[]
  /** How many calls wait for SIGCONT, and the first of them. */
  readonly held: { readonly count: number; readonly calls: readonly InspectedCall[] }
  /** Replies that wait for the next turn, or for SIGCONT. */
  readonly repliesWaiting: number
  readonly signals: SignalOverview
  readonly budget: { readonly limits: Budget; readonly used: Usage }
  readonly children: readonly { readonly pid: number; readonly name: string; readonly state: ProcessState }[]
  /** The last of what is on record about it, oldest first. */
  readonly entries: readonly Entry[]
}

export type InspectParts = Pick<System, 'table' | 'gate' | 'log' | 'spawner'>

/**
 * @param who a pid or a name; a process that ended lately can be looked at too
 * @throws SyscallError ESRCH where there is no such process, EINVAL for a name that fits several
 */
export function inspect(parts: InspectParts, who: number | string): Inspection {
  const found: Process | EndedProcess = parts.table.look(who)
  if (!(found instanceof Process)) return { process: found.row, end: found.end }
  const end = parts.table.endOf(found.pid)?.end
  return { process: rowOf(found), ...(end === undefined ? { live: lookAt(parts, found) } : { end }) }
}

function lookAt({ gate, log, spawner }: InspectParts, process: Process): LiveInspection {
  const { policy, ledger, frozen } = process
  const held = gate.heldOf(process)
  const missing = stackMissing(process)
  return {
    policy: { names: policy.policies.map(({ name }) => name), hash: policy.hash, mode: policy.mode },
    ...(frozen !== undefined && { frozen: frozen.how }),
    stack: framesOf(frozen, spawner.programOf(process)),
    framesMore: Math.max(0, (frozen?.depth ?? 0) - limits.framesShownMax),
    ...(missing !== undefined && { stackMissing: missing }),
    inFlight: flightsOf(process),
    held: { count: held.length, calls: held.slice(0, limits.callsShownMax).map(callOf) },
    repliesWaiting: process.turns.waiting,
    signals: process.dispositions.overview(),
    budget: { limits: ledger.budget, used: ledger.used },
    children: [...process.children].map(({ pid, name, state }) => ({ pid, name, state })),
    entries: log
      .recent(process.identity.run, process.pid)
      .map((line) => JSON.parse(line))
      // As many as calls, and they say nothing that calls do not.
      .filter(({ kind }) => kind !== 'turn')
      .slice(-limits.entriesShownMax),
  }
}

function framesOf(
  frozen: Frozen | undefined,
  program: Parameters<typeof authorsPlace>[0] | undefined,
): readonly InspectedFrame[] {
  const frames = frozen?.stack.slice(0, limits.framesShownMax) ?? []
  return frames.map(({ name, line, column }) => ({
    function: shown(name),
    ...(program === undefined ? { file: '', line, column } : authorsPlace(program, line, column)),
  }))
}

function stackMissing({ pid, state, frozen, identity }: Process): string | undefined {
  if (identity.isolation === 'host')
    return 'it is a function of the application itself, in which the kernel sees no stack'
  if (frozen === undefined) {
    if (state === 'stopping') return 'it is stopping, and still has to stand still'
    if (state === 'stopped') return 'nobody could look where it stands'
    return `it is ${state}; only what stands still has a stack: \`gatehouse kill -s STOP ${pid}\` first`
  }
  if (frozen.stack.length > 0) return undefined
  if (frozen.how === 'idle') return 'no agent code was running: it waits for a reply, a timer or a signal'
  if (frozen.how === 'paused')
    return 'none of its own code is on the stack: it stands where its turn begins or ends'
  return 'the operating system stopped it with its whole cell, and nobody can look inside'
}

function flightsOf(process: Process): LiveInspection['inFlight'] {
  const { wallMs } = process.usage
  return [...process.inFlight]
    .flatMap(({ call, approval }) => (call === undefined ? [] : [{ ...call, approval }]))
    .slice(0, limits.callsShownMax)
    .map(({ number, syscall, resource, beganMs, approval }) => ({
      number,
      syscall,
      resource: shown(resource),
      ms: Math.max(0, wallMs - beganMs),
      ...(approval !== undefined && { approval }),
    }))
}

/** What it asked for has not been looked at by anyone yet. */
const callOf = ({ number, name }: Arrival): InspectedCall => ({ number, syscall: shown(name) })

const shown = (text: string): string => text.slice(0, limits.resourceShownMax).toWellFormed()
