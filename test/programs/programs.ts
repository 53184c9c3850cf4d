/** The agents made of real packages: which each is made of, what it has to come back with, and what it asks for. */

export interface ProgramCase {
  /** The file in `agents/`. */
  readonly agent: string
  /** Those that it imports, whose versions the table shows. */
  readonly packages: readonly string[]
  /** What of them runs, in the words of the table. */
  readonly runs: string
  /** The JSON that it returns. */
  readonly value: unknown
  /** What it asks its server for, in its order. */
  readonly requests: readonly string[]
}

/** What the models say; with letters of two, three and four bytes, which are cut on the way. */
export const greeting = 'Hej, världen 🌍! 今日は。'
export const forecast = 'Oslo has 3 °C, Lima 19 °C.'
export const celsius: Readonly<Record<string, number>> = { Oslo: 3, Lima: 19 }

const spoken = { whole: greeting, streamed: greeting, tools: forecast }
const four = (path: string): readonly string[] => [path, path, path, path].map((each) => `POST ${each}`)
const [chat, responses] = ['/v1/chat/completions', '/v1/responses']

export const programs: readonly ProgramCase[] = [
  {
    agent: 'openai-chat',
    packages: ['openai'],
    runs: 'chat completions: whole, streamed, a loop of tool calls',
    value: spoken,
    requests: four(chat),
  },
  {
    agent: 'openai-responses',
    packages: ['openai'],
    runs: 'responses: whole, streamed, a streamed loop of tool calls',
    value: spoken,
    requests: four(responses),
  },
  {
    agent: 'anthropic',
    packages: ['@anthropic-ai/sdk'],
    runs: 'messages: whole, streamed, a streamed loop of tool calls',
    value: spoken,
    requests: four('/v1/messages'),
  },
  {
    agent: 'vercel-ai',
    packages: ['ai', '@ai-sdk/openai'],
    runs: '`generateText`, `streamText`, `generateText` with tools',
    value: spoken,
    requests: [...four(responses).slice(2), ...four(chat).slice(2)],
  },
  {
    agent: 'openai-agents',
    packages: ['@openai/agents', 'openai', 'zod'],
    runs: 'an agent run whole, one streamed, one with a tool',
    value: spoken,
    requests: four(responses),
  },
  {
    agent: 'langchain',
    packages: ['langchain', '@langchain/openai', 'zod'],
    runs: 'a model whole and streamed, `createAgent` with a tool',
    value: spoken,
    requests: four(chat),
  },
  {
    agent: 'langgraph',
    packages: ['@langchain/langgraph', '@langchain/core', '@langchain/openai', 'zod'],
    runs: 'a graph of a model and its tools: run whole, streamed, with a tool',
    value: spoken,
    requests: four(chat),
  },
  {
    agent: 'mcp',
    packages: ['@modelcontextprotocol/sdk'],
    runs: 'the client over streamable HTTP: tools listed, one called, one that fails',
    value: {
      names: ['weather'],
      content: [{ type: 'text', text: '3 °C' }],
      refused: { isError: true, content: [{ type: 'text', text: 'Error: no weather of Atlantis' }] },
    },
    requests: ['POST /mcp', 'POST /mcp', 'GET /mcp', 'POST /mcp', 'POST /mcp', 'POST /mcp'],
  },
]
