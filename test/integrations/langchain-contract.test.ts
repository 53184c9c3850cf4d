/** The contract of integrations, with agents of LangChain, graphs of LangGraph, and code that calls its model itself. */
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages'
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs'
import { type DynamicStructuredTool, tool } from '@langchain/core/tools'
import { MessagesAnnotation, StateGraph } from '@langchain/langgraph'
import { createReactAgent, ToolNode } from '@langchain/langgraph/prebuilt'
import { createAgent, createMiddleware } from 'langchain'
import { vi } from 'vitest'
import {
  type Adapter,
  contract,
  type ScriptedTool,
  type ScriptedTurn,
  scriptedUsage,
} from '../../integrations/contract.ts'
import { LangChainKernel } from '../../integrations/langchain/index.ts'

// LangChain writes there what a callback throws, which is how a model is refused.
vi.spyOn(console, 'error').mockImplementation(() => undefined)

/** Says what it is told to say, whole or in pieces. */
class ScriptedModel extends BaseChatModel {
  readonly #next: (prompt: string) => ScriptedTurn

  constructor(next: (prompt: string) => ScriptedTurn) {
    super({})
    this.#next = next
  }

  override _llmType(): string {
    return 'scripted'
  }

  override getLsParams() {
    return { ls_provider: 'test', ls_model_name: 'scripted', ls_model_type: 'chat' as const }
  }

  override bindTools(tools: unknown[]) {
    return this.withConfig({ tools } as never)
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const message = new AIMessage(this.#said(messages) as never)
    return { generations: [{ text: String(message.content), message }] }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    _options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const { content, tool_calls, usage_metadata } = this.#said(messages)
    for (const piece of content.match(/.{1,2}/g) ?? [''])
      yield* this.#piece(new AIMessageChunk({ content: piece }), run)
    yield* this.#piece(new AIMessageChunk({ content: '', tool_calls, usage_metadata } as never), run)
  }

  async *#piece(
    message: AIMessageChunk,
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const text = String(message.content)
    const chunk = new ChatGenerationChunk({ text, message })
    yield chunk
    await run?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk })
  }

  #said(messages: BaseMessage[]) {
    const { calls = [], text = '' } = this.#next(
      messages.map(({ content }) => JSON.stringify(content)).join('\n'),
    )
    return {
      content: text,
      tool_calls: calls.map(({ name, args }, index) => ({
        ...{ name, args: { ...args }, id: `call-${messages.length}-${index}`, type: 'tool_call' as const },
      })),
      usage_metadata: {
        ...{ input_tokens: scriptedUsage.inputTokens, output_tokens: scriptedUsage.outputTokens },
        total_tokens: scriptedUsage.inputTokens + scriptedUsage.outputTokens,
      },
    }
  }
}

const toolOf = ({ name, description, parameters, execute }: ScriptedTool): DynamicStructuredTool =>
  tool((args, config) => execute(args as never, config?.signal) ?? 'done', {
    ...{ name, description, schema: parameters as never },
  }) as unknown as DynamicStructuredTool

interface Loop {
  invoke(input: object): Promise<{ readonly messages: readonly BaseMessage[] }>
  stream(input: object, config: object): Promise<AsyncIterable<readonly [BaseMessage, object]>>
}

const agentOf = (loop: Loop) => ({
  async run(task: string) {
    const { messages } = await loop.invoke({ messages: [{ role: 'user', content: task }] })
    return messages.at(-1)?.content
  },
  async stream(task: string) {
    let text = ''
    const input = { messages: [{ role: 'user', content: task }] }
    for await (const [message] of await loop.stream(input, { streamMode: 'messages' }))
      text += String(message.content)
    return text
  },
})

const framework = '@langchain/core'

const withCreateAgent: Adapter = {
  framework,
  make({ kernel, options, tools, next }) {
    const later: DynamicStructuredTool[] = []
    const brings = createMiddleware({
      name: 'brings',
      wrapToolCall(request, handler) {
        const brought = later.find(({ name }) => name === request.toolCall.name)
        return handler(brought === undefined ? request : { ...request, tool: brought as never })
      },
    })
    const agent = createAgent({
      model: new ScriptedModel(next),
      tools: tools.map(toolOf),
      middleware: [brings],
    })
    const governed = new LangChainKernel(kernel, options).wrap(agent)
    return { ...agentOf(governed as unknown as Loop), add: (added) => void later.push(toolOf(added)) }
  },
}

const withCreateReactAgent: Adapter = {
  framework,
  make({ kernel, options, tools, next }) {
    const own = tools.map(toolOf)
    const graph = createReactAgent({ llm: new ScriptedModel(next), tools: new ToolNode(own) })
    const governed = new LangChainKernel(kernel, options).wrap(graph)
    return { ...agentOf(governed as unknown as Loop), add: (added) => void own.push(toolOf(added)) }
  },
}

/** A graph as the documentation of LangGraph writes it, with nodes that are functions. */
const withFunctions: Adapter = {
  framework,
  make({ kernel, options, tools, next }) {
    const gatehouse = new LangChainKernel(kernel, options)
    const model = new ScriptedModel(next)
    const own = gatehouse.wrap(tools.map(toolOf))
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addNode('tools', async ({ messages }) => {
        const { tool_calls: calls = [] } = messages.at(-1) as AIMessage
        const answers = calls.map((call) =>
          own.find(({ name }) => name === call.name)?.invoke({ ...call, type: 'tool_call' }),
        )
        return { messages: await Promise.all(answers as Promise<BaseMessage>[]) }
      })
      .addEdge('__start__', 'model')
      .addConditionalEdges('model', ({ messages }) =>
        (messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : '__end__',
      )
      .addEdge('tools', 'model')
      .compile()
    return {
      ...agentOf(gatehouse.wrap(graph) as unknown as Loop),
      add: (added) => void own.push(toolOf(added)),
    }
  },
}

for (const adapter of [withCreateAgent, withCreateReactAgent, withFunctions]) contract(adapter)
