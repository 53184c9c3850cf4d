/**
 * The doors of user space, as an agent's file names them: `import { fs, tools } from 'gatehouse/guest'`.
 * In user space they are real; on the host each throws when it is called.
 * Printed by `npm run docs` from src/syscalls.ts: change the table, not this file.
 */
import type { Errno } from './errors.ts'
import type { SignalDoors, SignalName, Tools } from './guest-doors.ts'
import type { LlmDoors, PipeDoors } from './guest-streams.ts'
import type { Fetch } from './guest-web.ts'
import type { Json } from './json.ts'
import { userSpaceOnly } from './user-space-only.ts'

export type * from './guest-doors.ts'
export type * from './guest-streams.ts'
export type * from './guest-web.ts'
export type { Errno, Json }

/** What each syscall takes. */
export interface SyscallArguments {
  /** Reads a file, whole or in part, as text (UTF-8) or bytes. */
  readonly 'fs.read': {
    readonly path: string
    readonly offset?: number
    readonly length?: number
    readonly encoding?: 'text' | 'bytes'
  }
  /** Writes a file, in place of what was there. */
  readonly 'fs.write':
    | { readonly path: string; readonly text: string }
    | { readonly path: string; readonly base64: string }
  /** Adds to the end of a file; the file begins where there was none. */
  readonly 'fs.append':
    | { readonly path: string; readonly text: string }
    | { readonly path: string; readonly base64: string }
  /** Lists a folder: name and type of each entry. */
  readonly 'fs.list': { readonly path: string }
  /** Type, size in bytes and time of the last change (ms since 1970) of a file or folder. */
  readonly 'fs.stat': { readonly path: string }
  /** Makes a folder; the one above has to exist. */
  readonly 'fs.mkdir': { readonly path: string }
  /** Removes a file or an empty folder; with `recursive` a folder and all below it. */
  readonly 'fs.remove': { readonly path: string; readonly recursive?: boolean }
  /** Moves or renames within one mount; judged as fs.remove and fs.read of the source and fs.write of the target. */
  readonly 'fs.move': { readonly from: string; readonly to: string }
  /** One HTTP request and its answer. A redirect is returned, not followed: the next hop is a new call. Agents use `fetch`. */
  readonly 'net.fetch': {
    readonly url: string
    readonly method?: string
    readonly headers?: { readonly [name: string]: string }
    readonly text?: string
    readonly base64?: string
    readonly bodyStream?: number
    readonly stream?: boolean
  }
  /** Calls a tool by name; its arguments are checked against its schema first. Agents use `tools.name(args)`. */
  readonly 'tool.call': { readonly name: string; readonly args: Json; readonly wrapped?: number }
  /** Asks a model, and waits for its whole reply. Calls of tools are given back; nothing is called. */
  readonly 'llm.generate': LlmPrompt
  /** Asks a model, and gives its reply as it is written: a stream of values, each a part. Where a rule looks through what comes back it comes whole all the same. Agents use `llm.stream`. */
  readonly 'llm.stream': LlmPrompt
  /** Has a model turn texts into vectors, one for each. */
  readonly 'llm.embed': { readonly model: string; readonly values: readonly string[] }
  /** Puts a message into the mailbox of another agent. */
  readonly 'ipc.send': { readonly to: string; readonly message: Json }
  /** Takes the oldest message from the own mailbox, of one agent or of any, and waits where there is none. */
  readonly 'ipc.receive': { readonly from?: string; readonly timeoutMs?: number }
  /** Opens a pipe to another agent, or takes one that another agent has opened to this one. What goes through it is JSON, by `stream.write` and `stream.read`. Agents use `ipc.pipe`. */
  readonly 'ipc.pipe': {
    readonly to?: string
    readonly schema?: Json
    readonly from?: string
    readonly timeoutMs?: number
  }
  /** Opens a stream for the body of a request: given to `net.fetch` as `bodyStream`, then written, then closed. */
  readonly 'stream.open': Readonly<Record<string, never>>
  /** Takes the next piece from an open stream, and waits where there is none; one read of a stream at a time. At its end the reply is `done`, and the stream is closed. */
  readonly 'stream.read': { readonly stream: number; readonly bytes?: number }
  /** Gives a piece to an open stream, and waits until there is room for it; one write to a stream at a time. */
  readonly 'stream.write': {
    readonly stream: number
    readonly text?: string
    readonly base64?: string
    readonly value?: Json
  }
  /** Closes an open stream, and ends what feeds it. Whoever reads what was written gets that, and then the end. */
  readonly 'stream.close': { readonly stream: number }
  /** Ends a call of this process that is under way: it fails with ECANCELED, unless it is done sooner. One that is over is left alone. */
  readonly 'call.cancel': { readonly call: number }
  /** The process itself: pid, parent, name, isolation, labels, what is left of its budget. */
  readonly 'proc.self': Readonly<Record<string, never>>
  /** Starts a child from the source text of a module; its policy and budget can only narrow those of its parent. */
  readonly 'proc.spawn': {
    readonly source: string
    readonly args?: readonly Json[]
    readonly name?: string
    readonly policy?: Json
    readonly budget?: { readonly [name: string]: string | number }
  }
  /** Has a child look at what the process itself must not take on, and gives one value of a narrow schema. Whatever goes wrong in it is one and the same error. */
  readonly 'proc.extract': {
    readonly source: string
    readonly args?: readonly Json[]
    readonly name?: string
    readonly policy?: Json
    readonly schema: Json
    readonly budget?: { readonly [name: string]: string | number }
  }
  /** Waits until a child has ended, and tells how. */
  readonly 'proc.wait': { readonly pid: number }
  /** Sends a signal to a process, by pid or by name. */
  readonly 'proc.signal': { readonly target: number | string; readonly signal: SignalName }
  /** Says how a signal is taken: by default, ignored, or by a handler. Agents use `proc.on`. */
  readonly 'proc.sigaction': {
    readonly signal: SignalName
    readonly disposition: 'default' | 'ignore' | 'handler'
  }
  /** Keeps these signals waiting until they are no longer in the mask. */
  readonly 'proc.sigmask': { readonly signals: readonly SignalName[] }
  /** Says that a handler has returned. The bootstrap sends it. */
  readonly 'proc.sigreturn': { readonly signal: number }
  /** Prints text. Agents use `console`. */
  readonly 'proc.output': { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** Ends the process with a value or an error. Sent by the bootstrap when the program returns. */
  readonly 'proc.exit': {
    readonly value?: Json
    readonly error?: {
      readonly name: string
      readonly message: string
      readonly stack?: string
      readonly code?: string
    }
  }
  /** Milliseconds since 1970, by the process’s own clock. `Date.now()` gives the time of the turn without a call. */
  readonly 'clock.time': Readonly<Record<string, never>>
  /** Waits. Agents use `setTimeout`. */
  readonly 'clock.sleep': { readonly ms: number }
  /** Ends a sleep of this process early. Agents use `clearTimeout`. */
  readonly 'clock.cancel': { readonly call: number }
  /** Random bytes of the kernel. `crypto.getRandomValues` gives them without a call. */
  readonly 'clock.random': { readonly bytes: number }
}

export type SyscallName = keyof SyscallArguments

/**
 * One syscall by its name, with exactly the arguments of the table; what the other doors are made of.
 * @returns the reply as docs/syscalls.md says it; bytes come as `{ base64 }`, text as `{ text }`
 * @throws SyscallError
 */
export type Sys = <Name extends SyscallName>(
  name: Name,
  ...args: Record<never, never> extends SyscallArguments[Name]
    ? [args?: SyscallArguments[Name]]
    : [args: SyscallArguments[Name]]
) => Promise<unknown>

export interface Fs {
  /**
   * Reads a file, whole or in part, as text (UTF-8) or bytes.
   * @param path absolute path in the process’s tree
   * @throws SyscallError
   */
  read(
    path: string,
    options?: {
      /** bytes to skip */
      readonly offset?: number | undefined
      /** bytes to read at most */
      readonly length?: number | undefined
      /** what is given back; text by default */
      readonly encoding?: 'text' | undefined
    },
  ): Promise<string>
  read(
    path: string,
    options: {
      /** bytes to skip */
      readonly offset?: number | undefined
      /** bytes to read at most */
      readonly length?: number | undefined
      /** what is given back; text by default */
      readonly encoding: 'bytes'
    },
  ): Promise<Uint8Array>
  /**
   * Writes a file, in place of what was there.
   * @param path absolute path in the process’s tree
   * @param data text, which is stored as UTF-8, or bytes
   * @throws SyscallError
   */
  write(path: string, data: string | Uint8Array): Promise<null>
  /**
   * Adds to the end of a file; the file begins where there was none.
   * @param path absolute path in the process’s tree
   * @param data text, which is stored as UTF-8, or bytes
   * @throws SyscallError
   */
  append(path: string, data: string | Uint8Array): Promise<null>
  /**
   * Lists a folder: name and type of each entry.
   * @param path absolute path in the process’s tree
   * @throws SyscallError
   */
  list(path: string): Promise<readonly { readonly name: string; readonly type: 'file' | 'folder' }[]>
  /**
   * Type, size in bytes and time of the last change (ms since 1970) of a file or folder.
   * @param path absolute path in the process’s tree
   * @throws SyscallError
   */
  stat(
    path: string,
  ): Promise<{ readonly type: 'file' | 'folder'; readonly size: number; readonly modified: number }>
  /**
   * Makes a folder; the one above has to exist.
   * @param path absolute path in the process’s tree
   * @throws SyscallError
   */
  mkdir(path: string): Promise<null>
  /**
   * Removes a file or an empty folder; with `recursive` a folder and all below it.
   * @param path absolute path in the process’s tree
   * @throws SyscallError
   */
  remove(
    path: string,
    options?: {
      /** with all that is in it */
      readonly recursive?: boolean | undefined
    },
  ): Promise<null>
  /**
   * Moves or renames within one mount; judged as fs.remove and fs.read of the source and fs.write of the target.
   * @param from absolute path in the process’s tree
   * @param to absolute path in the process’s tree
   * @throws SyscallError
   */
  move(from: string, to: string): Promise<null>
}

export interface Llm extends LlmDoors {
  /**
   * Asks a model, and waits for its whole reply. Calls of tools are given back; nothing is called.
   * @throws SyscallError
   */
  generate(options: {
    /** `provider/model`, as the application named it */
    readonly model: string | undefined
    /** one message of the user; this or `messages` */
    readonly prompt?: string | undefined
    /** the conversation so far, the newest last (docs/models.md) */
    readonly messages?: readonly LlmMessage[] | undefined
    /** in place of both: what a model of an object that the application has wrapped is asked, as its framework says it; agents in isolates have none */
    readonly wrapped?: Json | undefined
    /** put before everything else */
    readonly system?: string | undefined
    /** what the model may ask for: names of tools under /tools, or definitions; nothing is called */
    readonly tools?:
      | readonly (
          | string
          | {
              readonly name: string
              readonly description?: string
              readonly parameters: { readonly [name: string]: Json }
            }
        )[]
      | undefined
    /** whether it has to ask for one; auto by default */
    readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly tool: string } | undefined
    /** tokens of the reply; 4096 by default */
    readonly tokensMax?: number | undefined
    /** from 0 to 2 */
    readonly temperature?: number | undefined
    /** from 0 to 1 */
    readonly topP?: number | undefined
    /** texts at which it stops writing */
    readonly stop?: readonly string[] | undefined
    /** for models that repeat themselves with one */
    readonly seed?: number | undefined
    /** JSON Schema of the reply; what comes is JSON in `object`, and the agent checks it */
    readonly schema?: { readonly [name: string]: Json } | undefined
  }): Promise<LlmReply>
  /**
   * Has a model turn texts into vectors, one for each.
   * @throws SyscallError
   */
  embed(options: {
    /** `provider/model`, as the application named it */
    readonly model: string | undefined
    /** the texts */
    readonly values: readonly string[] | undefined
  }): Promise<{
    readonly vectors: readonly (readonly number[])[]
    readonly usage: { readonly tokens: number; readonly estimated?: true }
  }>
}

export interface Ipc extends PipeDoors {
  /**
   * Puts a message into the mailbox of another agent.
   * @param to the name of an agent
   * @param message any JSON
   * @throws SyscallError
   */
  send(to: string, message: Json): Promise<null>
  /**
   * Takes the oldest message from the own mailbox, of one agent or of any, and waits where there is none.
   * @throws SyscallError
   */
  receive(options?: {
    /** of this agent only; of any by default */
    readonly from?: string | undefined
    /** how long to wait, in ms; for ever by default */
    readonly timeoutMs?: number | undefined
  }): Promise<{ readonly from: string; readonly pid: number; readonly message: unknown }>
}

export interface Proc extends SignalDoors {
  /**
   * The process itself: pid, parent, name, isolation, labels, what is left of its budget.
   * @throws SyscallError
   */
  self(): Promise<{
    readonly pid: number
    readonly ppid: number
    readonly run: string
    readonly name: string
    readonly isolation: string
    readonly labels: readonly string[]
    readonly budget: { readonly [charge: string]: number }
  }>
  /**
   * Starts a child from the source text of a module; its policy and budget can only narrow those of its parent.
   * @param program the text of an ES module, or a function that uses nothing outside itself
   * @throws SyscallError
   */
  spawn(
    program: string | ((...args: never[]) => unknown),
    options?: {
      /** arguments of its default export */
      readonly args?: readonly Json[] | undefined
      /** that of its parent by default */
      readonly name?: string | undefined
      /** the name of a preset, or a document; it can only narrow */
      readonly policy?: Json | undefined
      /** as in a policy; it can only narrow */
      readonly budget?: { readonly [name: string]: string | number } | undefined
    },
  ): Promise<{ readonly pid: number }>
  /**
   * Has a child look at what the process itself must not take on, and gives one value of a narrow schema. Whatever goes wrong in it is one and the same error.
   * @param program the text of an ES module, or a function that uses nothing outside itself
   * @throws SyscallError
   */
  extract(
    program: string | ((...args: never[]) => unknown),
    options: {
      /** arguments of its default export */
      readonly args?: readonly Json[] | undefined
      /** that of its parent by default */
      readonly name?: string | undefined
      /** the name of a preset, or a document; it can only narrow */
      readonly policy?: Json | undefined
      /** `enum`, boolean, integer, date or a text with a pattern: how much it may tell */
      readonly schema: Json | undefined
      /** taken out of that of this process at once */
      readonly budget?: { readonly [name: string]: string | number } | undefined
    },
  ): Promise<unknown>
  /**
   * Waits until a child has ended, and tells how.
   * @param pid a child of this process
   * @throws SyscallError
   */
  wait(pid: number): Promise<{
    readonly status: 'exited' | 'killed' | 'failed'
    readonly value?: unknown
    readonly error?: { readonly code: string; readonly message: string }
    readonly signal?: string
    readonly reason?: string
    readonly labels?: readonly string[]
  }>
  /**
   * Sends a signal to a process, by pid or by name.
   * @param target a pid, or the name of one live process
   * @param signal the name of a signal that agents may use
   * @throws SyscallError
   */
  signal(target: number | string, signal: SignalName): Promise<{ readonly effect: string }>
  /**
   * Keeps these signals waiting until they are no longer in the mask.
   * @param signals the whole mask, in place of the one before
   * @throws SyscallError
   */
  sigmask(signals: readonly SignalName[]): Promise<null>
  /**
   * Ends the process with a value or an error. Sent by the bootstrap when the program returns.
   * @param value the value of the process
   * @throws SyscallError
   */
  exit(
    value?: Json,
    options?: {
      /** why it failed, in place of a value */
      readonly error?:
        | { readonly name: string; readonly message: string; readonly stack?: string; readonly code?: string }
        | undefined
    },
  ): Promise<never>
}

export const sys: Sys = userSpaceOnly('sys')
export const fs: Fs = userSpaceOnly('fs')
export const llm: Llm = userSpaceOnly('llm')
export const ipc: Ipc = userSpaceOnly('ipc')
export const proc: Proc = userSpaceOnly('proc')
export const tools: Tools = userSpaceOnly('tools')
export const fetch: Fetch = userSpaceOnly('fetch')
/** One message of a conversation with a model. */
export type LlmMessage =
  | { readonly role: 'system'; readonly content: string }
  | {
      readonly role: 'user'
      readonly content:
        | string
        | readonly (
            | { readonly type: 'text'; readonly text: string }
            | {
                readonly type: 'file'
                readonly mediaType: string
                readonly base64: string
                readonly filename?: string
              }
          )[]
    }
  | {
      readonly role: 'assistant'
      readonly content:
        | string
        | readonly (
            | { readonly type: 'text'; readonly text: string }
            | {
                readonly type: 'tool-call'
                readonly toolCallId: string
                readonly toolName: string
                readonly input: Json
              }
          )[]
    }
  | {
      readonly role: 'tool'
      readonly content: readonly {
        readonly type: 'tool-result'
        readonly toolCallId: string
        readonly toolName: string
        readonly output: Json
        readonly isError?: boolean
      }[]
    }
/** A prompt; `prompt` or `messages`. */
export interface LlmPrompt {
  readonly model: string
  readonly prompt?: string
  readonly messages?: readonly LlmMessage[]
  readonly wrapped?: Json
  readonly system?: string
  readonly tools?: readonly (
    | string
    | {
        readonly name: string
        readonly description?: string
        readonly parameters: { readonly [name: string]: Json }
      }
  )[]
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly tool: string }
  readonly tokensMax?: number
  readonly temperature?: number
  readonly topP?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly schema?: { readonly [name: string]: Json }
}
/** A model's reply. */
export interface LlmReply {
  readonly text: string
  readonly toolCalls: readonly {
    readonly toolCallId: string
    readonly toolName: string
    readonly input: Json
  }[]
  readonly finishReason:
    | 'stop'
    | 'length'
    | 'content-filter'
    | 'tool-calls'
    | 'error'
    | 'interrupted'
    | 'other'
  readonly usage: {
    readonly inputTokens: number
    readonly outputTokens: number
    readonly totalTokens: number
    readonly estimated?: true
  }
  readonly reasoning?: string
  readonly object?: Json
  readonly omitted?: readonly string[]
}
