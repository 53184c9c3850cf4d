/** What one row of the syscall table says. Stubs, types, documentation and the gate all read it. */
import { z } from 'zod'
import type { Chance } from '../clock.ts'
import type { ClockDriver } from '../drivers/clock.ts'
import type { IpcDriver } from '../drivers/ipc.ts'
import type { LlmDriver } from '../drivers/llm/driver.ts'
import type { StreamEnd } from '../drivers/llm/stream.ts'
import type { NetDriver } from '../drivers/net/driver.ts'
import type { PipeDriver } from '../drivers/pipes.ts'
import type { ProcDriver } from '../drivers/proc.ts'
import type { StreamDriver } from '../drivers/streams/driver.ts'
import type { OpenStream, Terms } from '../drivers/streams/stream.ts'
import type { ToolDriver } from '../drivers/tool.ts'
import type { VfsDriver } from '../drivers/vfs/driver.ts'
import type { Tree } from '../drivers/vfs/tree.ts'
import type { Grant } from '../grant.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Labels } from '../labels.ts'
import type { Action, ArgumentsOfAction } from '../policy/actions.ts'
import type { Isolation } from '../policy/types.ts'
import type { Amounts, Meter } from '../proc/meter.ts'
import type { Process } from '../proc/process.ts'
import type { ProcessTable } from '../proc/table.ts'

/** Everything that can touch the outside; each method demands a grant. */
export interface Drivers {
  readonly vfs: VfsDriver
  readonly net: NetDriver
  readonly tool: ToolDriver
  readonly llm: LlmDriver
  readonly ipc: IpcDriver
  readonly proc: ProcDriver
  readonly clock: ClockDriver
  readonly streams: StreamDriver
  readonly pipes: PipeDriver
  readonly chance: Chance
  readonly table: ProcessTable
  /** The files of one process. */
  readonly treeOf: (process: Process) => Tree
}

/** One question to the policy about one action, with the arguments that its table promises to conditions. */
interface JudgedBy<A extends Action> {
  readonly action: A
  readonly resource: string
  readonly args: ArgumentsOfAction<A>
  /** Of a tool: its schema, for conditions that are checked against it. */
  readonly schema?: JsonObject | undefined
}

/** One question to the policy. */
export type Judged = { [A in Action]: JudgedBy<A> }[Action]

/** What a question says beside the arguments of its call: the drivers know it, and a record tells it. */
export interface JudgeMeans {
  readonly tool: { schemaOf(name: string, process: object, wrapped?: number): JsonObject | undefined }
  readonly table: { findFor(target: number | string): { readonly name: string } }
}

/** Who is judged, as far as a question says it. */
export interface JudgedCaller {
  readonly name: string
  readonly identity: { readonly isolation: Isolation }
}

/** Why a result does not carry labels on, for the record. */
export interface Release {
  /** Who released it: a tool or a syscall. */
  readonly by: string
  readonly reason: string
  /** What the result came of carried these; what it did not come of is not released. */
  readonly from: Labels
  /** Whether the process may give exactly this value away once without these labels, although it carries them. */
  readonly again: boolean
}

/** One admitted call, as `invoke` sees it. */
export interface Call {
  readonly process: Process
  readonly grant: Grant
  /** The guest's own number of the call. */
  readonly number: number
  /**
   * Says where what the guest learns by the call came from; may be said several times, also before it fails.
   * The process takes the labels on before it gets the result or the error.
   */
  readonly carries: (labels: Labels) => void
  /** What the rules that permit it give to what comes of it. */
  readonly given: Labels
  /** Says that the result came of what carried these labels, and does not carry them on; for the record. */
  readonly releases: (labels: Labels, how: Release) => void
  /** In which the most that it may use is set aside, of a call that reserves some. */
  readonly meter: Meter | undefined
  /** Says what it has cost, for the record; the last word counts. */
  readonly costs: (cost: JsonObject) => void
  /** Puts on record what came of a stream that it opened, when that is over. */
  readonly charges: (end: StreamEnd) => void
  /** A stream that it opens stands on these. */
  readonly terms: Terms
  /** Whether a rule looks through what comes back: then it comes back whole, and no stream is opened. */
  readonly isLookedThrough: boolean
}

/** One file or folder that a call would change. */
export interface FileStake {
  readonly path: string
  /** What it would hold: these bytes, these after what it holds, what is at another path, or nothing. */
  readonly becomes:
    | { readonly bytes: Uint8Array; readonly added: boolean }
    | { readonly movedFrom: string }
    | 'nothing'
    | 'moved'
}

/** What a call would change as things are now: an approval is bound to it. */
export interface Stakes {
  readonly files?: readonly FileStake[]
  /** The process that a name or pid means now. */
  readonly pid?: number
  /** Why it could not be done with an approval either, if it is done on a folder. */
  readonly notFolders?: string
}

export type { StreamEnd } from '../drivers/llm/stream.ts'
export type { OpenStream } from '../drivers/streams/stream.ts'

/** What a call does with an open stream. */
export type StreamUse = 'read' | 'write'

export interface Syscall<Args = never> {
  readonly summary: string
  /** Decodes the arguments; what it lets through is a fact for everything after it. */
  readonly args: z.ZodType<Args>
  /** Names of the stub's positional parameters; an object after them gives the rest. No stub where undefined. */
  readonly params?: readonly string[]
  /** The stub turns `text` or `base64` of the reply into a string or a Uint8Array. */
  readonly bytes?: true
  /** What the promise of the stub gives, as a TypeScript type. */
  readonly returns: string
  /** How many calls it counts as in a budget of `syscalls`. */
  readonly cost: number
  /** What it takes of the budget of bits; nothing where undefined. */
  readonly bits?: (args: Args, drivers: Drivers) => number
  /** The most tokens and money that it may use: set aside before it, and given back as far as it used less. */
  readonly reserves?: (args: Args, drivers: Drivers, process: Process) => Amounts
  /** Its result is made of what it was sent: it is nobody's word, however far from here it was made. */
  readonly echoes?: true
  /** Decoding that needs to know more than the arguments. May refuse; touches nothing. */
  readonly check?: (args: Args, drivers: Drivers, process: Process) => void
  /** What the policy is asked; every answer has to permit. Not judged where undefined: counted and limited only. */
  readonly judge?: (args: Args, means: JudgeMeans, process: JudgedCaller) => readonly Judged[]
  /**
   * The open stream that the call is about: what permitted the call that opened it has to hold still, and what that
   * demands of the record holds for this one too. `read` asks again where the policy is another one, `write` each time.
   * @throws SyscallError EBADF
   */
  readonly stream?: (args: Args, drivers: Drivers, process: Process) => OpenStream
  readonly uses?: StreamUse
  /** The questions that permitted its opening, as they are asked about this call. */
  readonly asksAgain?: (args: Args, asked: readonly Judged[]) => readonly Judged[]
  /** What an approval of the call is bound to, besides its arguments. */
  readonly stakes?: (args: Args, drivers: Drivers, process: Process) => Stakes
  /** Whether the effect leaves the kernel, so that its intent has to be durable first. */
  readonly external?: (args: Args, drivers: Drivers, process: Process) => boolean
  /** Takes what belongs to the call as soon as it is admitted, before its effect, which may have to wait. Touches nothing outside. */
  readonly takes?: (args: Args, call: Pick<Call, 'process' | 'grant' | 'terms'>, drivers: Drivers) => void
  readonly invoke: (args: Args, call: Call, drivers: Drivers) => Json | Promise<Json>
}

/** Keeps the type of the arguments within a row, and hides it in the table. */
export function syscall<Args>(row: Syscall<Args>): Syscall {
  return row as unknown as Syscall
}

/**
 * A record that is looked into only when it has few enough keys: zod makes an issue of each value that does not fit.
 * @param what what its keys are, for the message
 */
export function record<Value extends z.core.SomeType>(
  key: z.ZodString,
  value: Value,
  { keysMax, what }: { readonly keysMax: number; readonly what: string },
) {
  const whole = z.record(key, value)
  const { $schema: _, ...shape } = z.toJSONSchema(whole, { io: 'input' })
  return z
    .custom<Record<string, unknown>>(
      (given) => typeof given !== 'object' || given === null || Object.keys(given).length <= keysMax,
      `at most ${keysMax} ${what} fit`,
    )
    .meta(shape)
    .pipe(whole)
}
