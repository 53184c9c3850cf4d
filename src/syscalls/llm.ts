/** Calls of the models that the application has given its kernel. */
import { z } from 'zod'
import type { Charged } from '../drivers/llm/call.ts'
import { bytesOf } from '../drivers/llm/usage.ts'
import { assert } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  assertPrompt,
  contentOfPrompt,
  modelName,
  namesOf,
  type PromptArgs,
  promptOf,
  promptShape,
} from './llm-prompt.ts'
import { type Call, type Drivers, syscall } from './row.ts'

const reply =
  "{ readonly text: string; readonly toolCalls: readonly { readonly toolCallId: string; readonly toolName: string; readonly input: Json }[]; readonly finishReason: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'interrupted' | 'other'; readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly totalTokens: number; readonly estimated?: true }; readonly reasoning?: string; readonly object?: Json; readonly omitted?: readonly string[] }"

const values = z.array(z.string()).min(1).max(limits.llmValuesMax)

const whole = (args: PromptArgs, { tool }: Pick<Drivers, 'tool'>) =>
  promptOf(args, (name) => tool.offered(name))

/** What a condition sees of a prompt. */
const judged = (args: PromptArgs) => ({
  tokensMax: args.tokensMax,
  tools: namesOf(args.tools ?? []),
  promptBytes: bytesOf(contentOfPrompt(args)),
})

function chargedOf({ meter, costs }: Call): Charged {
  assert(meter !== undefined, 'a call of a model is metered')
  return { meter, costs }
}

/** The stream goes on with it when the call is answered. */
function keptMeter(call: Call): Charged['meter'] {
  const { meter } = chargedOf(call)
  meter.isKept = true
  return meter
}

export const llmCalls = {
  'llm.generate': syscall({
    summary: 'Asks a model, and waits for its whole reply. Calls of tools are given back; nothing is called.',
    args: promptShape,
    params: [],
    returns: reply,
    cost: 1,
    check(args, { llm, tool }) {
      assertPrompt(args)
      if (args.wrapped === undefined) llm.check('llm.generate', args.model)
      whole(args, { tool })
    },
    judge: (args) => [{ action: 'llm.generate', resource: args.model, args: judged(args) }],
    reserves: (args, drivers, process) => drivers.llm.mostOf(process, args.model, whole(args, drivers)),
    external: () => true,
    echoes: true,
    invoke(args, call, drivers) {
      call.carries(drivers.llm.labelsOf(args.model))
      const { llm } = drivers
      const prompt = whole(args, drivers)
      if (args.wrapped === undefined)
        return llm.generate('llm.generate', call.grant, args.model, prompt, chargedOf(call))
      const run = llm.wrapped.of(call.process, call.number)
      const { isLookedThrough } = call
      return llm.run(call.grant, args.model, prompt, { ...chargedOf(call), isLookedThrough }, run)
    },
  }),
  'llm.stream': syscall({
    summary:
      'Asks a model, and gives its reply as it is written: a stream of values, each a part. Where a rule looks through what comes back it comes whole all the same. Agents use `llm.stream`.',
    args: promptShape,
    returns: `{ readonly stream: number } | { readonly whole: ${reply} }`,
    cost: 1,
    check(args, { llm, tool }) {
      assertPrompt(args)
      llm.check('llm.stream', args.model)
      whole(args, { tool })
    },
    judge: (args) => [{ action: 'llm.stream', resource: args.model, args: judged(args) }],
    reserves: (args, drivers, process) => drivers.llm.mostOf(process, args.model, whole(args, drivers)),
    external: () => true,
    echoes: true,
    async invoke(args, call, drivers) {
      const { llm, streams } = drivers
      const prompt = whole(args, drivers)
      const labels = llm.labelsOf(args.model)
      call.carries(labels)
      if (call.isLookedThrough)
        return { whole: await llm.generate('llm.stream', call.grant, args.model, prompt, chargedOf(call)) }
      const place = streams.reserve(call)
      try {
        // What it costs is known when it is over.
        const charged = { meter: keptMeter(call), costs: () => {} }
        const source = await llm.open(call.grant, args.model, prompt, charged, call.charges)
        return { stream: place.fill({ source: Object.assign(source, { labels }), isEcho: true }) }
      } catch (error) {
        place.leave()
        throw error
      }
    },
  }),
  'llm.embed': syscall({
    summary: 'Has a model turn texts into vectors, one for each.',
    args: z.strictObject({ model: modelName, values: values.meta({ description: 'the texts' }) }),
    params: [],
    returns:
      '{ readonly vectors: readonly (readonly number[])[]; readonly usage: { readonly tokens: number; readonly estimated?: true } }',
    cost: 1,
    check: ({ model }, { llm }) => llm.check('llm.embed', model),
    judge: ({ model, values: texts }) => [
      { action: 'llm.embed', resource: model, args: { promptBytes: bytesOf(texts) } },
    ],
    reserves: ({ model, values: texts }, { llm }, process) => llm.mostOfValues(process, model, texts),
    external: () => true,
    echoes: true,
    invoke({ model, values: texts }, call, { llm }) {
      call.carries(llm.labelsOf(model))
      return llm.embed(call.grant, model, texts, chargedOf(call))
    },
  }),
} as const
