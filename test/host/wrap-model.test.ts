/** A model of the application, governed where it is: judged and metered before it is asked, on record after. */
import { expect, test } from 'vitest'
import { boot, entriesOf, kernelErrorOf, policyOf, until } from '../support/kernel.ts'

const usage = { inputTokens: 10, outputTokens: 5 }
const reply = { text: 'hello', usage }

test('a function is a model: judged by its name, metered by what it says, asked with what was judged', async () => {
  const policy = policyOf([{ id: 'gpt', effect: 'ask', action: 'llm.generate', resource: 'openai/*' }])
  const kernel = boot({ policy, llm: { models: {}, prices: { 'openai/gpt': { input: 1, output: 2 } } } })
  const asked: unknown[] = []
  const gpt = kernel.wrapModel(
    async (prompt: unknown) => {
      asked.push(prompt)
      return reply
    },
    { model: 'openai/gpt', name: 'desk' },
  )
  const messages = [{ role: 'user', content: 'judged' }]
  kernel.on('approval', ({ id, status }) => {
    if (status !== 'asked') return
    messages.push({ role: 'user', content: 'added' })
    kernel.approvals.approve(id)
  })
  expect(await gpt({ messages })).toEqual(reply)
  expect(asked).toEqual([{ messages: [{ role: 'user', content: 'judged' }] }])
  expect(entriesOf(kernel, 'intent')).toMatchObject([{ resource: 'openai/gpt', agent: 'desk' }])
  expect(entriesOf(kernel, 'outcome')).toMatchObject([{ cost: { tokens: 15 } }])
  const other = kernel.wrapModel(async () => reply, { model: 'other/gpt' })
  expect(await kernelErrorOf(() => other())).toMatchObject({ code: 'EPERM' })
})

test('what a model throws is thrown on as it is; what is no model is refused', async () => {
  const kernel = boot()
  class RateLimit extends Error {}
  const error = new RateLimit('later')
  const model = kernel.wrapModel(() => Promise.reject(error), { model: 'a/b' })
  await expect(model()).rejects.toBe(error)
  expect(await kernelErrorOf(() => kernel.wrapModel(() => 1))).toMatchObject({ code: 'EINVAL' })
  expect(await kernelErrorOf(() => kernel.wrapModel({} as never))).toMatchObject({ code: 'EINVAL' })
})

const parts = [
  { type: 'text-delta', delta: 'a' },
  { type: 'text-delta', delta: 'b' },
  { type: 'finish', usage: { inputTokens: { total: 10 }, outputTokens: { total: 5 } } },
]

function streaming() {
  const given = { count: 0, cancelled: false }
  async function* stream() {
    try {
      for (const part of parts) {
        given.count += 1
        yield part
      }
    } finally {
      given.cancelled = given.count < parts.length
    }
  }
  const model = {
    ...{ provider: 'test.chat', modelId: 'm' },
    doGenerate: async (_: { prompt: unknown }) => ({
      content: [{ type: 'text', text: 'ann@example.com' }],
      finishReason: 'stop',
      usage,
    }),
    doStream: async (_: { prompt: unknown }) => ({ stream: ReadableStream.from(stream()), about: 1 }),
  }
  return { model, given }
}

test('a stream is one call until it ends: STOP holds it, and whoever stops reading ends it', async () => {
  const kernel = boot()
  await using session = kernel.attach({ name: 'desk' })
  const { model, given } = streaming()
  const governed = kernel.wrapModel(model, { session })
  const { stream, about } = await governed.doStream({ prompt: [] })
  const reader = stream.getReader()
  const first = await reader.read()
  session.kill('STOP')
  let second: unknown
  const reading = reader.read().then((read) => (second = read.value))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect([about, first.value, second]).toEqual([1, parts[0], undefined])
  session.kill('CONT')
  expect(await reading).toEqual(parts[1])
  expect(entriesOf(kernel, 'outcome')).toEqual([])
  expect((await reader.read()).value).toEqual(parts[2])
  expect(await reader.read()).toEqual({ done: true, value: undefined })
  expect(entriesOf(kernel, 'outcome')).toMatchObject([{ status: 'committed', cost: { tokens: 15 } }])
  expect(given).toEqual({ count: 3, cancelled: false })
  const broken = streaming()
  const again = await kernel.wrapModel(broken.model, { session }).doStream({ prompt: [] })
  for await (const _ of again.stream as AsyncIterable<unknown>) break
  await until(() => broken.given.cancelled, 'the source is told')
  await until(() => entriesOf(kernel, 'outcome').length === 2, 'it is on record')
})

test('KILL in the middle of a stream ends it with the signal, and charges what has come', async () => {
  const kernel = boot()
  const { model } = streaming()
  const session = kernel.attach({ name: 'desk' })
  const { stream } = await kernel.wrapModel(model, { session }).doStream({ prompt: ['x'.repeat(400)] })
  const reader = stream.getReader()
  await reader.read()
  kernel.signals.signal('desk', 'KILL')
  const failed = await kernelErrorOf(async () => {
    for (;;) if ((await reader.read()).done) return
  })
  expect(failed).toMatchObject({ code: 'EINTR', signal: 'SIGKILL' })
  expect((await session.exit).usage.tokens).toBeGreaterThan(50)
})

test('what a rule redacts is out of whole replies, and of streams nothing is given', async () => {
  const kernel = boot({
    policy: policyOf([{ id: 'm', effect: 'permit', action: 'llm.generate', redact: ['email'] }]),
  })
  const governed = kernel.wrapModel(streaming().model)
  expect(JSON.stringify(await governed.doGenerate({ prompt: [] }))).not.toContain('ann@')
  expect(await kernelErrorOf(() => governed.doStream({ prompt: [] }))).toMatchObject({ code: 'EPERM' })
})

test('an agent in an isolate cannot pass for an object that was wrapped', async () => {
  const kernel = boot()
  const { error } = await kernel.spawn({
    source: `export default () => sys('llm.generate', { model: 'a/b', wrapped: 'hi' })`,
  }).exit
  expect(error).toMatchObject({ code: 'ENOENT' })
})
