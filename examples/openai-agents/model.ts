/** A model that says what it was told to say beforehand, so that the example runs offline. */
import { type Model, type ModelResponse, Usage } from '@openai/agents'

type Turn = { readonly say: string } | { readonly ask: string; readonly args: object }

export class ScriptedModel implements Model {
  readonly provider = 'offline'
  readonly model = 'scripted'
  readonly #turns: Turn[]

  constructor(...turns: readonly Turn[]) {
    this.#turns = [...turns]
  }

  async getResponse(): Promise<ModelResponse> {
    const turn = this.#turns.shift() ?? { say: '' }
    const usage = new Usage({ inputTokens: 20, outputTokens: 10, totalTokens: 30 })
    if ('say' in turn)
      return { usage, output: [{ ...message, content: [{ type: 'output_text', text: turn.say }] }] }
    const { ask: name, args } = turn
    return {
      usage,
      output: [{ ...call, callId: `call-${this.#turns.length}`, name, arguments: JSON.stringify(args) }],
    }
  }

  getStreamedResponse(): never {
    throw new Error('this example does not stream')
  }
}

const message = { type: 'message', role: 'assistant', status: 'completed' } as const
const call = { type: 'function_call', status: 'completed' } as const
