/** Server-sent events as the provider writes them, one by one, and the tokens that they tell. */
import type { ModelUsage } from 'gatehouse'

export interface ProviderEvent {
  /** As it came, with the empty line that ends it. */
  readonly text: string
  /** What it says, where that is JSON; its text otherwise. */
  readonly data: unknown
}

/** @returns the events of a body; what comes after the last one as one more */
export async function* eventsOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<ProviderEvent> {
  if (body === null) return
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true })
    for (;;) {
      const end = /\r?\n\r?\n/.exec(rest)
      if (end === null) break
      const length = end.index + end[0].length
      yield eventOf(rest.slice(0, length))
      rest = rest.slice(length)
    }
  }
  rest += decoder.decode()
  if (rest !== '') yield eventOf(rest)
}

function eventOf(text: string): ProviderEvent {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('data:'))
  const data = lines.map((line) => line.slice('data:'.length).trim()).join('\n')
  try {
    return { text, data: JSON.parse(data) }
  } catch {
    return { text, data }
  }
}

/** @returns the tokens of a reply, or of an event that tells them; undefined where none are told */
export function usageOf(reply: unknown): ModelUsage | undefined {
  const { usage: plain, response } = (reply ?? {}) as { usage?: unknown; response?: { usage?: unknown } }
  const usage = (plain ?? response?.usage ?? {}) as Readonly<Record<string, unknown>>
  const inputTokens = usage['prompt_tokens'] ?? usage['input_tokens']
  const outputTokens = usage['completion_tokens'] ?? usage['output_tokens']
  if (typeof inputTokens !== 'number' || typeof outputTokens !== 'number') return undefined
  const details = (usage['prompt_tokens_details'] ?? usage['input_tokens_details'] ?? {}) as {
    readonly cached_tokens?: number
  }
  return { inputTokens, outputTokens, cachedTokens: details.cached_tokens }
}
