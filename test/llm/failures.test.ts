/** A provider that refuses, answers nonsense, hangs or breaks off: a typed error that says so, what is charged, and nothing of the host. */
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { KernelOptions, ModelFunction } from '../../src/index.ts'
import { ask, boot, entriesOf, refusalOf } from '../support/kernel.ts'
import {
  type Answer,
  beginEvents,
  completion,
  endEvents,
  event,
  json,
  modelServer,
} from '../support/model-server.ts'

type Llm = NonNullable<KernelOptions['llm']>
const generate = refusalOf(`llm.generate({ model: 'p/m', prompt: 'hello' })`)
const stream = `await (async () => { let got = ''; try { for await (const part of llm.stream({ model: 'p/m', prompt: 'hello' })) got += part.text ?? ''; return 'ok' } catch (error) { return got + '|' + error.message } })()`

async function served(answer: Answer, more: Partial<Llm> = {}) {
  const server = await modelServer(answer)
  const models = { 'p/m': { url: server.url, model: 'm', addresses: ['loopback'] } } as Llm['models']
  const kernel = boot({ llm: { models, ...more } })
  return { server, kernel, ask: (call: string) => ask(kernel, `return ${call}`) as Promise<string> }
}

const costOf = (kernel: ReturnType<typeof boot>) =>
  entriesOf(kernel, 'outcome').find(({ cost }) => cost !== undefined)?.cost
const free = '; no tokens are charged'
const estimated = /; \d+ tokens are charged, as an estimate$/

describe('a server that refuses', () => {
  const said = {
    error: {
      message:
        'too long: see https://host.internal/docs, /srv/app/main.py:12, key sk-abc0123456789012345678, 127.0.0.1:80',
    },
  }
  test.each([
    [
      401,
      {},
      "EACCES: llm.generate `p/m`: the model's server does not accept the application's key (HTTP 401)",
    ],
    [404, {}, "EIO: llm.generate `p/m`: the model's server has no such model (HTTP 404)"],
    [302, {}, "EIO: llm.generate `p/m`: the model's server refused the request (HTTP 302)"],
    [
      400,
      said,
      "EINVAL: llm.generate `p/m`: the model's server does not take this prompt: too long: see [address] [path], key [left out], [address] (HTTP 400)",
    ],
  ])('with %d is asked once', async (status, body, message) => {
    const { server, ask: call } = await served((response) =>
      json(response, body, status, { location: 'http://127.0.0.1:1/' }),
    )
    expect(await call(generate)).toBe(message + free)
    expect(server.asked.length).toBe(1)
  })

  test.each([429, 503])(
    'with %d for now is asked again as it says, and each request is on record',
    async (status) => {
      const answer: Answer = (response, _asked, count) =>
        count < 3
          ? json(response, {}, status, { 'retry-after': '0' })
          : json(response, completion({ content: 'fine' }))
      const { kernel, ask: call } = await served(answer)
      expect(await call(generate)).toBe('ok')
      expect(costOf(kernel)).toEqual({ tokens: 25, inputTokens: 20, outputTokens: 5, requests: 3 })
    },
  )

  test('again and again is asked as often as the application says', async () => {
    const {
      server,
      kernel,
      ask: call,
    } = await served((response) => json(response, {}, 500, { 'retry-after': '0' }), { retries: 1 })
    expect(await call(generate)).toBe(
      "EIO: llm.generate `p/m`: the model's server failed (HTTP 500) in 2 requests; no tokens are charged",
    )
    expect(await call(stream)).toContain('in 2 requests')
    expect(server.asked.length).toBe(4)
    expect(costOf(kernel)).toMatchObject({ tokens: 0, requests: 2 })
  })

  test('and wants to be left alone for long is', async () => {
    const { server, ask: call } = await served((response) =>
      json(response, {}, 429, { 'retry-after': '3600' }),
    )
    expect(await call(generate)).toContain(
      "EAGAIN: llm.generate `p/m`: the model's server takes no more for now and wants to be left alone for 3600 s",
    )
    expect(server.asked.length).toBe(1)
  })
})

const raw = (response: ServerResponse, delta: object): void =>
  void response.write(`data: ${JSON.stringify(delta)}\n\n`)

describe('a server that answers nonsense', () => {
  test.each<readonly [string, Answer, RegExp]>([
    [
      'a page',
      (response) => json(response, '<html>from /srv/app</html>', 200, { 'content-type': 'text/html' }),
      /no reply of a model: `<html>from \[path\]/,
    ],
    [
      'broken JSON',
      (response) => json(response, '{"choices": [{'),
      /no reply of a model: `\{"choices": \[\{`/,
    ],
    ['wrong types', (response) => json(response, completion({ content: 5 })), /no reply of a model/],
    ['nothing', (response) => json(response, ''), /no reply of a model/],
    [
      'no JSON for a tool',
      (response) =>
        json(
          response,
          completion({
            content: null,
            tool_calls: [{ id: 't', type: 'function', function: { name: 'add', arguments: '{"a":' } }],
          }),
        ),
      /a call of `add` whose arguments are no sound JSON: `\{"a":`/,
    ],
    [
      'a prototype for a tool',
      (response) =>
        json(
          response,
          completion({
            content: null,
            tool_calls: [
              { id: 't', type: 'function', function: { name: 'add', arguments: '{"__proto__":1}' } },
            ],
          }),
        ),
      /no sound JSON/,
    ],
    [
      'a mountain',
      (response) => json(response, completion({ content: 'x'.repeat(9_000_000) })),
      /^EFBIG.*longer than 8388608 bytes/,
    ],
  ])('%s', async (_what, answer, message) => {
    const { server, ask: call } = await served(answer)
    const said = await call(generate)
    expect(said).toMatch(message)
    expect(said).toMatch(/tokens are charged/)
    expect(server.asked.length).toBe(1)
  })

  test.each<readonly [string, Answer, RegExp]>([
    [
      'events of wrong types',
      (response) => {
        event(response, { content: 5 })
        response.end()
      },
      /^part\|EIO.*no reply of a model/,
    ],
    [
      'an error in the middle',
      (response) => {
        raw(response, { error: { message: 'see http://x/' } })
        response.end()
      },
      /^part\|EIO/,
    ],
    ['an end without a reason', (response) => void response.end(), /^part\|/],
    [
      'a broken connection',
      // Once the part has been read: what comes together with the end may be lost with it.
      (response) => void setTimeout(() => setTimeout(() => response.socket?.end(), 50), 50),
      /^part\|EIO.*broke off before/,
    ],
    [
      'no JSON for a tool',
      (response) => {
        event(response, {
          tool_calls: [
            { index: 0, id: 't', type: 'function', function: { name: 'add', arguments: '{"a":' } },
          ],
        })
        endEvents(response)
      },
      /^part\|EIO.*no sound JSON: `\{"a":`/,
    ],
    [
      'a mountain',
      (response) => {
        event(response, { content: 'x'.repeat(9_000_000) })
        endEvents(response)
      },
      /^part\|EFBIG/,
    ],
  ])('in a stream: %s', async (_what, answer, message) => {
    const {
      server,
      kernel,
      ask: call,
    } = await served((response, asked, count) => {
      beginEvents(response)
      event(response, { content: 'part' })
      return answer(response, asked, count)
    })
    const said = await call(stream)
    expect(said).toMatch(message)
    expect(said).not.toContain('http:')
    expect(server.asked.length).toBe(1)
    const [charge] = entriesOf(kernel, 'charge')
    expect(charge).toMatchObject({
      status: said === 'part|ok' ? 'committed' : 'failed',
      cost: { tokens: expect.any(Number) },
    })
  })
})

describe('a server that hangs', () => {
  const silent: Answer = () => {}
  const begun: Answer = (response) => {
    beginEvents(response)
    response.flushHeaders()
  }
  const stuck: Answer = (response) => {
    beginEvents(response)
    event(response, { content: 'part' })
  }

  test.each<readonly [string, Answer, string, NonNullable<Llm['timeout']>, RegExp]>([
    ['with a whole reply', silent, generate, '40ms', /^ETIMEDOUT.*the model took longer than 40 ms/],
    ['with a stream', silent, stream, { whole: '40ms' }, /^\|ETIMEDOUT.*the model took longer than 40 ms/],
    [
      'before the first part',
      begun,
      stream,
      { first: '40ms' },
      /^\|ETIMEDOUT.*the model wrote nothing within 40 ms/,
    ],
    [
      'between two parts',
      stuck,
      stream,
      { idle: '40ms' },
      /^part\|ETIMEDOUT.*the model wrote nothing for 40 ms/,
    ],
    ['in the middle, all in all', stuck, stream, { whole: '60ms' }, /^part\|ETIMEDOUT.*longer than 60 ms/],
  ])('%s', async (_what, answer, call, timeout, message) => {
    const { server, ask: run } = await served(answer, { timeout, retries: 2 })
    const said = await run(call)
    expect(said).toMatch(message)
    expect(said).toMatch(estimated)
    await server.asked[0]?.closed
    expect(server.asked.length).toBe(1)
  })
})

test('a server that is not there is tried again, costs nothing, and is not named', async () => {
  const { url } = await modelServer(() => {})
  const away = url.replace(/:\d+/, ':1')
  const models = { 'p/m': { url: away, model: 'm', addresses: ['loopback'] } } as Llm['models']
  const kernel = boot({ llm: { models, retries: 1 } })
  const errors: unknown[] = []
  kernel.on('error', ({ where, error }) => errors.push([where, error]))
  expect(await ask(kernel, `return ${generate}`)).toBe(
    "ECONNREFUSED: llm.generate `p/m`: nothing listens where the model's server is said to be in 2 requests; no tokens are charged",
  )
  expect(errors).toEqual([['model p/m', expect.anything()]])
})

describe('a function', () => {
  const run = async (answer: unknown, call = generate) =>
    ask(boot({ llm: { models: { 'p/m': answer as ModelFunction } } }), `return ${call}`)

  test.each<readonly [string, unknown, RegExp]>([
    [
      'that throws',
      () => {
        throw new Error('at /home/app with sk-key')
      },
      /EIO.*the model failed; the application has the details/,
    ],
    ['that gives nothing', () => undefined, /the model failed/],
    ['that gives no text', () => ({ text: 5 }), /whose `(text|delta)` is no text: `5`/],
    [
      'whose calls are none',
      () => ({ toolCalls: [{ toolName: 'x'.repeat(200), input: {} }] }),
      /whose name or id is too long/,
    ],
    [
      'that never stops',
      async function* () {
        for (;;) yield 'x'.repeat(100_000)
      },
      /EFBIG/,
    ],
  ])('%s', async (_what, answer, message) => {
    const said = await run(answer)
    expect(said).toMatch(message)
    expect(said).not.toContain('/home')
    expect(await run(answer, stream)).toMatch(message)
  })

  test('whose vectors are none', async () => {
    const call = refusalOf(`llm.embed({ model: 'p/m', values: ['a', 'b'] })`)
    for (const [vectors, message] of [
      [[[1]], /1 vectors for 2 values/],
      [[[1], [2, 3]], /all of one length/],
      [[[1], [Number.NaN]], /lists of numbers/],
      [[[], []], /lists of numbers/],
      [5, /no list/],
    ] as const)
      expect(await run({ embed: () => vectors }, call)).toMatch(message)
  })
})

describe('options that are not sound refuse the start', () => {
  const models = { 'p/m': () => '' }
  test.each<readonly [string, unknown, RegExp]>([
    ['a name without a provider', { models: { m: () => '' } }, /called `provider\/model`/],
    ['no model', { models: { 'p/m': 5 } }, /llm\.models\.p\/m.*an object of the AI SDK, a function/],
    [
      'an object that is none',
      { models: { 'p/m': {} } },
      /it is an object that a provider of the AI SDK makes/,
    ],
    [
      'an older interface',
      { models: { 'p/m': { specificationVersion: 'v2', doGenerate() {}, doStream() {} } } },
      /version `v2`.*speaks `v4`/,
    ],
    [
      'a price of nothing known',
      { models, prices: { 'p/n': { input: 1 } } },
      /llm\.prices.*`p\/n`.*did you mean `p\/m`/,
    ],
    [
      'a price that is none',
      { models, prices: { 'p/m': { input: '2,50' } } },
      /llm\.prices\.p\/m\.input.*such as `2\.50`/,
    ],
    ['a negative price', { models, prices: { 'p/m': { input: -1 } } }, /llm\.prices\.p\/m\.input/],
    ['labels that are none', { models, labels: { 'p/m': ['A B'] } }, /llm\.labels\.p\/m/],
    ['too many retries', { models, retries: 99 }, /llm\.retries/],
    ['a timeout without a unit', { models, timeout: 5 }, /llm\.timeout/],
    ['no time at all', { models, timeout: { idle: '0s' } }, /llm\.timeout/],
    ['an unknown option', { models, price: {} }, /`llm\.price` is no option/],
  ])('%s', (_what, llm, message) => {
    expect(() => boot({ llm: llm as Llm })).toThrow(message)
  })
})
