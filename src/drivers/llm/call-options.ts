/** A prompt as the AI SDK's model interface takes it (LanguageModelV4). */
import type { LanguageModelV4CallOptions, LanguageModelV4Message } from '@ai-sdk/provider'
import type { Json } from '../../json.ts'
import type { Message, Prompt, ToolResultPart } from './model.ts'

/** @param signal aborts the request */
export function callOptionsOf(prompt: Prompt, signal: AbortSignal): LanguageModelV4CallOptions {
  const { messages, tools, toolChoice, tokensMax, temperature, topP, stop, seed, schema } = prompt
  return {
    prompt: messages.map(messageOf),
    maxOutputTokens: tokensMax,
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && { stopSequences: [...stop] }),
    ...(schema !== undefined && { responseFormat: { type: 'json', schema: schema as object } }),
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        name,
        ...(description !== undefined && { description }),
        inputSchema: parameters as object,
      })),
      toolChoice: choiceOf(toolChoice),
    }),
    abortSignal: signal,
  }
}

function choiceOf(choice: Prompt['toolChoice']): NonNullable<LanguageModelV4CallOptions['toolChoice']> {
  if (typeof choice === 'object') return { type: 'tool', toolName: choice.tool }
  return { type: choice ?? 'auto' }
}

function messageOf(message: Message): LanguageModelV4Message {
  switch (message.role) {
    case 'system':
      return message
    case 'user':
      return {
        role: 'user',
        content: partsOf(message.content).map((part) =>
          part.type === 'text'
            ? part
            : {
                type: 'file',
                mediaType: part.mediaType,
                data: { type: 'data', data: part.base64 },
                ...(part.filename !== undefined && { filename: part.filename }),
              },
        ),
      }
    case 'assistant':
      return { role: 'assistant', content: [...partsOf(message.content)] }
    case 'tool':
      return { role: 'tool', content: message.content.map(resultOf) }
  }
}

const partsOf = <Part>(content: string | readonly Part[]) =>
  typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content

function resultOf({ toolCallId, toolName, output, isError = false }: ToolResultPart) {
  const shown =
    typeof output === 'string'
      ? { type: isError ? ('error-text' as const) : ('text' as const), value: output }
      : { type: isError ? ('error-json' as const) : ('json' as const), value: output as Mutable }
  return { type: 'tool-result' as const, toolCallId, toolName, output: shown }
}

/** The interface's own JSON, whose lists are not read-only. */
type Mutable = Extract<Json, string> | null
