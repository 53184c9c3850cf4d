/** What each integration cannot promise, and why: the contract leaves it out by name, and docs/integrations.md shows it. */
import type { Claim } from '../../integrations/contract.ts'

export const cannot = {
  langchain: {},
  'openai-agents': {},
  openai: {},
  'vercel-ai': {},
  mastra: {},
} as const satisfies Readonly<Record<string, Partial<Readonly<Record<Claim, string>>>>>
