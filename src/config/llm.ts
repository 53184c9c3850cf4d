/** The option `llm` of a kernel, as far as its form goes; what its names and values mean is read by the driver. */
import { z } from 'zod'
import type { ModelOption } from '../drivers/llm/open.ts'
import { plainly } from '../flaws.ts'
import { limits } from '../limits.ts'
import { duration, labels } from './option-parts.ts'

const server = z.strictObject({
  url: z.string().min(1),
  model: z.string().min(1),
  key: z.string().min(1).optional(),
  addresses: z.array(z.enum(['loopback', 'private', 'linkLocal'])).optional(),
})

const model = z
  .custom<ModelOption>(
    (given) => typeof given === 'function' || (typeof given === 'object' && given !== null),
    'expected an object of the AI SDK, a function, or `{ url, model, key }`',
  )
  .superRefine((given, context) => {
    if (typeof given === 'function' || !('url' in given)) return
    const read = server.safeParse(given, { error: plainly })
    for (const { path, message } of read.error?.issues ?? [])
      context.addIssue({ code: 'custom', path, message })
  })

const money = z.union([z.string(), z.number()])
const price = z.strictObject({ input: money, output: money.optional(), cachedInput: money.optional() })

export const llmSchema = z.strictObject({
  models: z.record(z.string(), model),
  prices: z.record(z.string(), price).optional(),
  labels: z.record(z.string(), labels).optional(),
  retries: z.int().min(0).max(limits.llmRetriesMax).optional(),
  timeout: z
    .union([
      duration,
      z.strictObject({ whole: duration.optional(), first: duration.optional(), idle: duration.optional() }),
    ])
    .optional(),
})
