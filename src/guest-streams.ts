/** Types of the doors of user space that give one value after another: pipes, and what a model writes. */
import type { LlmPrompt, LlmReply } from './guest.ts'
import type { Json } from './json.ts'

/** The end of a pipe that another agent reads. */
export interface PipeWriter {
  /** Its number, for `sys`. */
  readonly stream: number
  /** Whom it leads to. */
  readonly to: string
  /**
   * Writes one value after those before, and waits until there is room for it.
   * @throws SyscallError EINVAL for what its schema does not take, EPIPE where nobody reads any more, EPERM
   */
  write(value: Json): Promise<null>
  /** Whoever reads gets what was written, and then the end. */
  close(): Promise<null>
}

/** The end of a pipe that another agent writes: `for await (const value of pipe)`. */
export interface PipeReader extends AsyncIterable<Json> {
  readonly stream: number
  /** Who opened it: the name of the agent, and its process. */
  readonly from: string
  readonly pid: number
  /** What goes through it, as a JSON Schema, where whoever opened it says so. */
  readonly schema: { readonly [key: string]: Json } | undefined
  /** @throws SyscallError EPIPE where whoever writes was ended before it closed the pipe */
  next(): Promise<IteratorResult<Json, undefined>>
  /** Nobody reads any more: whoever writes is told by EPIPE. */
  close(): Promise<void>
}

export interface PipeDoors {
  /**
   * Opens a pipe to an agent, which takes it by its own `ipc.pipe`.
   * @throws SyscallError ENOENT for an unknown agent, EAGAIN where too many wait there, EINVAL, EPERM
   */
  pipe(options: {
    readonly to: string
    /** What goes through it: types, enums, bounds, properties, items and `anyOf` of JSON Schema. */
    readonly schema?: { readonly [key: string]: Json }
  }): Promise<PipeWriter>
  /**
   * Takes the oldest pipe that was opened to this agent, of one agent or of any, and waits where there is none.
   * @throws SyscallError ETIMEDOUT, EPERM
   */
  pipe(options?: { readonly from?: string; readonly timeoutMs?: number }): Promise<PipeReader>
}

/** One part of a model's reply, as it is written. The last one is `finish`. */
export type LlmPart =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | ({ readonly type: 'tool-call' } & LlmReply['toolCalls'][number])
  | ({ readonly type: 'finish' } & Omit<LlmReply, 'text' | 'reasoning' | 'toolCalls'>)

export interface LlmDoors {
  /**
   * Asks a model, and gives its reply as it is written. It is asked when the first part is wanted; leaving the loop ends it.
   * @throws SyscallError
   */
  stream(options: LlmPrompt): AsyncGenerator<LlmPart, void, void>
}
