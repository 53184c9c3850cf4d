/** What each integration cannot promise, and why: the contract leaves it out by name, and docs/integrations.md shows it. */
import type { Claim } from '../../integrations/contract.ts'

const noModel = 'MCP brings tools only: the model is asked by whoever has the client'

export const cannot = {
  'vercel-ai': {},
  openai: {},
  langchain: {},
  'openai-agents': {},
  mcp: { model: noModel, tokens: noModel, stream: noModel },
  mastra: {},
} as const satisfies Readonly<Record<string, Partial<Readonly<Record<Claim, string>>>>>
