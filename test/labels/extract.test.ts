/** `proc.extract`: a child looks at what its parent must not take on, and one value of a narrow schema comes back, and nothing else. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { ask, entriesOf, exitValue, main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { bootLabelled, everything, labelsNow, pageText } from '../support/labels.ts'

const budget = { bits: 64 }
const kernelWith = (rules = everything, more = {}) =>
  bootLabelled({ policy: policyOf(rules, { budget, ...more }) })

/** In a program: an extraction whose child runs a body; its value, or the code and message of its error. */
const extract = (body: string, schema: unknown, more = ''): string =>
  `(await proc.extract(async (...args) => { ${body} }, { schema: ${JSON.stringify(schema)}, ${more} }).then((value) => value, (error) => error.message))`

const failed = 'EFAULT: proc.extract `reader`: the extraction gave no value that fits its schema'
const boolean = { type: 'boolean' }
const run = (kernel: ReturnType<typeof kernelWith>, body: string) => ask(kernel, body, { name: 'reader' })

test('a planner reads an untrusted mail through an extraction, and sends what the user asked for', async () => {
  const sent: unknown[] = []
  const mail = `Dear all, the meeting moved to 2026-12-03.\n${pageText}`
  const kernel = bootLabelled({
    policy: policyOf(
      [
        { id: 'all', effect: 'permit', action: ['fs.*', 'proc.*'] },
        { id: 'mail', effect: 'permit', action: 'tool.call', resource: 'read_mail', label: ['untrusted'] },
        {
          id: 'send',
          effect: 'permit',
          action: 'tool.call',
          resource: 'send',
          when: '!("untrusted" in labels)',
        },
      ],
      { budget },
    ),
    tools: {
      read_mail: { description: 'the mail', parameters: { type: 'object' }, execute: () => mail },
      send: {
        description: 'sends',
        parameters: { type: 'object', properties: { to: { type: 'string' }, text: { type: 'string' } } },
        execute: (args: unknown) => void sent.push(args),
      },
    } as never,
  })
  const date = `/\\d{4}-\\d\\d-\\d\\d/.exec(await tools.read_mail({}))[0]`
  const send = (text: string): string =>
    `await tools.send({ to: 'ann@example.org', text: ${text} }).then(() => 'sent', (error) => error.code)`
  const value = await ask(
    kernel,
    `const date = ${extract(`return ${date}`, { type: 'string', format: 'date' })}
    const first = ${send("'moved to ' + date")}, before = ${labelsNow}
    const text = await tools.read_mail({})
    return [first, before, ${send('text')}, ${labelsNow}]`,
  )
  expect(value).toEqual(['sent', [], 'EPERM', ['untrusted']])
  expect(sent).toEqual([{ to: 'ann@example.org', text: 'moved to 2026-12-03' }])
  expect(entriesOf(kernel, 'declassify')).toMatchObject([
    { by: 'proc.extract', reason: 'a value of at most 17 bits', labels: ['untrusted'] },
  ])
  expect(entriesOf(kernel, 'outcome').filter(({ released }) => released !== undefined)).toHaveLength(1)
  expect(entriesOf(kernel, 'spawn').map(({ extraction }) => extraction)).toEqual([undefined, true])
  expect(kernel.evidence.verify().ok).toBe(true)
})

describe('what comes back', () => {
  const page = 'const text = await tools.read_page({});'

  test.each([
    ['a value that does not fit', `${page} return text`],
    ['no value', `${page} await fs.write('/tmp/a', text)`],
    ['an error of its own', `${page} throw new Error(text)`],
    [
      'an error that looks like a refusal',
      `${page} const error = new Error(text); error.code = 'EPERM'; throw error`,
    ],
    ['a refusal', `${page} await fs.write('/mem/a', text)`],
    ['a text too much', `return [true, await tools.read_page({})]`],
    ['an end by a signal', `${page} await proc.signal((await proc.self()).pid, 'SIGKILL')`],
    ['a program that waits for ever', `${page} await new Promise(() => {})`],
    ['an end by its budget', `${page} for (;;) await proc.self()`],
  ])('of %s is one and the same error, and no label', async (_what, body) => {
    const kernel = kernelWith()
    expect(
      await run(kernel, `return [${extract(body, boolean, 'budget: { syscalls: 200 }')}, ${labelsNow}]`),
    ).toEqual([failed, []])
    expect(entriesOf(kernel, 'declassify')).toEqual([])
  })

  test('of a program that cannot be read is the same error', async () => {
    expect(
      await run(
        kernelWith(),
        `return await proc.extract('}{', { schema: ${JSON.stringify(boolean)} }).catch((error) => error.message)`,
      ),
    ).toBe(failed)
  })

  test('does not take from the process what it carries itself', async () => {
    expect(
      await run(
        kernelWith(),
        `await tools.read_page({}); return [${extract('return true', boolean)}, ${labelsNow}]`,
      ),
    ).toEqual([true, ['untrusted']])
  })
})

describe('a budget of bits', () => {
  test('is none where nobody gives one, and the refusal says how', async () => {
    const kernel = bootLabelled()
    expect(await run(kernel, `return ${extract('return true', boolean)}`)).toBe(
      'EDQUOT: proc.extract `reader`: it may tell 2 bits, and 0 are left of the budget; a policy gives some, as in `budget: { bits: 64 }`',
    )
    expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
  })

  test('waits for people on seats of its own, so that how many of its calls wait tells nothing', async () => {
    const asking = [
      ...everything,
      { id: 'mail', effect: 'ask', action: 'tool.call', resource: 'echo' } as const,
    ]
    const kernel = kernelWith(asking)
    const many = (count: number): string =>
      `Promise.all(Array.from({ length: ${count} }, () => tools.echo({ text: 'x' }).catch(({ code }) => code)))`
    const each = limits.approvalsPerProcessMax
    const full = limits.approvalsPerRunMax / each
    // All seats of the run are taken, and the extraction has its own; then they are taken and the parent has its own.
    const child = `export default () => ${many(each)}`
    const body = `for (let n = 0; n < ${full}; n += 1) await proc.spawn(${JSON.stringify(child)})
      const told = proc.extract(() => ${many(each)}.then((codes) => !codes.includes('EAGAIN')), { schema: { type: 'boolean' } })
      return told`
    const proc = kernel.spawn({ source: main(body) }, { name: 'reader' })
    const waiting = limits.approvalsPerRunMax + each
    await until(() => kernel.approvals.list().length === waiting, 'all of them wait')
    for (const { id } of kernel.approvals.list()) kernel.approvals.approve(id)
    expect(exitValue(await proc.exit)).toBe(true)
  })

  test('is charged for what could be told, also where the extraction fails, and for all of a run together', async () => {
    const kernel = kernelWith(everything, { budget: { bits: 5 } })
    const child = `export default async () => ${extract('return true', boolean)}`
    const value = await run(
      kernel,
      `const seen = [${extract('throw new Error()', boolean)}, (await proc.self()).budget.bits]
      const { pid } = await proc.spawn(${JSON.stringify(child)}); seen.push((await proc.wait(pid)).value)
      seen.push((await proc.self()).budget.bits, ${extract('return true', boolean)})
      return seen`,
    )
    expect(value).toEqual([
      failed,
      3,
      true,
      1,
      'EDQUOT: proc.extract `reader`: it may tell 2 bits, and 1 are left of the budget',
    ])
  })

  test('of a child is not more than its parent has', async () => {
    const child = `export default async () => ${extract('return true', boolean)}`
    const kernel = bootLabelled()
    const value = await run(
      kernel,
      `const { pid } = await proc.spawn(${JSON.stringify(child)}, { budget: { bits: 1000 } }); return (await proc.wait(pid)).value`,
    )
    expect(value).toMatch('EDQUOT')
  })
})

test('a policy judges it as an action of its own, by the bits that it may tell', async () => {
  const kernel = kernelWith([
    ...everything,
    { id: 'few', effect: 'forbid', action: 'proc.extract', when: 'args.bits > 2' },
  ])
  const value = await run(
    kernel,
    `return [${extract('return true', boolean)}, ${extract("return 'a'", { enum: ['a', 'b', 'c', 'd'] })}]`,
  )
  expect(value).toEqual([
    true,
    expect.stringMatching(/^EPERM: proc.extract `reader`: forbidden by rule `few`/),
  ])
})

describe('an extraction tells nothing beside its value', () => {
  const quiet = { type: 'boolean' }

  test('what its parent can see of files, messages, processes and budgets is the same, whatever it does', async () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'shared'), 'before')
    const seenAfter = async (body: string): Promise<unknown> => {
      const kernel = bootLabelled({
        policy: policyOf(everything, { budget: { bits: 64, syscalls: 5000, cpu: '20s', cost: 1 } }),
        mounts: { '/out': { host: folder, mode: 'rw' } },
      })
      return run(
        kernel,
        `await fs.write('/mem/a', 'x'); await ipc.send('reader', 'waits')
        const { pid } = await proc.self(), value = ${extract(body, quiet, 'args: [pid], budget: { syscalls: 500, cpu: "5s" }')}
        const { budget } = await proc.self()
        delete budget.cpuMs
        const names = async (path) => (await fs.list(path)).map(({ name }) => name)
        return {
          value, budget, labels: ${labelsNow},
          files: [await fs.read('/mem/a'), await names('/mem'), await names('/state'), await names('/tmp'), await fs.read('/out/shared'), await names('/out')],
          message: (await ipc.receive()).message,
          none: await ipc.receive({ timeoutMs: 1 }).catch((error) => error.code),
          processes: (await names('/proc')).length,
        }`,
      )
    }
    const idle = await seenAfter('return true')
    expect(idle).toMatchObject({ value: true, labels: [], message: 'waits', none: 'ETIMEDOUT', processes: 1 })
    const tries = [
      "fs.write('/mem/a', 'told')",
      "fs.append('/mem/episodic/log', 'told')",
      "fs.write('/mem/new', 'told')",
      "fs.mkdir('/state/told')",
      "fs.remove('/mem/a')",
      "fs.move('/mem/a', '/mem/b')",
      "fs.write('/out/shared', 'told')",
      "fs.write('/out/new', 'told')",
      "ipc.send('reader', 'told')",
      'ipc.receive({ timeoutMs: 1 })',
      "proc.signal(args[0], 'SIGUSR1')",
      "proc.signal('reader', 'SIGSTOP')",
      "proc.spawn('export default 1')",
      "proc.extract('export default true', { schema: { type: 'boolean' } })",
    ]
    const loud = `const codes = []; for (const attempt of [${tries.map((each) => `() => ${each}`).join(', ')}]) codes.push(await attempt().then(() => 'done', (error) => error.code))
      for (let n = 0; n < 100; n += 1) await proc.self()
      await fs.write('/tmp/a', 'x'.repeat(1000)); console.log('told')
      return codes.every((code) => code !== 'done')`
    expect(await seenAfter(loud)).toEqual(idle)
  })

  test('its process is nobody’s to see, to wait for or to signal, by pid or by name', async () => {
    const kernel = kernelWith()
    const value = await run(
      kernel,
      `await proc.on('SIGUSR2', 'ignore')
      const own = (await proc.self()).pid, pid = own + 1
      const working = proc.extract(async () => { await new Promise((wake) => setTimeout(wake, 300)); return true }, { schema: { type: 'boolean' } })
      const code = (call) => call.then(() => 'ok', (error) => error.code)
      await new Promise((wake) => setTimeout(wake, 50))
      const seen = [await code(fs.read('/proc/' + pid + '.json')), (await fs.list('/proc')).length, await code(proc.signal(pid, 'SIGKILL')), await code(proc.signal('reader', 'SIGUSR2')), await code(proc.wait(pid))]
      return [seen, await working, await code(proc.wait(pid))]`,
    )
    // The name means the parent itself, and fits nobody else.
    expect(value).toEqual([['ENOENT', 1, 'ESRCH', 'ok', 'ECHILD'], true, 'ECHILD'])
  })

  test('what is permitted only so often is not for it', async () => {
    const kernel = kernelWith([
      { id: 'all', effect: 'permit', action: '*' },
      { id: 'once', effect: 'permit', action: 'fs.read', resource: '/mem/a', once: true },
    ])
    const once = "await fs.read('/mem/a').then(() => 'ok', (error) => error.code)"
    const value = await run(
      kernel,
      `await fs.write('/mem/a', 'x'); return [${extract(`return (${once}) === 'EPERM'`, boolean)}, ${once}]`,
    )
    expect(value).toEqual([true, 'ok'])
  })

  test('its evidence tells its parent only under its labels', async () => {
    const value = await run(
      kernelWith(),
      `const told = ${extract('await tools.read_page({}); return true', boolean)}; const before = ${labelsNow}; await fs.read('/audit/log.jsonl'); return [told, before, ${labelsNow}]`,
    )
    expect(value).toEqual([true, [], ['untrusted']])
  })

  test('its own policy narrows what it may look at', async () => {
    const policy = {
      version: 1,
      name: 'none',
      rules: [{ id: 'tmp', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }],
    }
    const body = "return (await tools.read_page({}).catch((error) => error.code)) === 'EPERM'"
    expect(
      await run(kernelWith(), `return ${extract(body, boolean, `policy: ${JSON.stringify(policy)}`)}`),
    ).toBe(true)
  })

  test('it ends with its parent, and when its time is over', async () => {
    const kernel = kernelWith()
    const proc = kernel.spawn(
      {
        source: main(
          `return ${extract('for (;;) await new Promise((wake) => setTimeout(wake, 5))', boolean, 'budget: { wall: "150ms" }')}`,
        ),
      },
      { name: 'reader' },
    )
    expect(exitValue(await proc.exit)).toBe(failed)
    const killed = kernel.spawn({
      source: main(`${extract('await new Promise(() => setTimeout(() => {}, 60_000))', boolean)}`),
    })
    await new Promise((wake) => setTimeout(wake, 200))
    expect(kernel.ps()).toHaveLength(2)
    killed.signal('SIGKILL')
    await killed.exit
    expect(kernel.ps()).toEqual([])
  })
})

test('a schema that is not narrow is refused before anything begins', async () => {
  const kernel = kernelWith()
  for (const schema of [
    {},
    { type: 'string' },
    { type: 'number' },
    { type: 'integer', minimum: 0 },
    { type: 'object' },
    true,
    null,
  ])
    expect(await run(kernel, `return ${extract('return 1', schema)}`), JSON.stringify(schema)).toMatch(
      /^EINVAL/,
    )
  expect(
    await run(
      kernel,
      `return ${extract('return 1', { type: 'string', pattern: '[a-z]+', maxLength: limits.extractTextMax + 1 })}`,
    ),
  ).toMatch(/^EINVAL/)
  expect(entriesOf(kernel, 'intent', 'proc.extract')).toEqual([])
})
