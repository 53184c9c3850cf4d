/** What a model answers, read with no belief in it: exactly the parts that an agent gets, or what is wrong with them. */
import { SyscallError } from '../../errors.ts'
import type { Json, JsonObject } from '../../json.ts'
import { parseGuestJson } from '../../json.ts'
import { limits } from '../../limits.ts'
import { shownText } from './shown.ts'
import { fieldOf } from './usage.ts'

export type ToolCall = { readonly toolCallId: string; readonly toolName: string; readonly input: Json }

/** Why a reply ended. */
export const finishReasons = [
  'stop',
  'length',
  'content-filter',
  'tool-calls',
  'error',
  'interrupted',
  'other',
] as const
export type FinishReason = (typeof finishReasons)[number]

/** Parts that the interface has and agents do not get; that there were some is told. */
export const omittedTypes: readonly string[] = [
  'file',
  'reasoning-file',
  'source',
  'tool-result',
  'tool-approval-request',
]

export interface Reply {
  readonly text: string
  readonly reasoning: string
  readonly toolCalls: readonly ToolCall[]
  readonly finishReason: FinishReason
  /** Kinds of parts that were left out, each once. */
  readonly omitted: readonly string[]
}

/**
 * @param result what should be a result of LanguageModelV4
 * @param received is told how many bytes there are, before they are looked at
 * @throws SyscallError EIO with what was received in place of a reply, EFBIG
 */
export function readReply(result: unknown, received: (bytes: number) => void): Reply {
  const content = fieldOf(result, 'content')
  if (!Array.isArray(content)) throw nonsense('a result whose `content` is no list', content)
  if (content.length > limits.llmMessagesMax)
    throw new SyscallError(
      'EFBIG',
      `the model answered in ${content.length} parts; ${limits.llmMessagesMax} are read`,
    )
  const omitted = new Set<string>()
  const toolCalls: ToolCall[] = []
  let text = ''
  let reasoning = ''
  let bytes = 0
  const count = (part: string): string => {
    bytes += Buffer.byteLength(part)
    if (bytes > limits.llmReplyBytesMax) throw tooLong()
    received(Buffer.byteLength(part))
    return part.toWellFormed()
  }
  for (const part of content) {
    const type = fieldOf(part, 'type')
    if (type === 'text') text += count(textOf(part, 'text'))
    else if (type === 'reasoning') reasoning += count(textOf(part, 'text'))
    else if (type === 'custom') continue
    else if (type === 'tool-call' && fieldOf(part, 'providerExecuted') === true) omitted.add('tool-call')
    else if (type === 'tool-call') {
      count(String(fieldOf(part, 'input')))
      toolCalls.push(toolCallOf(part))
    } else if (omittedTypes.includes(String(type))) omitted.add(String(type))
    else throw nonsense('a part of no known type', part)
  }
  return { text, reasoning, toolCalls, finishReason: finishOf(result), omitted: [...omitted] }
}

/** @throws SyscallError EIO where a part of a reply has no such text */
export function textOf(part: unknown, key: string): string {
  const text = fieldOf(part, key)
  if (typeof text === 'string') return text
  throw nonsense(`a part \`${shownText(String(fieldOf(part, 'type')))}\` whose \`${key}\` is no text`, text)
}

/** @throws SyscallError EIO for arguments that are no sound JSON */
export function toolCallOf(part: unknown): ToolCall {
  const toolCallId = textOf(part, 'toolCallId').toWellFormed()
  const toolName = textOf(part, 'toolName').toWellFormed()
  if (toolCallId.length > limits.llmToolCallIdMax || toolName.length > limits.toolNameMax)
    throw nonsense('a call of a tool whose name or id is too long', toolName)
  const input = fieldOf(part, 'input')
  // A call without arguments comes as an empty text.
  if (input === '') return { toolCallId, toolName, input: {} }
  if (typeof input !== 'string')
    throw nonsense(`a call of \`${shownText(toolName)}\` without arguments`, input)
  try {
    return { toolCallId, toolName, input: parseGuestJson(input.toWellFormed()) }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw nonsense(`a call of \`${shownText(toolName)}\` whose arguments are no sound JSON`, input)
  }
}

export function finishOf(part: unknown): FinishReason {
  const unified = fieldOf(fieldOf(part, 'finishReason'), 'unified')
  return finishReasons.find((reason) => reason === unified) ?? 'other'
}

/**
 * @param result what should be a result of EmbeddingModelV4
 * @param count how many vectors belong there
 * @throws SyscallError EIO
 */
export function readVectors(result: unknown, count: number): readonly (readonly number[])[] {
  const vectors = fieldOf(result, 'embeddings')
  if (!Array.isArray(vectors)) throw nonsense('a result whose `embeddings` is no list', vectors)
  if (vectors.length !== count) throw nonsense(`${vectors.length} vectors for ${count} values`, undefined)
  const [first] = vectors
  for (const vector of vectors) {
    const isVector =
      Array.isArray(vector) && vector.every((it) => typeof it === 'number' && Number.isFinite(it))
    if (!isVector || vector.length === 0 || vector.length !== first.length)
      throw nonsense('vectors that are not lists of numbers, all of one length', vector)
  }
  return vectors
}

/** What a schema asked for, where the reply is it: JSON. */
export function objectOf(text: string): { readonly object?: Json } {
  try {
    return { object: parseGuestJson(text) }
  } catch (error) {
    if (error instanceof SyscallError) return {}
    throw error
  }
}

export const tooLong = (): SyscallError =>
  new SyscallError(
    'EFBIG',
    `the model's reply is longer than ${limits.llmReplyBytesMax} bytes; it is not read on`,
  )

/** @param what came in place of a reply, and what of it is shown */
export function nonsense(what: string, received: unknown): SyscallError {
  const shown = received === undefined ? '' : `: \`${shownText(asText(received))}\``
  return new SyscallError('EIO', `the model answered with ${what}${shown}`)
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return `a ${typeof value}` // A cycle, or an object that fails by itself.
  }
}

/** @returns the reply as an agent gets it */
export function replyJson(reply: Reply, hasSchema: boolean): JsonObject {
  const { text, reasoning, toolCalls, finishReason, omitted } = reply
  return {
    ...{ text, toolCalls, finishReason },
    ...(reasoning !== '' && { reasoning }),
    ...(omitted.length > 0 && { omitted }),
    ...(hasSchema && objectOf(text)),
  }
}
