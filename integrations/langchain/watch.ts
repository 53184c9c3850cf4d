/**
 * Is told by LangChain of each model and each tool that a governed run calls, and answers before it goes on: models pass the
 * gate here, and a tool that does not come through a wrapped one is refused. LangChain waits for it and lets it throw.
 */
import { BaseCallbackHandler } from '@langchain/core/callbacks/base'
import { getContextVariable } from '@langchain/core/context'
import type { BaseMessage } from '@langchain/core/messages'
import type { LLMResult } from '@langchain/core/outputs'
import { KernelError, type Session, SyscallError, type WrappedTool, type Wrapping } from 'gatehouse'
import { askOf, ModelCalls, type Params } from './models.ts'

/** The context variable, and the name of the handler: LangChain takes one of a name. */
export const watchName = 'gatehouse'

export class Watch extends BaseCallbackHandler {
  override readonly name = watchName
  override raiseError = true
  override awaitHandlers = true
  readonly session: Session
  /** By this name, calls that are refused because they do not come through a wrapped tool are on record. */
  readonly #unwrapped: WrappedTool
  readonly #models: ModelCalls
  /** Runs of tools that have passed the gate. */
  readonly #expected = new Set<string>()

  readonly #unseen: ReadonlySet<string>

  constructor(session: Session, wrapping: Wrapping, unseen: ReadonlySet<string>) {
    super()
    this.#unseen = unseen
    this.session = session
    this.#models = new ModelCalls(session, wrapping)
    this.#unwrapped = wrapping.tool({ name: 'unwrapped', description: 'a tool that was not wrapped' })
  }

  /** The next tool of that run has passed the gate. */
  expect(runId: string): void {
    this.#expected.add(runId)
  }

  override async handleChatModelStart(
    _model: object,
    [messages = []]: BaseMessage[][],
    runId: string,
    ...rest: unknown[]
  ): Promise<void> {
    await this.#begin(messages, runId, rest)
  }

  override async handleLLMStart(
    _model: object,
    prompts: string[],
    runId: string,
    ...rest: unknown[]
  ): Promise<void> {
    await this.#begin(prompts, runId, rest)
  }

  override async handleLLMNewToken(_token: string, _at: object, runId: string): Promise<void> {
    await this.#models.piece(runId)
  }

  override async handleLLMEnd(result: LLMResult, runId: string): Promise<void> {
    await this.#models.end(runId, result)
  }

  override async handleLLMError(error: unknown, runId: string): Promise<void> {
    await this.#models.fail(runId, error)
  }

  override async handleToolStart(
    tool: object,
    _input: string,
    runId: string,
    ...rest: unknown[]
  ): Promise<void> {
    if (this.#expected.delete(runId)) return
    const runName = rest[3]
    await this.#refuse(typeof runName === 'string' ? runName : classOf(tool))
  }

  async #begin(
    prompt: readonly BaseMessage[] | readonly string[],
    runId: string,
    [, params, , metadata]: readonly unknown[],
  ): Promise<void> {
    const ask = askOf(prompt, metadata as Parameters<typeof askOf>[1], (params ?? {}) as Params, this.#unseen)
    await this.#models.begin(runId, ask)
  }

  async #refuse(name: string): Promise<never> {
    const message = `the tool \`${name}\` is called from code that the kernel does not reach: wrap it before that code gets it, as in \`const [tool] = gatehouse.wrap([tool])\``
    const refuse = (): never => {
      throw new SyscallError('EPERM', message)
    }
    await this.session.within(() => this.#unwrapped.call({ tool: name }, refuse))
    throw new KernelError('EPERM', message)
  }
}

/** The watch of the run that the calling code belongs to. */
export function watchHere(): Watch | undefined {
  const watch: unknown = getContextVariable(watchName)
  return watch instanceof Watch ? watch : undefined
}

const classOf = (tool: object): string => {
  const { id } = tool as { readonly id?: unknown }
  return Array.isArray(id) ? String(id.at(-1)) : 'unknown'
}
