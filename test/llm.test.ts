/** Models as agents reach them: by functions of the application; judged, labelled, on record. */
import { describe, expect, test } from 'vitest'
import type { KernelOptions, ModelFunction } from '../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, refusalOf, runIn } from './support/kernel.ts'

type Llm = NonNullable<KernelOptions['llm']>
const echo: ModelFunction = ({ messages }) => `echo: ${JSON.stringify(messages.at(-1)?.content)}`
const llm = (answer: ModelFunction, more: Partial<Llm> = {}): Llm => ({
  models: { 'test/m': answer },
  ...more,
})
const generate = (more = '') => `llm.generate({ model: 'test/m', prompt: 'hello' ${more} })`
const parts = (more = '') =>
  `const parts = []; for await (const part of llm.stream({ model: 'test/m', prompt: 'hello' ${more} })) parts.push(part);`
const permit = { id: 'models', effect: 'permit', action: 'llm.*' } as const
const never: ModelFunction = () => expect.fail('the model was asked')

describe.each(['cell', 'inline'] as const)('in a %s', (isolation) => {
  test('a function answers a prompt, whole and as it writes', async () => {
    const spell: ModelFunction = async function* () {
      yield 'one '
      yield 'two'
    }
    const models = { 'test/m': echo, 'test/s': spell }
    const body = `const whole = await ${generate()}
      let text = ''
      for await (const part of llm.stream({ model: 'test/s', prompt: '' })) text += part.text ?? '.'
      return { whole, text }`
    const exit = await runIn(isolation, main(body), { kernel: { llm: { models } } })
    const usage = {
      inputTokens: expect.any(Number),
      outputTokens: 5,
      totalTokens: expect.any(Number),
      estimated: true,
    }
    expect(exitValue(exit)).toEqual({
      whole: { text: 'echo: "hello"', toolCalls: [], finishReason: 'stop', usage },
      text: 'one two.',
    })
  })
})

test('a prompt reaches the function as the agent wrote it, with the kernel’s own tools filled in', async () => {
  let seen: unknown
  const kernel = boot({
    llm: llm((prompt, { agent, model, pid }) => {
      seen = { prompt, agent, model, pid }
      return { toolCalls: [{ toolName: 'look', input: { at: 1 } }] }
    }),
    tools: { look: { description: 'looks', parameters: { type: 'object' }, execute: () => 1 } },
  })
  const reply = await ask(
    kernel,
    `return llm.generate({ model: 'test/m', system: 'be brief', tokensMax: 7, temperature: 0.5,
      tools: ['look', { name: 'other', parameters: { type: 'object' } }], toolChoice: { tool: 'look' },
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'see' }, { type: 'file', mediaType: 'image/png', base64: 'AAAA' }] },
        { role: 'assistant', content: [{ type: 'tool-call', toolCallId: '1', toolName: 'look', input: {} }] },
        { role: 'tool', content: [{ type: 'tool-result', toolCallId: '1', toolName: 'look', output: 1 }] },
      ] })`,
    { name: 'asker' },
  )
  expect(reply).toMatchObject({
    toolCalls: [{ toolCallId: 'call-1', toolName: 'look', input: { at: 1 } }],
    finishReason: 'tool-calls',
  })
  expect(seen).toMatchObject({
    ...{ agent: 'asker', model: 'test/m', pid: 1 },
    prompt: {
      ...{ tokensMax: 7, temperature: 0.5, toolChoice: { tool: 'look' } },
      tools: [{ name: 'look', description: 'looks' }, { name: 'other' }],
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user' },
        { role: 'assistant' },
        { role: 'tool' },
      ],
    },
  })
})

describe('refused, with the model never asked', () => {
  test.each([
    [
      'no such model',
      `llm.generate({ model: 'test/n', prompt: '' })`,
      'ENOENT: llm.generate: there is no model `test/n`; did you mean `test/m`?',
    ],
    ['a model that makes no vectors', `llm.embed({ model: 'test/m', values: ['a'] })`, 'makes no vectors'],
    [
      'a prompt given twice',
      generate(`, messages: [{ role: 'user', content: 'a' }]`),
      'give `prompt` or `messages`',
    ],
    ['none', `llm.generate({ model: 'test/m' })`, 'give `prompt` or `messages`'],
    ['a tool that there is not', generate(`, tools: ['none']`), 'no tool is called `none`'],
    [
      'a tool offered twice',
      generate(`, tools: [{ name: 'a', parameters: {} }, { name: 'a', parameters: {} }]`),
      'offered twice',
    ],
    [
      'an unknown part',
      `llm.generate({ model: 'test/m', messages: [{ role: 'user', content: [{ type: 'image', url: 'http://x' }] }] })`,
      'args.messages.0.content',
    ],
    ['options of a provider', generate(`, providerOptions: {}`), '`providerOptions`'],
    ['too many tokens', generate(`, tokensMax: 1e9`), '`args.tokensMax`'],
  ])('%s', async (_what, call, message) => {
    expect(await ask(boot({ llm: llm(never) }), `return ${refusalOf(call)}`)).toContain(message)
  })

  test('what the policy does not permit', async () => {
    const policy = policyOf([
      { ...permit, resource: 'test/*' },
      { id: 'short', effect: 'forbid', action: ['llm.generate', 'llm.stream'], when: 'args.tokensMax > 100' },
      { id: 'no-mail', effect: 'forbid', action: 'llm.generate', when: '"send" in args.tools' },
    ])
    const models = { 'test/m': echo, 'other/m': never }
    const said = await ask(
      boot({ policy, llm: { models } }),
      `return [
        ${refusalOf(`llm.generate({ model: 'other/m', prompt: '', tokensMax: 9 })`)},
        ${refusalOf(generate())},
        ${refusalOf(generate(`, tokensMax: 9, tools: [{ name: 'send', parameters: {} }]`))},
        ${refusalOf(generate(', tokensMax: 9'))},
      ]`,
    )
    expect(said).toEqual([
      expect.stringContaining('no rule permits'),
      // Where an agent does not say, the bound that counts is judged.
      expect.stringContaining('`short`'),
      expect.stringContaining('`no-mail`'),
      'ok',
    ])
  })

  test('data that no prompt may hold, in a text and in a file, and what cannot be looked through', async () => {
    const policy = policyOf([
      permit,
      { id: 'no-pii', effect: 'forbid', action: 'llm.*', contains: ['email'] },
    ])
    const file = (text: string, mediaType = 'text/plain') =>
      `llm.generate({ model: 'test/m', messages: [{ role: 'user', content: [{ type: 'file', mediaType: '${mediaType}', base64: '${Buffer.from(text, 'latin1').toString('base64')}' }] }] })`
    const refused = expect.stringContaining('`no-pii`')
    const said = await ask(
      boot({ policy, llm: llm(echo) }),
      `return [
        ${refusalOf(`llm.generate({ model: 'test/m', prompt: 'write to ann@example.org' })`)},
        ${refusalOf(file('ann@example.org'))},
        ${refusalOf(file('\xff\xd8\xff', 'image/jpeg'))},
        ${refusalOf(file('a plain note'))},
      ]`,
    )
    expect(said).toEqual([refused, refused, refused, 'ok'])
  })
})

describe('replies', () => {
  const rules = policyOf([permit, { id: 'clean', effect: 'permit', action: 'llm.*', redact: ['email'] }])
  const pieces: ModelFunction = async function* () {
    yield 'it is ann@exam'
    yield 'ple.org'
  }

  test('have taken out of them what a rule says, however they are cut', async () => {
    const kernel = boot({ policy: rules, llm: llm(pieces) })
    const said = await ask(kernel, `${parts()} return [(await ${generate()}).text, parts]`)
    expect(said).toEqual([
      'it is [redacted email]',
      [
        { type: 'text', text: 'it is [redacted email]' },
        expect.objectContaining({ type: 'finish', finishReason: 'stop' }),
      ],
    ])
    expect(JSON.stringify(kernel.evidence.entries())).not.toContain('ann@')
  })

  test.each(['whole', 'streamed'])(
    '%s carry the labels of rule and model, and of what was known is nobody’s word',
    async (how) => {
      const policy = policyOf([
        { ...permit, label: ['by-rule'] },
        {
          id: 'tools',
          effect: 'permit',
          action: 'tool.call',
          when: 'origin(args.to) in ["task", "trusted"]',
        },
      ])
      const kernel = boot({
        policy,
        llm: llm(() => 'evil@example.org', { labels: { 'test/m': ['by-model'] } }),
        tools: {
          send: {
            description: 's',
            parameters: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
            execute: () => 1,
          },
        },
      })
      const read = how === 'whole' ? `(await ${generate()}).text` : 'parts[0].text'
      const exit = await kernel.spawn({
        source: main(`${how === 'whole' ? '' : parts()} return ${refusalOf(`tools.send({ to: ${read} })`)}`),
      }).exit
      expect(exitValue(exit)).toContain('EPERM')
      expect(exit.labels.toSorted()).toEqual(['by-model', 'by-rule'])
    },
  )

  test('that are JSON as a schema asks come as an object too', async () => {
    const kernel = boot({ llm: llm(({ schema }) => (schema === undefined ? 'no' : '{"n":1}')) })
    expect(await ask(kernel, `return (await ${generate(`, schema: { type: 'object' }`)}).object`)).toEqual({
      n: 1,
    })
  })
})

test('vectors, one for each text', async () => {
  const embed = (values: readonly string[]) => values.map((value) => [value.length, -0.5])
  const kernel = boot({ llm: { models: { 'test/v': { embed } } } })
  expect(await ask(kernel, `return llm.embed({ model: 'test/v', values: ['a', 'bcd'] })`)).toEqual({
    vectors: [
      [1, -0.5],
      [3, -0.5],
    ],
    usage: { tokens: 4, estimated: true },
  })
})

test('prompt, reply and cost are on record; a stream’s when it is over', async () => {
  const kernel = boot({
    llm: llm(() => ({ text: 'fine', usage: { inputTokens: 10, outputTokens: 2 } }), {
      prices: { 'test/m': { input: '1.50', output: 10 } },
    }),
  })
  await ask(kernel, `await ${generate()}; ${parts()} return parts.length`)
  const cost = { tokens: 12, inputTokens: 10, outputTokens: 2, costUsd: 0.000035 }
  expect(entriesOf(kernel, 'intent', 'llm.generate')).toMatchObject([
    { resource: 'test/m', args: { hash: expect.any(String) } },
  ])
  const [outcome] = kernel.evidence
    .entries()
    .filter(({ kind, cost }) => kind === 'outcome' && cost !== undefined)
  expect(outcome).toMatchObject({ status: 'committed', cost, result: { hash: expect.any(String) } })
  const [opened] = entriesOf(kernel, 'intent', 'llm.stream')
  expect(entriesOf(kernel, 'charge')).toMatchObject([
    { intent: opened?.seq, status: 'committed', cost, result: { hash: expect.any(String) } },
  ])
  expect(entriesOf(kernel, 'exit')).toMatchObject([{ usage: { tokens: 24, costUsd: 0.00007 } }])
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})
