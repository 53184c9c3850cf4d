/** The contract of integrations, with agents of the OpenAI Agents SDK. */
import {
  Agent,
  type FunctionTool,
  type Model,
  type ModelRequest,
  type ModelResponse,
  type StreamEvent,
  setTracingDisabled,
  tool,
  Usage,
} from '@openai/agents'
import { contract, type ScriptedTool, type ScriptedTurn, scriptedUsage } from '../../integrations/contract.ts'
import { OpenAIAgentsKernel } from '../../integrations/openai-agents/index.ts'

setTracingDisabled(true)

const { inputTokens, outputTokens } = scriptedUsage
const usage = { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens }

class ScriptedModel implements Model {
  readonly provider = 'test'
  readonly model = 'scripted'
  readonly #next: (prompt: string) => ScriptedTurn
  #turns = 0

  constructor(next: (prompt: string) => ScriptedTurn) {
    this.#next = next
  }

  async getResponse({ input }: ModelRequest): Promise<ModelResponse> {
    const { calls = [], text } = this.#next(JSON.stringify(input))
    this.#turns += 1
    const asked = calls.map(({ name, args }, index) => ({
      ...{ type: 'function_call' as const, status: 'completed' as const },
      ...{ callId: `call-${this.#turns}-${index}`, name, arguments: JSON.stringify(args) },
    }))
    const said = {
      ...{ type: 'message' as const, role: 'assistant' as const, status: 'completed' as const },
      content: [{ type: 'output_text' as const, text: text ?? '' }],
    }
    return { usage: new Usage(usage), output: text === undefined ? asked : [...asked, said] }
  }

  async *getStreamedResponse(request: ModelRequest): AsyncIterable<StreamEvent> {
    const { output } = await this.getResponse(request)
    for (const item of output)
      if (item.type === 'message')
        for (const part of item.content)
          if (typeof part === 'object' && 'text' in part)
            yield { type: 'output_text_delta', delta: part.text }
    yield { type: 'response_done', response: { id: `turn-${this.#turns}`, usage, output } } as StreamEvent
  }
}

const toolOf = ({ name, description, parameters, execute }: ScriptedTool): FunctionTool =>
  tool({
    ...{ name, description, strict: false as const, parameters: parameters as never },
    execute: (args, _context, details) => execute(args as never, details?.signal) ?? 'done',
  })

contract({
  framework: '@openai/agents',
  make({ kernel, options, tools, next }) {
    const gatehouse = new OpenAIAgentsKernel(kernel, options)
    const agent = new Agent({ name: 'desk', model: new ScriptedModel(next), tools: tools.map(toolOf) })
    const governed = gatehouse.wrap(agent)
    return {
      run: async (task) => (await gatehouse.run(governed, task)).finalOutput,
      async stream(task) {
        const result = await gatehouse.run(governed, task, { stream: true })
        let text = ''
        for await (const piece of result.toTextStream()) text += piece
        await result.completed
        return text
      },
      add: (added) => void agent.tools.push(toolOf(added)),
    }
  },
})
