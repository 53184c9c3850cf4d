/** What a person is shown of a call that waits for approval, and what may be answered. */
import type { Isolation, RuleRef } from '../policy/types.ts'

/** What stands at a path, or would. */
export interface SideOfChange {
  readonly type: 'absent' | 'file' | 'folder'
  /** Of a file. */
  readonly bytes?: number
  /** Of a file its content; of a folder what lies below it. */
  readonly sha256?: string
  /** Of a folder: files and folders below it. */
  readonly entries?: number
}

/** One file or folder that the call would change. */
export interface Change {
  readonly path: string
  readonly before: SideOfChange
  /** Absent where it cannot be told. */
  readonly after?: SideOfChange
  /** Where both sides are texts: a unified difference. */
  readonly difference?: string
  /** Whether there is more of the difference than is shown. */
  readonly cut?: true
}

/** A call that waits for a person. Frozen; it stays the same under its id. */
export interface ApprovalRequest {
  /** Given once. */
  readonly id: string
  readonly run: string
  readonly pid: number
  readonly agent: string
  readonly isolation: Isolation
  /** The process's own number of the call. */
  readonly call: number
  readonly syscall: string
  readonly resource: string
  /** Everything that the policy was asked about the call. */
  readonly questions: readonly { readonly action: string; readonly resource: string }[]
  /** The arguments as the kernel understood them: compact JSON. */
  readonly args: {
    readonly text: string
    /** Of the whole text, in UTF-16 units. */
    readonly length: number
    /** Of the text as the agent sent it, as hex. */
    readonly sha256: string
    /** Whether there is more than is shown; the whole is on record. */
    readonly cut: boolean
  }
  /** The rules that ask. */
  readonly rules: readonly RuleRef[]
  readonly reason: string
  readonly labels: readonly string[]
  /** Hash of the policies that asked. */
  readonly policy: string
  /** SHA-256 over all that an approval holds for, as hex. */
  readonly digest: string
  /** ms since 1970. */
  readonly askedAt: number
  /** From then on it is denied. */
  readonly expiresAt: number
  /** Where that is sooner: then the wall time of its process, or of one above it, is used up and ends it. ms since 1970. */
  readonly endsAt?: number
  readonly changes: readonly Change[]
  /** An earlier request in whose place it is asked: its arguments were edited, or what it was bound to changed. */
  readonly follows?: string
}

/** How a request ended. */
export type ApprovalEnd = 'approved' | 'denied' | 'expired' | 'cancelled'

/** What `kernel.on('approval')` tells besides the process. */
export interface ApprovalNews {
  readonly id: string
  readonly status: 'asked' | ApprovalEnd
  readonly request: ApprovalRequest
  /** Who ended it. */
  readonly by?: string
  readonly reason?: string
}

export interface DenyOptions {
  /** Who answers, for the record; the application where nobody says. */
  readonly by?: string
  /** On record, and told to the agent where it is denied. */
  readonly reason?: string
}

export interface ApproveOptions extends DenyOptions {
  /** Arguments in place of the agent's: a new request, which the policy judges again. */
  readonly args?: unknown
}

/** What a hook may say; nothing at all leaves the request to others, until it expires. */
export type HookAnswer =
  | 'approve'
  | 'deny'
  | ({ readonly answer: 'approve' } & ApproveOptions)
  | ({ readonly answer: 'deny' } & DenyOptions)
  | undefined

export interface ApprovalOptions {
  /** How long a request waits, such as `10m`; then it is denied. */
  readonly timeout?: string
  /** Is told of each request once. What it throws denies. */
  readonly ask?: (request: ApprovalRequest) => HookAnswer | Promise<HookAnswer>
}
