/** What a span says: its name and attributes, by the semantic conventions where one fits. */
import type { Entry } from '../entry.ts'
import { decisionOf, isObject, nameOf, numberOf, payloadsOf, textOf, textsOf } from './fields.ts'

/** `real`: a number that is one with decimals, even where it has none. */
export type AttributeValue = string | number | readonly string[] | { readonly real: number }
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

/** Calls of models, as the conventions name what they do. */
const modelOperations: Readonly<Record<string, string>> = {
  'llm.generate': 'chat',
  'llm.stream': 'chat',
  'llm.embed': 'embeddings',
}

export function titleOf(entry: Entry): { readonly name: string; readonly isClient: boolean } {
  const { kind, agent, syscall, resource } = entry
  if (kind === 'spawn') return { name: `invoke_agent ${textOf(agent)}`, isClient: false }
  if (syscall === 'tool.call') return { name: `execute_tool ${textOf(resource)}`, isClient: false }
  const operation = modelOperations[textOf(syscall)]
  if (operation !== undefined) return { name: `${operation} ${textOf(resource)}`, isClient: true }
  return { name: textOf(syscall), isClient: syscall === 'net.fetch' }
}

/** By the semantic conventions where one fits, under our own name otherwise. */
export function attributesOf(entry: Entry): Attributes {
  const { run, pid, agent, isolation, syscall, resource, kind } = entry
  const own = {
    'gatehouse.entry': entry.seq,
    'gatehouse.run': run,
    'gatehouse.pid': pid,
    'gatehouse.isolation': textOf(isolation),
    'gatehouse.labels': some(textsOf(entry.labels)),
    'gen_ai.agent.name': textOf(agent),
  }
  if (kind === 'spawn')
    return {
      ...own,
      'gen_ai.operation.name': 'invoke_agent',
      'gatehouse.ppid': numberOf(entry.ppid),
      'gatehouse.policy': textOf(entry.policy),
    }
  const decision = decisionOf(entry)
  return {
    ...own,
    ...(syscall === 'tool.call' && {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': textOf(resource),
      'gen_ai.tool.call.id': textOf(entry.call),
      'gen_ai.tool.type': 'function',
    }),
    ...(syscall === 'net.fetch' && serverOf(textOf(resource))),
    ...modelOf(textOf(syscall), textOf(resource)),
    'gatehouse.syscall': textOf(syscall),
    'gatehouse.resource': textOf(resource),
    'gatehouse.call': numberOf(entry.call),
    'gatehouse.decision': decision?.effect,
    'gatehouse.rules': decision && some(decision.rules.map(nameOf)),
    'gatehouse.policy': decision?.policy || undefined,
    'gatehouse.observed': decision?.observed?.effect,
  }
}

function modelOf(syscall: string, resource: string): Attributes {
  const operation = modelOperations[syscall]
  if (operation === undefined) return {}
  const slash = resource.indexOf('/')
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': resource.slice(0, Math.max(0, slash)),
    'gen_ai.request.model': resource.slice(slash + 1),
  }
}

/** What a model has cost, as far as an entry says it. */
export function costOf({ cost }: Entry): Attributes {
  if (!isObject(cost)) return {}
  const dollars = numberOf(cost.costUsd)
  return {
    'gen_ai.usage.input_tokens': numberOf(cost.inputTokens),
    'gen_ai.usage.output_tokens': numberOf(cost.outputTokens),
    'gatehouse.cost_usd': dollars === undefined ? undefined : { real: dollars },
  }
}

function serverOf(resource: string): Attributes {
  const url = URL.parse(resource)
  if (url === null || url.hostname === '') return {}
  return {
    'server.address': url.hostname,
    'server.port': url.port === '' ? undefined : Number(url.port),
    'url.scheme': url.protocol.slice(0, -1),
    'url.path': url.pathname,
  }
}

export function usageOf({ usage }: Entry): Attributes {
  if (!isObject(usage)) return {}
  return {
    'gatehouse.usage.cpu_ms': { real: numberOf(usage.cpuMs) ?? 0 },
    'gatehouse.usage.syscalls': numberOf(usage.syscalls),
    'gatehouse.usage.tokens': numberOf(usage.tokens),
    'gatehouse.usage.cost_usd': { real: numberOf(usage.costUsd) ?? 0 },
  }
}

/** What a tool was given and gave back has a name in the conventions; everything else is ours. */
const toolNames: Readonly<Record<string, string>> = {
  args: 'gen_ai.tool.call.arguments',
  result: 'gen_ai.tool.call.result',
}

/** @param from the entry that names the payloads; of a start only the arguments, since programs are no news of a run */
export function payloadNames(first: Entry, from: Entry): Readonly<Record<string, string>> {
  const wanted = payloadsOf(from).filter(([field]) => ['args', 'result', 'value'].includes(field))
  const isTool = first.syscall === 'tool.call'
  return Object.fromEntries(
    wanted.map(([field, { hash: name }]) => [(isTool && toolNames[field]) || `gatehouse.${field}`, name]),
  )
}

export const some = (texts: readonly string[]): readonly string[] | undefined =>
  texts.length === 0 ? undefined : texts

export const optional = (value: unknown): string | undefined => textOf(value) || undefined
