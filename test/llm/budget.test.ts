/** What models cost is set aside before, charged as it comes, and given back; a stream ends with its budget, its process or its reader. */
import { describe, expect, test } from 'vitest'
import { AgentSignal, type KernelOptions, type ModelFunction } from '../../src/index.ts'
import { ask, boot, entriesOf, main, policyOf, refusalOf, until } from '../support/kernel.ts'
import { beginEvents, completion, event, json, modelServer } from '../support/model-server.ts'

type Llm = NonNullable<KernelOptions['llm']>
const never: ModelFunction = () => expect.fail('the model was asked')
const counted = (inputTokens: number, outputTokens: number) => () => ({
  text: 'x',
  usage: { inputTokens, outputTokens },
})
const policy = policyOf([{ id: 'all', effect: 'permit', action: '*' }])
const generate = (more = '') => `llm.generate({ model: 'p/m', prompt: 'hello'${more} })`
const left = `(await proc.self()).budget`

describe('before anything is sent', () => {
  test('a call that would exceed the tokens is refused', async () => {
    const kernel = boot({ policy, llm: { models: { 'p/m': never } }, limits: { tokens: 4000 } })
    expect(await ask(kernel, `return ${refusalOf(generate())}`)).toMatch(
      /^EDQUOT: llm\.generate `p\/m`: it may take 41\d\d tokens, and 4000 are left/,
    )
    expect(entriesOf(kernel, 'exit')).toMatchObject([{ usage: { tokens: 0 } }])
  })

  test('a call that would exceed the money is refused, and one whose price is not known', async () => {
    const prices = { 'p/m': { input: '2.50', output: '10.00' } }
    const models = { 'p/m': never, 'p/n': never, 'p/free': () => 'fine' }
    const kernel = boot({
      policy,
      llm: { models, prices: { ...prices, 'p/free': { input: 0 } } },
      limits: { cost: '0.01' },
    })
    const said = await ask(
      kernel,
      `return [${refusalOf(generate())}, ${refusalOf(`llm.generate({ model: 'p/n', prompt: '' })`)}, ${refusalOf(`llm.stream({ model: 'p/n', prompt: '' }).next()`)}, ${refusalOf(`llm.generate({ model: 'p/free', prompt: '' })`)}]`,
    )
    const unknown = expect.stringMatching(/^EDQUOT: .*what `p\/n` costs is not known; .*`llm.prices`/)
    expect(said).toEqual([
      expect.stringMatching(/^EDQUOT.*US dollars, and 0.01 are left/),
      unknown,
      unknown,
      'ok',
    ])
  })

  test('calls at once cannot have the same tokens twice', async () => {
    let refused: () => void = () => {}
    const isRefused = new Promise<void>((resolve) => {
      refused = resolve
    })
    const answer: ModelFunction = async () => {
      await isRefused
      return counted(1, 1)()
    }
    const kernel = boot({ policy, llm: { models: { 'p/m': answer } }, limits: { tokens: 300 } })
    kernel.on('syscall', ({ status }) => status === 'refused' && refused())
    const call = refusalOf(generate(', tokensMax: 100'))
    const said = await ask(kernel, `return Promise.all([1, 2, 3].map(async () => ${call}))`)
    expect(said).toEqual(['ok', 'ok', expect.stringContaining('EDQUOT')])
  })
})

describe('after it', () => {
  test('the provider’s count is charged, here and above, and the rest is given back', async () => {
    const prices = { 'p/m': { input: 1, output: 2, cachedInput: '0.1' } }
    const kernel = boot({
      policy,
      llm: { models: { 'p/m': counted(100, 50) }, prices },
      limits: { tokens: 100_000, cost: 1 },
    })
    const child = `export default async () => { await ${generate()}; return (await proc.self()).budget }`
    const budgets = await ask(
      kernel,
      `await ${generate()}; const own = ${left}
      const { pid } = await proc.spawn(${JSON.stringify(child)})
      const { value } = await proc.wait(pid)
      return [own, value, ${left}].map(({ tokens, costUsd }) => [tokens, costUsd])`,
    )
    expect(budgets).toEqual([
      [99_850, 0.9998],
      [99_700, 0.9996],
      [99_700, 0.9996],
    ])
  })

  test('where nobody counts, bytes are', async () => {
    const kernel = boot({
      policy,
      llm: { models: { 'p/m': () => 'x'.repeat(300) } },
      limits: { tokens: 100_000 },
    })
    const { usage } = (await ask(kernel, `return ${generate()}`)) as { usage: { inputTokens: number } }
    expect(usage).toMatchObject({ outputTokens: 100, estimated: true })
    expect(entriesOf(kernel, 'outcome').find(({ cost }) => cost !== undefined)).toMatchObject({
      cost: { tokens: usage.inputTokens + 100, estimated: true },
    })
  })

  test.each([['a count that is none', { inputTokens: -5, outputTokens: Number.NaN }]])(
    '%s is not believed',
    async (_what, usage) => {
      const kernel = boot({ policy, llm: { models: { 'p/m': () => ({ text: 'xxx', usage }) } } })
      expect(await ask(kernel, `return (await ${generate()}).usage`)).toMatchObject({
        outputTokens: 1,
        estimated: true,
      })
    },
  )

  test('a provider that counts more than there is ends the process', async () => {
    const kernel = boot({
      policy,
      llm: { models: { 'p/m': counted(1_000_000, 1) } },
      limits: { tokens: 10_000 },
    })
    const exit = await kernel.spawn({ source: main(`await ${generate()}; return 'went on'`) }).exit
    expect(exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET', usage: { tokens: 1_000_001 } })
  })
})

describe('in the middle of a stream', () => {
  const start = async (limits: KernelOptions['limits'] = {}, isEndless = false) => {
    const server = await modelServer((response, { body }) => {
      if (body.stream !== true) return
      beginEvents(response)
      event(response, { content: 'x'.repeat(30) })
      if (!isEndless) return
      const timer = setInterval(() => event(response, { content: 'x'.repeat(3000) }), 1)
      response.on('close', () => clearInterval(timer))
    })
    const models: Llm['models'] = { 'p/m': { url: server.url, model: 'm', addresses: ['loopback'] } }
    return {
      server,
      kernel: boot({ policy, limits, llm: { models, prices: { 'p/m': { input: 1, output: 1 } } } }),
    }
  }
  const read = `for await (const part of llm.stream({ model: 'p/m', prompt: 'hello', tokensMax: 50 })) { console.log(part.text); %s }`
  const charge = {
    status: 'aborted',
    cost: { tokens: expect.any(Number), costUsd: expect.any(Number), estimated: true },
  }

  test.each(['cell', 'inline'] as const)(
    'SIGKILL in a %s closes the provider’s connection, and what came is charged',
    async (isolation) => {
      const { server, kernel } = await start()
      const agent = kernel.spawn({ source: main(read.replace('%s', '')) }, { isolation })
      await new Promise<void>((seen) => kernel.on('output', () => seen()))
      agent.signal(AgentSignal.SIGKILL)
      const { usage } = await agent.exit
      await server.asked[0]?.closed
      const [entry] = entriesOf(kernel, 'charge')
      expect(entry).toMatchObject(charge)
      expect(entry?.cost).toMatchObject({ outputTokens: 10, tokens: usage.tokens, costUsd: usage.costUsd })
      expect(usage.tokens).toBeLessThan(60)
    },
  )

  test('a reader that leaves does too', async () => {
    const { server, kernel } = await start()
    await ask(kernel, `${read.replace('%s', 'break')} return 1`)
    await server.asked[0]?.closed
    expect(entriesOf(kernel, 'charge')).toMatchObject([{ ...charge, code: 'EINTR' }])
  })

  test('a provider that does not keep to `tokensMax` is stopped when the budget is used up', async () => {
    const { server, kernel } = await start({ tokens: 5000 }, true)
    const exit = await kernel.spawn({ source: main(`${read.replace('%s', '')} return 'went on'`) }).exit
    expect(exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
    await server.asked[0]?.closed
    expect(exit.usage.tokens).toBeGreaterThan(5000)
    expect(exit.usage.tokens).toBeLessThan(10_000)
    expect(entriesOf(kernel, 'charge')).toMatchObject([{ ...charge, cost: { tokens: exit.usage.tokens } }])
  })

  test('SIGKILL closes the connection of a whole reply as well', async () => {
    const { server, kernel } = await start()
    const agent = kernel.spawn({ source: main(`return ${generate()}`) })
    await until(() => server.asked.length > 0, 'the server was asked')
    agent.signal(AgentSignal.SIGKILL)
    const { usage } = await agent.exit
    await server.asked[0]?.closed
    await until(() => entriesOf(kernel, 'outcome').length > 0, 'the call is over')
    const [outcome] = entriesOf(kernel, 'outcome')
    expect(outcome).toMatchObject({
      status: 'aborted',
      code: 'EINTR',
      cost: { tokens: usage.tokens, estimated: true },
    })
    expect(usage.tokens).toBeGreaterThan(0)
    expect(usage.tokens).toBeLessThan(50)
  })

  test('a process that is stopped reads on when it goes on, and the time of the stop is nobody’s', async () => {
    const { kernel } = await start()
    const agent = kernel.spawn({ source: main(`${read.replace('%s', 'break')} return 'read'`) })
    agent.signal(AgentSignal.SIGSTOP)
    agent.signal(AgentSignal.SIGCONT)
    expect(await agent.exit).toMatchObject({ status: 'exited', value: 'read' })
  })
})

test('what a reader leaves unread is charged as well: the model had written it', async () => {
  const kernel = boot({ policy, llm: { models: { 'p/m': counted(100, 50) } } })
  await ask(kernel, `for await (const part of llm.stream({ model: 'p/m', prompt: '' })) break; return 1`)
  expect(entriesOf(kernel, 'charge')).toMatchObject([{ status: 'committed', cost: { tokens: 150 } }])
})

test('a whole answer of a server is counted as the server says', async () => {
  const { url } = await modelServer((response) => json(response, completion({ content: 'fine' })))
  const kernel = boot({ policy, llm: { models: { 'p/m': { url, model: 'm', addresses: ['loopback'] } } } })
  expect(await ask(kernel, `return (await ${generate()}).usage`)).toEqual({
    inputTokens: 20,
    outputTokens: 5,
    totalTokens: 25,
  })
})
