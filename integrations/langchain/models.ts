/**
 * Calls of models, between the callbacks that LangChain gives before and after: it waits for both, and goes on only where
 * they do not throw. So a model is governed wherever it is called, in code that the kernel does not reach too.
 */
import type { BaseMessage } from '@langchain/core/messages'
import type { LLMResult } from '@langchain/core/outputs'
import {
  KernelError,
  type ModelAsk,
  type ModelReply,
  type ModelSaid,
  type Session,
  type Wrapping,
} from 'gatehouse'

interface Pending {
  readonly ended: PromiseWithResolvers<LLMResult>
  readonly over: Promise<ModelReply<LLMResult>>
}

export class ModelCalls {
  readonly #session: Session
  readonly #wrapping: Wrapping
  readonly #pending = new Map<string, Pending>()

  constructor(session: Session, wrapping: Wrapping) {
    this.#session = session
    this.#wrapping = wrapping
  }

  /** Resolves when the call is admitted. @throws KernelError where it is not */
  async begin(runId: string, ask: ModelAsk): Promise<void> {
    const admitted = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<LLMResult>()
    const execute = ({ signal }: { readonly signal: AbortSignal }): Promise<LLMResult> => {
      signal.addEventListener('abort', () => ended.reject(signal.reason), { once: true })
      admitted.resolve()
      return ended.promise
    }
    const over = this.#session.within(() => this.#wrapping.model().call(ask, execute, said))
    over.catch(admitted.reject)
    await admitted.promise
    this.#pending.set(runId, { ended, over })
  }

  /** Between two pieces of a reply: a process that is stopped gets none. */
  async piece(runId: string): Promise<void> {
    if (this.#pending.has(runId)) await this.#session.untilRunning()
  }

  /** @throws KernelError where the reply may not be used: nothing can be taken out of it here */
  async end(runId: string, result: LLMResult): Promise<void> {
    const call = this.#take(runId)
    if (call === undefined) return
    call.ended.resolve(result)
    const { returned } = await call.over
    if (returned === undefined)
      throw new KernelError(
        'EPERM',
        'the reply of the model holds what a rule takes out, and is withheld as a whole',
      )
  }

  async fail(runId: string, error: unknown): Promise<void> {
    const call = this.#take(runId)
    if (call === undefined) return
    call.ended.reject(error)
    // It is what the model itself threw, and on its way already.
    await call.over.catch(() => undefined)
  }

  #take(runId: string): Pending | undefined {
    const call = this.#pending.get(runId)
    this.#pending.delete(runId)
    return call
  }
}

/** What LangChain says of a call besides its messages. */
export interface Params {
  readonly invocation_params?: Readonly<Record<string, unknown>> | undefined
  readonly options?: Readonly<Record<string, unknown>> | undefined
}

/**
 * @param metadata names the provider and the model, as LangChain's own traces do
 * @param unseen tools that may run where the kernel sees nothing of them
 * @throws KernelError EPERM for any other such tool
 */
export function askOf(
  messages: readonly BaseMessage[] | readonly string[],
  metadata: Readonly<Record<string, unknown>> | undefined,
  { invocation_params: params = {}, options = {} }: Params,
  unseen: ReadonlySet<string>,
): ModelAsk {
  const { ls_provider: provider = 'unknown', ls_model_name: model = params.model } = metadata ?? {}
  const tokensMax = [params.max_tokens, params.maxTokens, metadata?.ls_max_tokens].find(
    (it) => typeof it === 'number',
  )
  const tools = [params.tools, options.tools].find((it) => Array.isArray(it)) ?? []
  const offered = tools as readonly unknown[]
  const hosted = offered
    .filter(isHosted)
    .map(nameOf)
    .find((name) => !unseen.has(name))
  if (hosted !== undefined)
    throw new KernelError(
      'EPERM',
      `the tool \`${hosted}\` is run by the provider of the model, where no call of it passes the kernel; make it a tool of the application, or accept it by the option \`unseen: ['${hosted}']\``,
    )
  return {
    model: `${provider}/${model ?? 'unknown'}`,
    prompt: messages.map((message) => (typeof message === 'string' ? message : shown(message))),
    ...(typeof tokensMax === 'number' && { tokensMax }),
    tools: offered.map(nameOf),
  }
}

/** What of a message a model is sent, or has said. */
function shown(message: BaseMessage): unknown {
  const {
    content,
    tool_calls: calls,
    tool_call_id: answers,
  } = message as BaseMessage & {
    readonly tool_calls?: readonly unknown[]
    readonly tool_call_id?: string
  }
  const asked = calls === undefined || calls.length === 0 ? {} : { tool_calls: calls }
  return JSON.parse(
    JSON.stringify({ role: message.getType(), content, ...asked, ...(answers !== undefined && { answers }) }),
  )
}

function said(result: LLMResult): ModelSaid {
  const replies = result.generations.flat() as readonly {
    readonly text: string
    readonly message?: BaseMessage
  }[]
  const value = replies.map(({ text, message }) => (message === undefined ? text : shown(message)))
  const usage = usageOf(result, replies)
  return { value, ...(usage !== undefined && { usage }) }
}

function usageOf(
  { llmOutput }: LLMResult,
  replies: readonly { readonly message?: BaseMessage }[],
): ModelSaid['usage'] {
  for (const { message } of replies) {
    const { usage_metadata: usage } = (message ?? {}) as {
      readonly usage_metadata?: { readonly input_tokens: number; readonly output_tokens: number }
    }
    if (usage !== undefined) return { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens }
  }
  const { promptTokens, completionTokens } = (llmOutput?.tokenUsage ?? {}) as Readonly<
    Record<string, unknown>
  >
  if (typeof promptTokens !== 'number' || typeof completionTokens !== 'number') return undefined
  return { inputTokens: promptTokens, outputTokens: completionTokens }
}

/** Members that say what a tool takes, in the forms that providers have for tools of the application. */
const takes: readonly string[] = [
  ...['function', 'input_schema', 'inputSchema', 'parameters', 'schema', 'functionDeclarations', 'toolSpec'],
]

/** Tools are offered to models in the form that their provider has for them, each of which has a name somewhere. */
function nameOf(tool: unknown): string {
  const { name, function: inner, type } = fieldsOf(tool)
  const names = [name, (inner as { readonly name?: unknown } | undefined)?.name, type]
  return names.find((it) => typeof it === 'string') ?? Object.keys(fieldsOf(tool))[0] ?? 'unknown'
}

/** Whether it is run by the provider of the model: the application is not asked, and nobody is told. */
const isHosted = (tool: unknown): boolean =>
  fieldsOf(tool).type !== 'function' && !takes.some((key) => key in fieldsOf(tool))

const fieldsOf = (tool: unknown): { readonly [key: string]: unknown } =>
  typeof tool === 'object' && tool !== null ? (tool as { readonly [key: string]: unknown }) : {}
