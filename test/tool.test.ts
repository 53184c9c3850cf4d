/** Tools: host functions behind a schema, whose failures stay with the host. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type KernelOptions, SyscallError, type ToolContext } from '../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, refusalOf, sleep } from './support/kernel.ts'

type Tools = NonNullable<KernelOptions['tools']>
const object = { type: 'object' } as const
const tool = (execute: (args: never, context: ToolContext) => unknown, parameters: object = object): Tools =>
  ({ t: { description: 'a tool', parameters, execute } }) as Tools

describe('definitions refused', () => {
  const bad: readonly (readonly [what: string, definition: object, message: RegExp])[] = [
    ['no description', { parameters: object, execute: () => 1 }, /`description` is missing/],
    ['no function', { description: 't', parameters: object }, /`execute` is not a function/],
    ['no schema', { description: 't', execute: () => 1 }, /neither a zod schema nor a JSON Schema/],
    [
      'a schema with an unknown keyword',
      { description: 't', parameters: { type: 'object', propertis: {} }, execute: () => 1 },
      /propertis/,
    ],
    [
      'a schema of an unknown type',
      { description: 't', parameters: { type: 'obj' }, execute: () => 1 },
      /JSON Schema/,
    ],
    [
      'a zod schema that JSON cannot carry',
      { description: 't', parameters: z.object({ at: z.date() }), execute: () => 1 },
      /tool `t`/,
    ],
    [
      'a time limit that is none',
      { description: 't', parameters: object, execute: () => 1, timeoutMs: -1 },
      /timeoutMs/,
    ],
    [
      'a misspelt part',
      { description: 't', parameters: object, execute: () => 1, timeoutMS: 5 },
      /`timeoutMS` is no part of a tool; did you mean `timeoutMs`/,
    ],
  ]

  test.each(bad)('%s', (_what, definition, message) => {
    expect(() => boot().tool('t', definition as never)).toThrow(message)
  })

  test.each(['', 'a b', '1a', 'then', 'constructor', 'x'.repeat(65), '__proto__'])(
    'the name `%s`',
    (name) => {
      expect(() => boot().tool(name, { description: 't', parameters: object, execute: () => 1 })).toThrow(
        expect.objectContaining({ code: 'EINVAL' }),
      )
    },
  )

  test('a name that is taken', () => {
    expect(() =>
      boot({ tools: tool(() => 1) }).tool('t', { description: 't', parameters: object, execute: () => 1 }),
    ).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  })
})

describe('calls refused, with the tool never called', () => {
  const never = () => expect.fail('the tool was called')
  const schema = {
    type: 'object',
    properties: { to: { type: 'string', minLength: 1 }, n: { type: 'integer' } },
    required: ['to'],
    additionalProperties: false,
  }
  const zod = z.strictObject({ to: z.string().min(1), n: z.int().optional() })

  test.each([
    ['JSON Schema', schema],
    ['zod', zod],
  ])('arguments that do not fit the %s', async (_name, parameters) => {
    const kernel = boot({ tools: tool(never, parameters) })
    const given = [
      '{}',
      '{ to: "" }',
      '{ to: 7 }',
      '{ to: "a", n: 1.5 }',
      '{ to: "a", cc: "b" }',
      '[]',
      'null',
      '"a"',
    ]
    const messages = (await ask(
      kernel,
      `return [${given.map((args) => refusalOf(`tools.t(${args})`))}]`,
    )) as string[]
    for (const message of messages)
      expect(message).toMatch(/^EINVAL: tool\.call: arguments do not fit: `args/)
    expect(messages[4]).toContain('`cc`')
    expect(entriesOf(kernel, 'refusal')).toHaveLength(given.length)
    expect(entriesOf(kernel, 'intent')).toHaveLength(1)
  })

  test('what only zod can say is refused as well, before the tool', async () => {
    const parameters = z.object({ a: z.int(), b: z.int() }).refine(({ a, b }) => a < b, 'a is less than b')
    const kernel = boot({ tools: tool(never, parameters) })
    expect(await ask(kernel, `return ${refusalOf('tools.t({ a: 2, b: 1 })')}`)).toMatch(
      /^EINVAL.*a is less than b/,
    )
  })

  test('an unknown tool is ENOENT, with what was meant', async () => {
    const message = await ask(boot({ tools: tool(never) }), `return ${refusalOf('tools.tt({})')}`)
    expect(message).toBe('ENOENT: tool.call: no tool is called `tt`; did you mean `t`?')
  })

  test('arguments that are not JSON', async () => {
    const kernel = boot({ tools: tool(never) })
    const value = await ask(
      kernel,
      `const codes = []
       for (const args of [{ a: undefined }, { a: () => 1 }, new Date(0), 1n])
         try { await tools.t(args) } catch (error) { codes.push(error.code) }
       return codes`,
    )
    expect(value).toEqual(['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'])
  })
})

describe('failures', () => {
  test('what a tool throws is for the application: the agent learns only that it failed', async () => {
    const secret = new Error(`connect to db://admin:hunter2@${process.cwd()} failed`)
    for (const fail of [
      () => {
        throw secret
      },
      () => Promise.reject(secret),
    ]) {
      const kernel = boot({ tools: tool(fail) })
      const seen: unknown[] = []
      kernel.on('error', ({ where, error }) => seen.push(where, error))
      const message = await ask(
        kernel,
        `try { await tools.t({}) } catch (error) { return error.message + error.stack }`,
      )
      expect(message).toMatch(/^EIO: tool\.call `t`: the tool failed; the application has the details/)
      expect(message).not.toMatch(/hunter2|src\//)
      expect(seen).toEqual(['tool t', secret])
      expect(JSON.stringify(kernel.evidence.entries())).not.toContain('hunter2')
    }
  })

  test('a SyscallError is what a tool says to the agent', async () => {
    const kernel = boot({
      tools: tool(() => {
        throw new SyscallError('EAGAIN', 'the desk is closed')
      }),
    })
    expect(await ask(kernel, `return ${refusalOf('tools.t({})')}`)).toBe(
      'EAGAIN: tool.call `t`: the desk is closed',
    )
  })

  test.each([
    ['a Date', new Date(0)],
    ['a class instance', new (class Row {})()],
    ['an undefined within', { a: undefined }],
    ['NaN', Number.NaN],
    ['a function', () => 1],
    ['a lone surrogate', '\ud800'],
  ])('a result that is %s is EINVAL with its path, never changed in silence', async (_name, result) => {
    const kernel = boot({ tools: tool(() => result) })
    expect(await ask(kernel, `return ${refusalOf('tools.t({})')}`)).toMatch(
      /^EINVAL: tool\.call `t`: `result/,
    )
  })

  test('a tool that takes too long is ETIMEDOUT, and is told by its signal', async () => {
    let aborted = false
    const execute = (_args: never, { signal }: ToolContext) =>
      new Promise(() =>
        signal.addEventListener('abort', () => {
          aborted = true
        }),
      )
    const kernel = boot({
      tools: { t: { description: 't', parameters: object, execute, timeoutMs: 20 } } as Tools,
    })
    expect(await ask(kernel, `return ${refusalOf('tools.t({})')}`)).toBe(
      'ETIMEDOUT: tool.call `t`: the tool took longer than 20 ms',
    )
    expect(aborted).toBe(true)
  })

  test('what a tool rejects with after its time is nobody’s unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    const execute = async () => {
      await sleep(30)
      throw new Error('late')
    }
    const kernel = boot({
      tools: { t: { description: 't', parameters: object, execute, timeoutMs: 5 } } as Tools,
    })
    expect(await ask(kernel, `return ${refusalOf('tools.t({})')}`)).toMatch(/^ETIMEDOUT/)
    await sleep(50)
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})

test('a tool gets its arguments as they were, and who calls; its result comes back as it was', async () => {
  const seen: unknown[] = []
  const kernel = boot({
    tools: tool((args, { pid, agent, signal }) => {
      seen.push(args, pid, agent, signal.aborted)
      return { ok: [1, 'é'] }
    }),
  })
  const proc = kernel.spawn(
    { source: main(`return tools.t({ text: '😀', list: [1, null] })`) },
    { name: 'caller' },
  )
  expect(exitValue(await proc.exit)).toEqual({ ok: [1, 'é'] })
  expect(seen).toEqual([{ text: '😀', list: [1, null] }, proc.pid, 'caller', false])
})

test('a zod schema gives its defaults and transforms to the tool', async () => {
  const parameters = z.object({ n: z.number().default(3), text: z.string().transform((text) => text.length) })
  const kernel = boot({ tools: tool((args) => args, parameters) })
  expect(await ask(kernel, `return tools.t({ text: 'four' })`)).toEqual({ n: 3, text: 4 })
})

test('a tool without a result gives null, and one may be registered while agents run', async () => {
  const kernel = boot()
  kernel.tool('later', { description: 'later', parameters: object, execute: () => undefined })
  expect(await ask(kernel, 'return tools.later({})')).toBeNull()
  expect(await ask(kernel, 'return tools.later()')).toBeNull()
})

test('tools describe themselves under /tools, which nobody writes', async () => {
  const kernel = boot({ tools: tool(() => 1, z.object({ n: z.number() })) })
  const value = await ask(
    kernel,
    `return [JSON.parse(await fs.read('/tools/t.json')), await fs.write('/tools/t.json', '').catch((error) => error.code)]`,
  )
  expect(value).toMatchObject([
    { name: 't', description: 'a tool', parameters: { type: 'object', required: ['n'] } },
    'EROFS',
  ])
})

test('a tool’s effect happens after its intent is on record, and its outcome follows', async () => {
  const seen: string[] = []
  const kernel = boot({
    tools: tool(() => {
      seen.push(...kernel.evidence.entries().map(({ kind }) => kind))
      return 1
    }),
  })
  await ask(kernel, 'return tools.t({})')
  expect(seen.at(-1)).toBe('intent')
  expect(entriesOf(kernel, 'outcome')[0]).toMatchObject({
    status: 'committed',
    intent: entriesOf(kernel, 'intent', 'tool.call')[0]?.seq,
  })
})
