/** A tool of the application, governed where it is: what is judged is what runs, and what is refused never does. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { currentProcess, KernelError } from '../../src/index.ts'
import { boot, entriesOf, kernelErrorOf, policyOf, until } from '../support/kernel.ts'

const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const

/** A tool that notes what it was run with. */
function noting(name: string, answer: (args: never) => unknown = () => 'done') {
  const ran: unknown[] = []
  const execute = (args: unknown) => {
    ran.push(args)
    return answer(args as never)
  }
  return { ran, tool: { name, description: `is ${name}`, parameters: text as unknown, execute } }
}

const permit = (name: string, ...resource: string[]) =>
  policyOf([{ id: name, effect: 'permit', action: 'tool.call', resource }], { name })

test('what the policy refuses never runs, and comes back as an error that names the rule', async () => {
  const policy = policyOf([
    { id: 'some', effect: 'permit', action: 'tool.call' },
    { id: 'no-rm', effect: 'forbid', action: 'tool.call', when: "args.text.contains('rm')" },
  ])
  const kernel = boot({ policy })
  const { ran, tool } = noting('shell')
  const shell = kernel.wrapTool(tool, { name: 'desk', framework: { name: 'f', version: '3' } })
  expect(await shell.execute({ text: 'ls' })).toBe('done')
  expect(await shell.execute({ text: 'rm -rf' })).toEqual({
    error: { code: 'EPERM', message: expect.stringMatching(/^EPERM: tool.call `shell`: .*no-rm/) },
  })
  expect(ran).toEqual([{ text: 'ls' }])
  expect(entriesOf(kernel, 'refusal')).toMatchObject([{ agent: 'desk', resource: 'shell', code: 'EPERM' }])
  expect(entriesOf(kernel, 'spawn')).toMatchObject([{ framework: 'f 3' }, { framework: 'f 3' }])
  expect(entriesOf(kernel, 'host', 'tool.register')).toMatchObject([
    { resource: 'shell', framework: 'f 3', wrapped: 1, agent: 'desk' },
    { resource: 'shell' },
  ])
  expect(kernel.ps()).toEqual([])
  expect(kernel.evidence.verify().ok).toBe(true)
})

test('what is judged is what runs: getters are asked once, and what the caller changes later changes nothing', async () => {
  const policy = policyOf([{ id: 'a', effect: 'permit', action: 'tool.call', when: "args.text == 'safe'" }])
  const kernel = boot({ policy })
  const { ran, tool } = noting('shell')
  const shell = kernel.wrapTool(tool)
  let asked = 0
  const changing = {
    get text() {
      asked += 1
      return asked === 1 ? 'safe' : 'rm'
    },
  }
  expect(await shell.execute(changing)).toBe('done')
  const given = { text: 'safe' }
  const called = shell.execute(given)
  given.text = 'rm'
  expect(await called).toBe('done')
  expect(ran).toEqual([{ text: 'safe' }, { text: 'safe' }])
  expect(ran[1]).not.toBe(given)
})

test('arguments that do not fit never reach the tool; those without a schema are any JSON', async () => {
  const kernel = boot()
  const { ran, tool } = noting('shell')
  const shell = kernel.wrapTool(tool)
  const messageOf = async (result: Promise<unknown>) =>
    ((await result) as { error?: { message: string } }).error?.message
  expect(await messageOf(shell.execute({ text: 1 }))).toMatch(/^EINVAL: .*`args.text` must be string/)
  expect(await messageOf(shell.execute({ text: new Date(0) }))).toMatch(/^EINVAL: .*`args.text` is a Date/)
  const cycle: Record<string, unknown> = {}
  cycle['text'] = cycle
  expect(await messageOf(shell.execute(cycle))).toMatch(/cycle/)
  expect(ran).toEqual([])
  const free = kernel.wrapTool({ name: 'free', execute: (args: unknown) => [args] })
  expect(await free.execute([1, { a: null, b: undefined }])).toEqual([[1, { a: null }]])
  expect(await free.execute(undefined)).toEqual([null])
})

test('with a zod schema, what it makes of the arguments is judged and runs', async () => {
  const policy = policyOf([{ id: 'a', effect: 'permit', action: 'tool.call', when: "args.to == 'a@x'" }])
  const kernel = boot({ policy })
  const ran: unknown[] = []
  const mail = kernel.wrapTool({
    name: 'mail',
    parameters: z.object({
      to: z
        .string()
        .transform((it) => it.toLowerCase())
        .refine((it) => it !== 'b@x', 'never to b'),
      n: z.number().default(1),
    }),
    execute: (args: unknown) => void ran.push(args),
  })
  expect(await mail.execute({ to: 'A@X' })).toBe(null)
  expect(await mail.execute({ to: 'c@x' })).toMatchObject({ error: { code: 'EPERM' } })
  expect(await mail.execute({ to: 'b@x' })).toMatchObject({ error: { code: expect.any(String) } })
  expect(ran).toEqual([{ to: 'a@x', n: 1 }])
})

test('what a schema refuses that JSON Schema cannot say is refused too', async () => {
  const kernel = boot()
  const ran: unknown[] = []
  const mail = kernel.wrapTool({
    name: 'mail',
    parameters: z.object({ to: z.string().refine((it) => it !== 'b@x', 'never to b') }),
    execute: (args: unknown) => void ran.push(args),
  })
  expect(await mail.execute({ to: 'b@x' })).toMatchObject({
    error: { code: 'EINVAL', message: expect.stringContaining('never to b') },
  })
  expect(ran).toEqual([])
})

test('a schema that is none is refused when the tool is wrapped, and so is one that would pass everything', async () => {
  const kernel = boot()
  const wrap = (parameters: unknown, name = 'shell') =>
    kernelErrorOf(() => kernel.wrapTool({ name, parameters, execute: () => 1 }))
  for (const schema of [
    { type: 'nonsense' },
    { $ref: 'https://example.com/other' },
    { $async: true, type: 'object' },
    'object',
    [],
    { type: 'object', properties: { a: 1 } },
  ])
    expect(await wrap(schema)).toMatchObject({ code: 'EINVAL', message: expect.stringContaining('shell') })
  expect(await wrap({}, 'rm -rf')).toMatchObject({ code: 'EINVAL' })
  const dialects = ['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2020-12/schema']
  for (const $schema of [...dialects, 'https://json-schema.org/draft/2019-09/schema'])
    expect(kernel.wrapTool({ name: 'shell', parameters: { $schema, ...text }, execute: () => 1 }).name).toBe(
      'shell',
    )
})

test('what a tool gives has to be JSON, and carries the labels of the tool', async () => {
  const kernel = boot()
  await using session = kernel.attach({ name: 'desk' })
  const web = kernel.wrapTool(
    { name: 'web', labels: ['untrusted'], execute: () => ({ page: 'x', at: undefined }) },
    { session },
  )
  expect(await web.execute()).toEqual({ page: 'x' })
  expect(kernel.ps()).toMatchObject([{ labels: ['untrusted'] }])
  const odd = kernel.wrapTool({ name: 'odd', execute: () => ({ when: new Date(0) }) }, { session })
  expect(await odd.execute()).toMatchObject({
    error: { code: 'EINVAL', message: expect.stringContaining('`result.when` is a Date') },
  })
})

test('what a tool throws is thrown on as it is, and on record; within its own context', async () => {
  const kernel = boot()
  const context = new AsyncLocalStorage<string>()
  class Special extends Error {}
  const error = new Special('no such city')
  const fails = kernel.wrapTool({
    name: 'fails',
    execute: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      if (context.getStore() === 'caller' && currentProcess() !== undefined) throw error
      return 'the context is lost'
    },
  })
  await expect(context.run('caller', () => fails.execute())).rejects.toBe(error)
  expect(entriesOf(kernel, 'outcome')).toMatchObject([
    { status: 'failed', code: 'EIO', reason: expect.stringContaining('no such city') },
  ])
})

test('what a rule redacts is taken out of results and of errors', async () => {
  const policy = policyOf([{ id: 'all', effect: 'permit', action: 'tool.call', redact: ['email'] }])
  const kernel = boot({ policy })
  const who = kernel.wrapTool({ name: 'who', execute: () => ({ mail: 'ann@example.com' }) })
  expect(JSON.stringify(await who.execute())).not.toContain('ann@')
  const fails = kernel.wrapTool({
    name: 'fails',
    execute: () => {
      throw new Error('no mail for ann@example.com')
    },
  })
  const given = await fails.execute()
  expect(given).toMatchObject({ error: { code: 'EIO' } })
  expect(JSON.stringify(given)).not.toContain('ann@')
})

test('one run is one process, nested objects are part of it, and one that narrows is a child of it', async () => {
  const kernel = boot({ policy: permit('both', 'a', 'b') })
  const a = kernel.wrapTool({ name: 'a', execute: () => currentProcess()?.pid })
  const b = kernel.wrapTool(
    { name: 'b', labels: ['secret'], execute: async () => [currentProcess()?.pid, await a.execute()] },
    { name: 'inner', policy: permit('only', 'b') },
  )
  const outer = kernel.wrapping({ name: 'outer' })
  const pids = await outer.run(async ({ pid }) => {
    const nested = await outer.run((session) => session.pid)
    const [child, refused] = (await b.execute()) as [number, { error: { code: string } }]
    expect(kernel.ps()).toMatchObject([{ name: 'outer', labels: ['secret'] }])
    return { pid, nested, a: await a.execute(), child, refused: refused.error.code }
  })
  expect(pids).toEqual({ ...pids, nested: pids.pid, a: pids.pid, refused: 'EPERM' })
  expect(entriesOf(kernel, 'spawn')).toMatchObject([
    { agent: 'outer', pid: pids.pid, ppid: 0 },
    { agent: 'inner', pid: pids.child, ppid: pids.pid },
  ])
})

test('two tools of one name in one run are told apart, and judged each by its own schema', async () => {
  const kernel = boot()
  await using session = kernel.attach()
  const one = kernel.wrapTool({ name: 'go', parameters: text, execute: (_: object) => 'one' }, { session })
  const numbers = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
  const two = kernel.wrapTool({ name: 'go', parameters: numbers, execute: (_: object) => 'two' }, { session })
  expect([await one.execute({ text: '' }), await two.execute({ n: 1 })]).toEqual(['one', 'two'])
  expect(await one.execute({ n: 1 })).toMatchObject({ error: { code: 'EINVAL' } })
  // Nobody calls it round the object, and an isolate has no such tool at all.
  const around = { name: 'go', args: { n: 1 }, wrapped: 2 }
  expect(await kernelErrorOf(() => session.sys('tool.call', around))).toMatchObject({ code: 'ENOENT' })
  const { error } = await kernel.spawn({
    source: `export default () => sys('tool.call', { name: 'go', args: { n: 1 }, wrapped: 2 })`,
  }).exit
  expect(error).toMatchObject({ code: 'ENOENT' })
})

test('a call that asks waits, alone, and a person lets it pass, refuses it or writes other arguments', async () => {
  const policy = policyOf([
    { id: 'free', effect: 'permit', action: 'tool.call', resource: 'free' },
    { id: 'person', effect: 'ask', action: 'tool.call', resource: 'mail' },
  ])
  const kernel = boot({ policy })
  const { ran, tool } = noting('mail')
  await using session = kernel.attach({ name: 'desk' })
  const mail = kernel.wrapTool(tool, { session })
  const free = kernel.wrapTool({ name: 'free', execute: () => 1 }, { session })
  const answered = async (answer: (id: string, args: string) => void) => {
    const called = mail.execute({ text: 'hello' })
    await until(() => kernel.approvals.list().length === 1, 'it asks')
    expect([await free.execute(), ran.length]).toEqual([1, before])
    const [request] = kernel.approvals.list()
    answer(request?.id ?? '', request?.args.text ?? '')
    return called
  }
  let before = 0
  expect(await answered((id) => kernel.approvals.approve(id))).toBe('done')
  before = 1
  expect(await answered((id) => kernel.approvals.deny(id, 'not today'))).toMatchObject({
    error: { code: 'EPERM', message: expect.stringContaining('not today') },
  })
  const edited = (shown: string) => ({ ...JSON.parse(shown), args: { text: 'hallo' } })
  expect(await answered((id, args) => kernel.approvals.approve(id, { args: edited(args) }))).toBe('done')
  expect(ran).toEqual([{ text: 'hello' }, { text: 'hallo' }])
})

test('KILL ends a run that does not look at signals, and a budget ends one that goes on calling', async () => {
  const kernel = boot()
  const outer = kernel.wrapping({ name: 'outer' })
  const killed = kernelErrorOf(() => outer.run(() => new Promise(() => {})))
  await until(() => kernel.ps().length === 1, 'it runs')
  kernel.signals.signal('outer', 'KILL')
  expect(await killed).toMatchObject({ code: 'EINTR', signal: 'SIGKILL' })
  const a = kernel.wrapTool({ name: 'a', execute: () => 1 })
  let calls = 0
  const poor = kernel.wrapping({ name: 'poor', budget: { syscalls: 3 } })
  const spent = kernelErrorOf(() =>
    poor.run(async () => {
      for (;;) {
        await a.execute()
        calls += 1
      }
    }),
  )
  expect([(await spent).code, calls]).toEqual(['EDQUOT', 3])
  expect(entriesOf(kernel, 'exit').at(-1)).toMatchObject({ status: 'failed' })
})

test('options that are not sound are refused, with what was meant', async () => {
  const kernel = boot()
  const wrap = (options: object) => kernelErrorOf(() => kernel.wrapping(options as never))
  expect((await wrap({ polcy: 'strict' })).message).toContain('did you mean `policy`')
  const session = kernel.attach()
  expect((await wrap({ session, policy: 'strict' })).message).toContain('`policy`')
  expect((await wrap({ session: boot().attach() })).message).toContain('session of this kernel')
  expect(await kernelErrorOf(() => kernel.wrapTool({ name: 'a' } as never))).toBeInstanceOf(KernelError)
})
