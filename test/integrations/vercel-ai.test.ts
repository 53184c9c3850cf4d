/** The contract with the real package `ai`, and what is its own. */
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { jsonSchema, stepCountIs, ToolLoopAgent, type ToolSet, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { expect, test } from 'vitest'
import { contract, type Scene, type ScriptedTool, scriptedUsage } from '../../integrations/contract.ts'
import { VercelAIKernel } from '../../integrations/vercel-ai/index.ts'
import { boot } from '../support/kernel.ts'
import { cannot } from './cannot.ts'

const usage = {
  inputTokens: {
    total: scriptedUsage.inputTokens,
    noCache: undefined,
    cacheRead: undefined,
    cacheWrite: undefined,
  },
  outputTokens: { total: scriptedUsage.outputTokens, text: undefined, reasoning: undefined },
}

function contentOf({ next }: Pick<Scene, 'next'>, prompt: unknown) {
  const { calls = [], text } = next(JSON.stringify(prompt))
  const finish = calls.length > 0 ? ('tool-calls' as const) : ('stop' as const)
  return {
    finishReason: { unified: finish, raw: finish },
    content: [
      ...calls.map(({ name, args }, index) => ({
        ...{ type: 'tool-call' as const, toolCallId: `${name}-${index}`, toolName: name },
        input: JSON.stringify(args),
      })),
      ...(text === undefined ? [] : [{ type: 'text' as const, text }]),
    ],
  }
}

function scripted(scene: Pick<Scene, 'next'>): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    ...{ provider: 'test.chat', modelId: 'scripted' },
    doGenerate: async ({ prompt }) => ({ ...contentOf(scene, prompt), usage, warnings: [] }),
    doStream: async ({ prompt }) => {
      const { content, finishReason } = contentOf(scene, prompt)
      const parts = content.flatMap((part): LanguageModelV4StreamPart[] =>
        part.type === 'tool-call'
          ? [part]
          : [
              { type: 'text-start', id: '0' },
              { type: 'text-delta', id: '0', delta: part.text },
              { type: 'text-end', id: '0' },
            ],
      )
      const all: LanguageModelV4StreamPart[] = [
        { type: 'stream-start', warnings: [] },
        ...parts,
        { type: 'finish', finishReason, usage },
      ]
      return { stream: ReadableStream.from(all) as ReadableStream<LanguageModelV4StreamPart> }
    },
  })
}

const toolOf = ({ description, parameters, execute }: ScriptedTool) =>
  tool({
    description,
    inputSchema: jsonSchema<object>(parameters),
    execute: async (args: object, { abortSignal }): Promise<unknown> => execute(args as never, abortSignal),
  })

contract({
  framework: 'ai',
  cannot: cannot['vercel-ai'],
  make(scene) {
    const governed = new VercelAIKernel(scene.kernel, scene.options)
    const tools: ToolSet = Object.fromEntries(scene.tools.map((each) => [each.name, toolOf(each)]))
    const model = scripted(scene)
    const more = { model, tools, stopWhen: stepCountIs(30) }
    return {
      run: async (prompt) => (await governed.generateText({ ...more, prompt })).text,
      stream: async (prompt) => {
        const result = governed.streamText({ ...more, prompt, onError: () => {} })
        for await (const part of result.fullStream) if (part.type === 'error') throw part.error
        return await result.text
      },
      add: (added) => {
        tools[added.name] = toolOf(added)
      },
    }
  },
})

test('an agent made of governed parts is one process for each run, streamed or not', async () => {
  const kernel = boot()
  const governed = new VercelAIKernel(kernel, { name: 'loop' })
  const script = [{ calls: [{ name: 'go', args: { text: 'x' } }] }, { text: 'done' }]
  let asked = 0
  const next = () => script[asked++ % 2] ?? {}
  const go = { name: 'go', description: 'goes', parameters: { type: 'object' }, execute: () => 'gone' }
  const tools: ToolSet = { go: toolOf(go) }
  const agent = governed.wrap(
    new ToolLoopAgent({ model: governed.model(scripted({ next })), tools: governed.tools(tools) }),
  )
  expect((await agent.generate({ prompt: 'go' })).text).toBe('done')
  expect(await (await agent.stream({ prompt: 'go' })).text).toBe('done')
  const spawned = kernel.evidence.entries().filter(({ kind }) => kind === 'spawn')
  expect(spawned).toMatchObject([{ agent: 'loop' }, { agent: 'loop' }])
})
