/** What a kernel and a command say to each other: HTTP over a Unix socket, JSON, one request a connection. */
import { z } from 'zod'
import type { ApprovalEnd, ApprovalRequest } from '../approvals/request.ts'
import type { Errno } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import type { Mode } from '../policy/types.ts'
import type { ProcessState } from '../proc/exit.ts'
import type { ProcessRow } from '../proc/rows.ts'
import { agentSignals, type SignalName } from '../proc/signals.ts'

/** Both sides say theirs in this header; a change that the other side could misread makes another number. */
export const protocol = '1'
export const protocolHeader = 'gatehouse-protocol'
/** Carries what the key file of the kernel holds. */
export const keyHeader = 'gatehouse-key'
/** The only host there is; a request for another one was meant for somebody else. */
export const hostName = 'gatehouse'

const target = z.string().min(1).max(limits.agentNameMax)
const json: z.ZodType<Json, Json> = z.custom<Json>()
const flag = z.literal('1').optional()

const id = z.string().min(1).max(limits.wordMax)

/** What each path takes: of a query, except for what is sent by POST, whose body it is. */
export const requests = Object.freeze({
  '/ps': z.strictObject({ all: flag }),
  '/inspect': z.strictObject({ target }),
  '/logs': z.strictObject({ target, calls: flag, follow: flag }),
  '/signal': z.strictObject({ target, signal: z.enum(agentSignals) }),
  '/approvals': z.strictObject({}),
  /** The request itself is the kernel's: nothing but its id is taken from outside. */
  '/answer': z.strictObject({
    id,
    answer: z.enum(['approve', 'deny']),
    by: z.string().min(1).max(limits.agentNameMax).optional(),
    reason: z.string().min(1).max(limits.approvalReasonMax).optional(),
    args: json.optional(),
  }),
  '/declassify': z.strictObject({
    target,
    /** A file of the agent of that name; without it a value of the process. */
    path: z.string().min(1).max(limits.urlMax).optional(),
    value: json.optional(),
    labels: z.array(z.string()).min(1).max(limits.labelsMax),
    reason: z.string().min(1).max(limits.releaseTextMax),
    by: z.string().min(1).max(limits.agentNameMax).optional(),
  }),
  /** Presets, and absolute paths of files that the kernel reads. */
  '/reload': z.strictObject({
    policy: z.array(z.string().min(1).max(limits.urlMax)).min(1).max(limits.policiesMax),
    by: z.string().min(1).max(limits.agentNameMax).optional(),
  }),
})
export type RequestPath = keyof typeof requests
export type RequestOf<Path extends RequestPath> = z.infer<(typeof requests)[Path]>

export interface PsReply {
  readonly kernel: {
    readonly pid: number
    readonly policy: { readonly name: string; readonly hash: string; readonly mode: Mode }
  }
  readonly processes: readonly ProcessRow[]
}

export interface SignalReply {
  readonly pid: number
  readonly name: string
  /** What it did, in words. */
  readonly effect: string
}

export interface ApprovalsReply {
  /** Kernel time, ms since 1970. */
  readonly now: number
  readonly requests: readonly ApprovalRequest[]
}

export interface AnswerReply {
  readonly id: string
  readonly answer: 'approve' | 'deny'
  readonly agent: string
  readonly pid: number
  readonly syscall: string
  readonly resource: string
}

export interface DeclassifyReply {
  /** Of the process whose value it is. */
  readonly pid?: number
  readonly agent: string
  /** Of the file whose content it is. */
  readonly path?: string
  readonly labels: readonly string[]
}

export interface ReloadReply {
  readonly before: PsReply['kernel']['policy']
  readonly policy: PsReply['kernel']['policy']
}

interface At {
  /** Kernel time, ms since 1970. */
  readonly time: number
}

/** One thing that a process did, or that happened to it. */
export type LogRecord =
  | (At & { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly text: string })
  | (At & {
      readonly kind: 'call'
      readonly syscall: string
      readonly resource?: string
      readonly status: 'committed' | 'failed' | 'refused'
      readonly code?: Errno
      readonly reason?: string
    })
  | (At & {
      readonly kind: 'approval'
      readonly id: string
      readonly status: 'asked' | ApprovalEnd
      readonly syscall: string
      readonly resource: string
      readonly by?: string
      readonly reason?: string
    })
  | (At & { readonly kind: 'signal'; readonly signal: SignalName; readonly by: string })
  | (At & { readonly kind: 'state'; readonly from: ProcessState; readonly to: ProcessState })

/** The reply to `/logs` is one of these a line; without the last one it was cut off. */
export type LogLine =
  | { readonly kind: 'process'; readonly pid: number; readonly name: string }
  | LogRecord
  | { readonly kind: 'end'; readonly state: ProcessState }

export interface ErrorReply {
  readonly error: { readonly code: string; readonly message: string }
}

/** Why a kernel cannot be reached, or why it refuses. */
export class ControlError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'ControlError'
    this.code = code
  }
}
