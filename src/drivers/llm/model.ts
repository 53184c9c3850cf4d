/** A model in the one form in which the driver asks it, whoever made it. */
import type { Json, JsonObject } from '../../json.ts'

/** One part of a message. Bytes travel as base64. */
export type TextPart = { readonly type: 'text'; readonly text: string }
export type FilePart = {
  readonly type: 'file'
  /** Such as `image/png`. */
  readonly mediaType: string
  readonly base64: string
  readonly filename?: string | undefined
}
export type ToolCallPart = {
  readonly type: 'tool-call'
  readonly toolCallId: string
  readonly toolName: string
  readonly input: Json
}
export type ToolResultPart = {
  readonly type: 'tool-result'
  readonly toolCallId: string
  readonly toolName: string
  readonly output: Json
  readonly isError?: boolean | undefined
}

export type Message =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string | readonly (TextPart | FilePart)[] }
  | { readonly role: 'assistant'; readonly content: string | readonly (TextPart | ToolCallPart)[] }
  | { readonly role: 'tool'; readonly content: readonly ToolResultPart[] }

/** A tool that a model may ask for; nothing calls it but the agent. */
export interface OfferedTool {
  readonly name: string
  readonly description?: string | undefined
  /** JSON Schema of type object. */
  readonly parameters: JsonObject
}

/** A prompt with all that goes with it. */
export interface Prompt {
  readonly messages: readonly Message[]
  readonly tools: readonly OfferedTool[]
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly tool: string } | undefined
  /** Tokens of the reply. */
  readonly tokensMax: number
  readonly temperature?: number | undefined
  readonly topP?: number | undefined
  readonly stop?: readonly string[] | undefined
  readonly seed?: number | undefined
  /** JSON Schema that the reply is asked to fit. */
  readonly schema?: JsonObject | undefined
}

/** What a model's function is told besides the prompt. */
export interface ModelContext {
  /** Aborts when the process is killed or the time is over. */
  readonly signal: AbortSignal
  readonly pid: number
  /** The name of the agent that asks. */
  readonly agent: string
  /** As the agent named it, such as `openai/gpt-5`. */
  readonly model: string
}

/** What is asked: whole, or as it is written. What comes back is believed in nothing. */
export interface Language {
  /** @returns what should be a result of the AI SDK's LanguageModelV4 */
  generate(prompt: Prompt, context: ModelContext): Promise<unknown>
  /** @returns what should be the stream parts of the same */
  stream(prompt: Prompt, context: ModelContext): Promise<AsyncIterable<unknown>>
}

export interface Embedding {
  /** @returns what should be a result of the AI SDK's EmbeddingModelV4 */
  embed(values: readonly string[], context: ModelContext): Promise<unknown>
  /** How many values one request takes. */
  readonly most: () => Promise<number>
}

export interface Model {
  readonly name: string
  readonly language?: Language | undefined
  readonly embedding?: Embedding | undefined
}
