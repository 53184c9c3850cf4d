/** A prompt as agents write it: decoded, with the kernel's own tools filled in. */
import { z } from 'zod'
import type { Message, OfferedTool, Prompt } from '../drivers/llm/model.ts'
import { SyscallError } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import { limits } from '../limits.ts'

const json: z.ZodType<Json, Json> = z.custom<Json>()
const schema = z
  .custom<JsonObject>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'a JSON Schema is an object',
  )
  .meta({ type: 'object', additionalProperties: {} })

const id = z.string().min(1).max(limits.llmToolCallIdMax)
const toolName = z
  .string()
  .max(limits.toolNameMax)
  .regex(/^[A-Za-z0-9_.-]+$/, 'a tool is called by letters, digits and `_ - .`')
const mediaType = z
  .string()
  .max(limits.wordMax)
  .regex(/^[a-z]+\/[\w.+-]+$/, 'a media type is written as `image/png`')

const text = z.strictObject({ type: z.literal('text'), text: z.string() })
const file = z.strictObject({
  type: z.literal('file'),
  mediaType,
  base64: z.base64(),
  filename: z.string().max(limits.pathNameBytesMax).optional(),
})
const toolCall = z.strictObject({ type: z.literal('tool-call'), toolCallId: id, toolName, input: json })
const toolResult = z.strictObject({
  type: z.literal('tool-result'),
  toolCallId: id,
  toolName,
  output: json,
  isError: z.boolean().optional(),
})

const parts = <Part extends z.ZodType>(part: Part) => z.array(part).min(1).max(limits.llmPartsMax)

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.string() }),
  z.strictObject({
    role: z.literal('user'),
    content: z.union([z.string(), parts(z.discriminatedUnion('type', [text, file]))]),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), parts(z.discriminatedUnion('type', [text, toolCall]))]),
  }),
  z.strictObject({ role: z.literal('tool'), content: parts(toolResult) }),
])

const offered = z.strictObject({
  name: toolName,
  description: z.string().optional(),
  parameters: schema,
})

export const modelName = z
  .string()
  .min(1)
  .max(limits.modelNameMax)
  .meta({ description: '`provider/model`, as the application named it' })

export const promptShape = z.strictObject({
  model: modelName,
  prompt: z.string().optional().meta({ description: 'one message of the user; this or `messages`' }),
  messages: z
    .array(message)
    .min(1)
    .max(limits.llmMessagesMax)
    .optional()
    .meta({ description: 'the conversation so far, the newest last (docs/models.md)' }),
  wrapped: json.optional().meta({
    description:
      'in place of both: what a model of an object that the application has wrapped is asked, as its framework says it; agents in isolates have none',
  }),
  system: z.string().optional().meta({ description: 'put before everything else' }),
  tools: z
    .array(z.union([toolName, offered]))
    .max(limits.llmToolsMax)
    .optional()
    .meta({
      description:
        'what the model may ask for: names of tools under /tools, or definitions; nothing is called',
    }),
  toolChoice: z
    .union([z.enum(['auto', 'none', 'required']), z.strictObject({ tool: toolName })])
    .optional()
    .meta({ description: 'whether it has to ask for one; auto by default' }),
  tokensMax: z
    .int()
    .positive()
    .max(limits.llmTokensMax)
    .default(limits.llmTokensDefault)
    .meta({ description: `tokens of the reply; ${limits.llmTokensDefault} by default` }),
  temperature: z.number().min(0).max(2).optional().meta({ description: 'from 0 to 2' }),
  topP: z.number().min(0).max(1).optional().meta({ description: 'from 0 to 1' }),
  stop: z
    .array(z.string().min(1).max(limits.wordMax))
    .max(4)
    .optional()
    .meta({ description: 'texts at which it stops writing' }),
  seed: z.int().optional().meta({ description: 'for models that repeat themselves with one' }),
  schema: schema.optional().meta({
    description: 'JSON Schema of the reply; what comes is JSON in `object`, and the agent checks it',
  }),
})
export type PromptArgs = z.infer<typeof promptShape>

/** @throws SyscallError EINVAL for a prompt that is given twice or not at all, and for tools of one name */
export function assertPrompt({ prompt, messages, wrapped, tools = [] }: PromptArgs): void {
  if ([prompt, messages, wrapped].filter((given) => given !== undefined).length !== 1)
    throw new SyscallError('EINVAL', 'give `prompt` or `messages`, one of the two')
  const names = namesOf(tools)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new SyscallError('EINVAL', `the tool \`${twice}\` is offered twice`)
}

/** Names of the tools that a prompt offers, for the policy. */
export const namesOf = (tools: NonNullable<PromptArgs['tools']>): readonly string[] =>
  tools.map((tool) => (typeof tool === 'string' ? tool : tool.name))

/** All that goes to the model, as far as the agent wrote it: what a policy judges the size of. */
export const contentOfPrompt = ({
  prompt,
  messages,
  wrapped,
  system,
  tools,
  schema: wanted,
}: PromptArgs): Json => [
  prompt ?? wrapped ?? null,
  (messages ?? null) as Json,
  system ?? null,
  (tools ?? null) as Json,
  wanted ?? null,
]

/**
 * @param toolOf finds what the application says of one of its tools
 * @throws SyscallError ENOENT for a tool that there is not
 */
export function promptOf(args: PromptArgs, toolOf: (name: string) => OfferedTool): Prompt {
  const { prompt, messages, wrapped, system, tools = [], model: _, ...rest } = args
  // Of a wrapped model only its length is asked.
  const text = prompt ?? JSON.stringify(wrapped ?? '')
  const said: readonly Message[] = messages ?? [{ role: 'user', content: text }]
  return {
    ...rest,
    messages: system === undefined ? said : [{ role: 'system', content: system }, ...said],
    tools: tools.map((tool) => (typeof tool === 'string' ? toolOf(tool) : tool)),
  }
}
