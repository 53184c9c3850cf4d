/** A model of the AI SDK that says what a script says, whole and streamed. */
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { MockLanguageModelV4 } from 'ai/test'
import { type Scene, scriptedUsage } from '../../integrations/contract.ts'

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

export function scripted(scene: Pick<Scene, 'next'>): MockLanguageModelV4 {
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
