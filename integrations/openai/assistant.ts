/** Assistants that OpenAI runs and whose functions run here: each run is one process, each function goes through the gate. */
import type { WrappedTool, Wrapping } from 'gatehouse'
import type OpenAI from 'openai'
import { usageOf } from './events.ts'
import { answerOf, readText } from './runner.ts'

export interface AssistantTool {
  readonly description?: string
  /** JSON Schema, as the assistant was made with it; without one the arguments are any JSON. */
  readonly parameters?: unknown
  readonly execute: (args: never, signal: AbortSignal) => unknown
}

export interface AssistantOptions {
  readonly assistantId: string
  /** Its functions by their names; looked up when they are called. */
  readonly tools: Readonly<Record<string, AssistantTool>>
}

type Run = Awaited<ReturnType<OpenAI['beta']['threads']['runs']['createAndPoll']>>

export class AssistantRunner {
  readonly #client: OpenAI
  readonly #options: AssistantOptions
  readonly #wrapping: Wrapping
  readonly #model: string
  readonly #wrapped = new WeakMap<AssistantTool, WrappedTool>()

  /** @internal */
  constructor(client: OpenAI, options: AssistantOptions, wrapping: Wrapping, provider: string) {
    this.#client = client
    this.#options = options
    this.#wrapping = wrapping
    this.#model = `${provider}/${options.assistantId}`
  }

  /**
   * Runs the assistant on a thread, until it waits for none of its functions any more.
   * @returns the run as OpenAI has it in the end
   * @throws KernelError where its model is refused or the process is ended
   */
  run(threadId: string, body: Readonly<Record<string, unknown>> = {}): Promise<Run> {
    const { runs } = this.#client.beta.threads
    return this.#wrapping.run(async ({ signal }) => {
      const { assistantId } = this.#options
      const first = { ...body, assistant_id: assistantId }
      let run = await this.#ask(first, () => runs.createAndPoll(threadId, first as never, { signal }))
      while (run.status === 'requires_action' && run.required_action !== null) {
        const { tool_calls: calls } = run.required_action.submit_tool_outputs
        const outputs = await Promise.all(calls.map((call) => this.#call(call)))
        const { id } = run
        const next = { thread_id: threadId, tool_outputs: outputs }
        run = await this.#ask(next, () => runs.submitToolOutputsAndPoll(id, next, { signal }))
      }
      return run
    })
  }

  async #ask(prompt: object, send: () => Promise<Run>): Promise<Run> {
    const ask = { model: this.#model, prompt, tools: Object.keys(this.#options.tools) }
    const { value } = await this.#wrapping
      .model()
      .call(ask, send, (run) => ({ value: run, usage: usageOf(run) }))
    return value as unknown as Run
  }

  async #call({
    id,
    function: { name, arguments: text },
  }: {
    readonly id: string
    readonly function: { readonly name: string; readonly arguments: string }
  }): Promise<{ readonly tool_call_id: string; readonly output: string }> {
    const tool = Object.hasOwn(this.#options.tools, name) ? this.#options.tools[name] : undefined
    if (tool === undefined) return { tool_call_id: id, output: `Error: there is no function \`${name}\`` }
    const result = await this.#toolOf(name, tool).call(readText(text), (args, { signal }) =>
      tool.execute(args as never, signal),
    )
    const output = answerOf(result)
    return { tool_call_id: id, output: typeof output === 'string' ? output : JSON.stringify(output) }
  }

  #toolOf(name: string, tool: AssistantTool): WrappedTool {
    const known = this.#wrapped.get(tool)
    if (known !== undefined) return known
    const { description, parameters = {} } = tool
    const wrapped = this.#wrapping.tool({ name, description, schema: parameters })
    this.#wrapped.set(tool, wrapped)
    return wrapped
  }
}
