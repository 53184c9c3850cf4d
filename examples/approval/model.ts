/** A model that says what is written here, so that the example runs without a key: any model of the AI SDK takes its place. */
import { MockLanguageModelV4 } from 'ai/test'

const says = [
  { tool: 'search', input: { order: 7 } },
  { tool: 'mail', input: { to: 'ann@example.com', text: 'Your order 7 was delivered.' } },
  { tool: 'mail', input: { to: 'ann@example.com', text: 'You get a refund of 500.' } },
]
let turn = 0

export const model = new MockLanguageModelV4({
  ...{ provider: 'scripted', modelId: 'clerk' },
  doGenerate: async () => {
    const next = says[turn++]
    const [content, reason] =
      next === undefined
        ? ([{ type: 'text', text: 'Ann knows where her order is.' }, 'stop'] as const)
        : ([
            {
              type: 'tool-call',
              toolCallId: `${turn}`,
              toolName: next.tool,
              input: JSON.stringify(next.input),
            },
            'tool-calls',
          ] as const)
    return {
      content: [content],
      finishReason: { unified: reason, raw: reason },
      usage: {
        inputTokens: { total: 20, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
        outputTokens: { total: 10, text: undefined, reasoning: undefined },
      },
      warnings: [],
    }
  },
})
