/**
 * What a wrapped object is governed as. For integrations: `kernel.wrapping(options)` once for each wrapped object, then
 *
 * - `run(work)` around whatever the framework calls a run (`invoke`, `generate`, …), or `begin()` where it ends later than the
 *   call that starts it, as a stream does: the outermost is one process, and what is wrapped within it is part of that;
 * - `tool(definition)` once for each tool, and `call(args, execute)` of it in place of the framework's own execution, where
 *   that is done and not before: what is added later is governed so too. `ok: false` goes to the model as the framework says
 *   errors of tools; whatever is thrown goes on, and the run ends.
 */
import type { Agent } from '../agents.ts'
import type { ModelUsage } from '../drivers/llm/wrapped.ts'
import type { Tool, ToolContext, ToolOptions } from '../drivers/tool-definition.ts'
import { readWrapped, type WrappedDefinition } from '../drivers/tool-definition.ts'
import { KernelError, SyscallError } from '../errors.ts'
import { asJson, type Json } from '../json.ts'
import { currentSession } from './current.ts'
import {
  callModel,
  type ModelAsk,
  type ModelContext,
  type ModelReply,
  type ModelSaid,
  streamModel,
} from './model-call.ts'
import { type Failed, Session, type SessionParts } from './session.ts'
import { callTool } from './tool-call.ts'

/** How a wrapped object is governed, read and checked. */
export interface WrappingParts {
  readonly host: SessionParts
  readonly agent: Agent
  /** Whether it narrows what a run that it is part of may do: then it is a child process there. */
  readonly narrows: boolean
  readonly framework: string | undefined
  /** In place of a process of its own. */
  readonly session: Session | undefined
  /** What is said of tools, by their names. */
  readonly tools: Readonly<Record<string, ToolOptions>>
}

/** What a tool gave, or why it gave nothing. */
export type ToolResult<T = unknown> =
  | {
      readonly ok: true
      /** What came back through the gate. */
      readonly value: Json
      /** What the tool itself returned, where nothing was taken out of it on the way; undefined otherwise. */
      readonly returned: T | undefined
    }
  | (Failed & { readonly ok: false })

/** A tool of a wrapped object. */
export interface WrappedTool {
  readonly name: string
  /**
   * Passes one call through the gate.
   * @param args what the model asked for; JSON, of which members that are undefined are left out
   * @param execute runs the tool with exactly the arguments that were judged, a copy of its own
   * @param encode gives of what the tool returned what is JSON; by default it has to be JSON itself
   * @returns what came of it. A refusal is an answer too, which the model can read
   * @throws KernelError when the process has ended or its budget is used up; what the tool itself threw
   */
  call<T>(
    args: unknown,
    execute: (args: Json, context: ToolContext) => T | Promise<T>,
    encode?: (returned: T) => unknown,
  ): Promise<ToolResult<T>>
}

/** A model of a wrapped object. */
export interface WrappedModel {
  /**
   * Passes one call through the gate, as `llm.generate`.
   * @param read what of the reply goes on record and is charged
   * @throws KernelError for a refusal, and when the process has ended; what the model itself threw
   */
  call<T>(
    ask: ModelAsk,
    execute: (context: ModelContext) => T | Promise<T>,
    read: (returned: T) => ModelSaid,
  ): Promise<ModelReply<T>>
  /**
   * The same of a reply that comes in parts: each is given on as it comes, and waits while the process is stopped. The
   * call is over when they have been read, or nobody reads on.
   */
  stream<Part>(
    ask: ModelAsk,
    execute: (context: ModelContext) => AsyncIterable<Part> | Promise<AsyncIterable<Part>>,
    read: {
      readonly usage: (part: Part) => ModelUsage | undefined
      readonly value: (parts: readonly Part[]) => unknown
    },
  ): Promise<AsyncIterable<Part>>
}

/** A run, or a part of one, of a wrapped object. */
export interface WrappedRun {
  readonly session: Session
  /** Runs code as part of it. */
  within<T>(work: () => T): T
  /**
   * Waits for something that the framework does; no longer than the process lives.
   * @throws KernelError when the process has ended, and what the work itself throws
   */
  outcome<T>(work: Promise<T>): Promise<T>
  /** It is over in order; resolves when that is on record. @throws KernelError where the process was ended otherwise */
  end(value?: unknown): Promise<void>
  /** It is over with an error. @returns what to throw: the error, or why the process was ended */
  fail(error: unknown): Promise<unknown>
}

export class Wrapping {
  readonly #parts: WrappingParts

  /** @internal */
  constructor(parts: WrappingParts) {
    this.#parts = parts
  }

  /** How its processes are called. */
  get name(): string {
    return this.#parts.agent.name
  }

  /**
   * Begins a run, or a part of the run that the calling code belongs to. To be ended, by `end` or `fail`.
   * @param task what is asked of it, for `origin()`, as far as it is JSON
   * @throws KernelError EPERM where the policy does not accept isolation `host`
   */
  begin(task?: unknown): WrappedRun {
    const { host, agent, narrows, framework, session } = this.#parts
    const around = currentSession()
    const outer = around?.isOf(host) ? around : undefined
    if (session !== undefined) return partOf(session)
    if (outer !== undefined && (!narrows || outer.isOver || outer.isRunOf(agent))) return partOf(outer)
    const own = new Session(host, agent, { parent: outer, task: jsonOf(task), framework })
    return wholeOf(own, outer)
  }

  /**
   * Runs code as one run, or as a part of the run that the calling code belongs to.
   * @param work is handed the session, whose `signal` ends what the framework can end
   * @param task what is asked of it, for `origin()`, as far as it is JSON
   * @returns what the work gave, once all that led to it is on record
   * @throws KernelError where the policy refuses the run, or the process is ended before the work is; what the work throws
   */
  async run<T>(work: (session: Session) => T | Promise<T>, task?: unknown): Promise<T> {
    const run = this.begin(task)
    try {
      const value = await run.outcome(run.within(async () => work(run.session)))
      await run.end(value)
      return value
    } catch (error) {
      throw await run.fail(error)
    }
  }

  /** Models that the object asks; each call says which. */
  model(): WrappedModel {
    return {
      call: (ask, execute, read) => this.run((session) => callModel(session, ask, execute, read)),
      stream: async (ask, execute, read) => {
        const run = this.begin()
        try {
          const parts = await run.within(() => streamModel(run.session, ask, execute, read))
          return untilEnd(run, parts)
        } catch (error) {
          throw await run.fail(error)
        }
      },
    }
  }

  /**
   * @param definition what the framework says of the tool
   * @throws KernelError EINVAL for a name or a schema that is not sound, and for a tool that the policy in force cannot judge
   */
  tool(definition: WrappedDefinition): WrappedTool {
    const { host, tools } = this.#parts
    const said = Object.hasOwn(tools, definition.name) ? tools[definition.name] : {}
    const tool: Tool = readWrapped({ ...definition, ...said })
    host.tools.assertFits(tool)
    return {
      name: tool.name,
      call: async (args, execute, encode) => {
        const run = this.begin()
        try {
          const result = await callTool(run.session, tool, args, execute, encode)
          await run.end()
          return result
        } catch (error) {
          throw await run.fail(error)
        }
      },
    }
  }
}

/** What is read to its end, or not, within a run that ends with it. */
async function* untilEnd<Part>(
  run: WrappedRun,
  parts: AsyncIterable<Part>,
): AsyncGenerator<Part, void, void> {
  try {
    yield* parts
    await run.end()
  } catch (error) {
    throw await run.fail(error)
  } finally {
    await run.end().catch(() => {})
  }
}

/** Part of a process that somebody else ends. */
const partOf = (session: Session): WrappedRun => ({
  session,
  within: (work) => session.within(work),
  outcome: (work) => untilOver(session, work),
  end: async () => {},
  fail: async (error) =>
    session.isOver && !(error instanceof KernelError) ? await because(session, error) : error,
})

/** A process from its beginning to its end. */
const wholeOf = (session: Session, outer: Session | undefined): WrappedRun => ({
  session,
  within: (work) => session.within(work),
  outcome: (work) => untilOver(session, work),
  async end(value) {
    const { status } = await session.end(value)
    outer?.learnFrom(session)
    if (status !== 'exited') throw await session.ended()
  },
  async fail(error) {
    const { status } = await session.fail(error)
    outer?.learnFrom(session)
    return status === 'killed' ? await because(session, error) : error
  },
})

/** Frameworks put errors of their own around those of what they call. */
async function because(session: Session, error: unknown): Promise<KernelError> {
  if (error instanceof KernelError && error.signal !== undefined) return error
  const why = await session.ended()
  why.cause = error
  return why
}

function untilOver<T>(session: Session, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = (): void => void session.ended().then(reject)
    if (session.isOver) over()
    session.signal.addEventListener('abort', over, { once: true })
    work.then(resolve, reject).finally(() => session.signal.removeEventListener('abort', over))
  })
}

/** What was asked, as the list of arguments that it is to `origin()`; nothing of it where it is no JSON. */
function jsonOf(task: unknown): readonly Json[] | undefined {
  if (task === undefined) return undefined
  try {
    return [asJson(JSON.parse(JSON.stringify(task)), 'task')]
  } catch (error) {
    if (error instanceof SyscallError || error instanceof TypeError || error instanceof SyntaxError)
      return undefined
    throw error
  }
}
