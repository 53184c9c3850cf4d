/** Features of policies together: none of them opens a way round another. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelOptions, KernelSpace, PolicyDocument } from '../../src/index.ts'
import { asked } from '../approvals/support.ts'
import {
  ask,
  boot,
  entriesOf,
  exitValue,
  main,
  policyOf,
  refusalOf,
  tempFolder,
  until,
} from '../support/kernel.ts'

const tools = {
  note: {
    description: 'keeps a note',
    parameters: { type: 'object', properties: { text: { type: 'string' } }, additionalProperties: false },
    execute: () => 'kept',
  },
  page: {
    description: 'reads a page',
    parameters: { type: 'object' },
    labels: ['untrusted'],
    execute: () => 'a page that says visit.example.org',
  },
} as unknown as NonNullable<KernelOptions['tools']>

type Rules = PolicyDocument['rules']
const all = { id: 'all', effect: 'permit', action: '*' } as const
const kernelWith = (rules: Rules, more: KernelOptions = {}): KernelSpace =>
  boot({ policy: policyOf([all, ...rules]), tools, ...more })

/** Starts a program; its value is what `asked` became, and the body goes on while that waits. */
const asking = (kernel: KernelSpace, call: string, body = '') =>
  kernel.spawn({
    source: main(
      `const asked = ${call}.then(() => 'ok', (error) => error.message)\n${body}\nreturn await asked`,
    ),
  })

const settled = (kernel: KernelSpace, count = 1) =>
  until(() => entriesOf(kernel, 'outcome').length >= count, `${count} calls are over`)

describe('what is kept of a call that a person was asked about', () => {
  const mail = 'anna.lind@example.org'
  /** In a program, so that the program on record does not hold it. */
  const written = "['anna.lind', 'example.org'].join('@')"
  const pii: Rules = [{ id: 'pii', effect: 'ask', action: '*', contains: ['email'] }]

  /** @returns lines on record in which a text stands */
  async function linesWith(kernel: KernelSpace, dir: string, text: string): Promise<readonly string[]> {
    await kernel.shutdown()
    return readdirSync(dir)
      .filter((name) => /^(log|pack)/.test(name))
      .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'))
      .filter((line) => line.includes(text))
  }

  test('for what it holds: neither its resource nor what was bound to the answer, also once it is approved', async () => {
    const dir = tempFolder()
    const kernel = kernelWith(pii, { evidence: { dir } })
    const told: unknown[] = []
    kernel.on('syscall', (event) => told.push(event))
    const run = asking(kernel, `fs.write('/tmp/' + ${written}, 'x')`)
    const request = await asked(kernel)
    expect(request.args.text).toContain(mail)
    expect(request.resource).toBe('/tmp/[redacted email]')
    kernel.approvals.approve(request.id)
    expect(exitValue(await run.exit)).toBe('ok')
    expect(JSON.stringify(told)).not.toContain(mail)
    expect(kernel.evidence.verify().problems).toEqual([])
    expect(await linesWith(kernel, dir, mail)).toEqual([])
  })

  test('for what it holds: not the arguments that a person wrote in place of it either', async () => {
    const dir = tempFolder()
    const kernel = kernelWith(pii, { evidence: { dir } })
    const run = asking(kernel, `tools.note({ text: ${written} })`)
    const { id } = await asked(kernel)
    kernel.approvals.approve(id, { args: { name: 'note', args: { text: 'bert@example.org' } } })
    expect(exitValue(await run.exit)).toBe('ok')
    expect(await linesWith(kernel, dir, '@example.org')).toEqual([])
  })

  test('nor, where nothing is to be kept, when it is refused for its budget after the answer', async () => {
    const dir = tempFolder()
    const quiet: Rules = [{ id: 'note', effect: 'ask', action: 'tool.call', log: 'digest' }]
    const kernel = kernelWith(quiet, { evidence: { dir }, limits: { syscalls: 2 } })
    const run = asking(
      kernel,
      "tools.note({ text: ['hid', 'den'].join('') })",
      "await fs.list('/tmp'); await fs.list('/tmp')",
    )
    const { id } = await asked(kernel)
    await settled(kernel, 2)
    kernel.approvals.approve(id)
    expect(exitValue(await run.exit)).toMatch(/^EDQUOT/)
    expect(await linesWith(kernel, dir, 'hidden')).toEqual([])
  })

  test('nor of its own arguments, where others in place of them are refused', async () => {
    const dir = tempFolder()
    const kernel = boot({
      tools,
      evidence: { dir },
      policy: policyOf([
        ...pii,
        {
          id: 'x',
          effect: 'permit',
          action: 'tool.call',
          when: 'has(args.text) && args.text == "x"',
          once: true,
        },
      ]),
    })
    const run = asking(kernel, `tools.note({ text: ${written} })`, "await tools.note({ text: 'x' })")
    const { id } = await asked(kernel)
    await settled(kernel)
    kernel.approvals.approve(id, { args: { name: 'note', args: { text: 'x' } } })
    expect(exitValue(await run.exit)).toMatch(/permits it once/)
    expect(await linesWith(kernel, dir, mail)).toEqual([])
  })
})

describe('an approval', () => {
  const note: Rules[number] = { id: 'note', effect: 'ask', action: 'tool.call', resource: 'note' }
  const other = { args: { name: 'note', args: { text: 'b' } } }

  test('does not answer a rule that asks only since then', async () => {
    const second = { ...note, id: 'second', when: 'history.run.count("fs.list") > 0' }
    const kernel = kernelWith([note, second])
    asking(kernel, "tools.note({ text: 'a' })", "await fs.list('/tmp')")
    const first = await asked(kernel)
    expect(first.rules.map(({ id }) => id)).toEqual(['note'])
    await settled(kernel)
    kernel.approvals.approve(first.id)
    await until(() => entriesOf(kernel, 'ask').length === 2, 'it is asked anew')
    const { rules, follows } = await asked(kernel)
    expect([rules.map(({ id }) => id), follows]).toEqual([['note', 'second'], first.id])
  })

  test('with other arguments does not either, where the process carries more than was shown', async () => {
    const kernel = kernelWith([note, { ...note, id: 'strange', when: '"untrusted" in labels' }])
    asking(kernel, "tools.note({ text: 'a' })", 'await tools.page({})')
    const first = await asked(kernel)
    await settled(kernel)
    kernel.approvals.approve(first.id, other)
    await until(() => entriesOf(kernel, 'ask').length === 2, 'it is asked anew')
    expect(await asked(kernel)).toMatchObject({ labels: ['untrusted'], follows: first.id })
    expect(entriesOf(kernel, 'intent', 'tool.call')).toHaveLength(1)
  })

  test.each(['/tmp/f', '/tmp/g'])(
    'with other arguments does not replace what was not shown, at %s',
    async (path) => {
      const kernel = kernelWith([{ id: 'write', effect: 'ask', action: 'fs.write' }])
      asking(kernel, "fs.write('/tmp/f', 'a')", `await fs.append('${path}', 'dear')`)
      const first = await asked(kernel)
      await settled(kernel)
      kernel.approvals.approve(first.id, { args: { path, text: 'b' } })
      await until(() => entriesOf(kernel, 'ask').length === 2, 'it is asked anew')
      expect((await asked(kernel)).changes).toMatchObject([{ path, before: { bytes: 4 } }])
    },
  )
})

describe('what an agent writes for its child', () => {
  const spawn = (rules: Rules, source = 'export default () => 1'): string =>
    `proc.spawn(${JSON.stringify(source)}, { policy: ${JSON.stringify(policyOf(rules, { name: 'own' }))} })`

  test.each<[string, Partial<Rules[number]>, RegExp]>([
    ['keeps nothing out of the record', { log: 'digest' }, /has no `log`/],
    ['keeps nothing out of it by asking', { effect: 'ask', contains: ['email'] }, /let it forbid/],
    ['does not ask what others were told', { when: 'origin(args) == "untrusted"' }, /no `origin`/],
    ['does not ask what others did', { when: 'history.run.count("fs.read") > 0' }, /no `history` but/],
  ])('%s', async (_, part, message) => {
    const rule = { id: 'rule', effect: 'permit', action: 'tool.call', ...part } as Rules[number]
    const kernel = kernelWith([])
    expect(await ask(kernel, `return ${refusalOf(spawn([all, rule]))}`)).toMatch(message)
    const policy = policyOf([all, rule], { name: 'own' })
    const run = kernel.spawn({ source: 'export default () => 1' }, { policy })
    expect(exitValue(await run.exit)).toBe(1)
  })

  test('may ask what it did itself', async () => {
    const rule: Rules[number] = {
      ...{ id: 'once', effect: 'forbid', action: 'tool.call' },
      when: 'history.process.count("tool.call") > 0',
    }
    const twice = main(`await tools.note({}); return ${refusalOf('tools.note({})')}`)
    const body = `return (await proc.wait((await ${spawn([all, rule], twice)}).pid)).value`
    expect(await ask(kernelWith([]), body)).toMatch(/^EPERM.*`once`/)
  })
})

describe('history', () => {
  test('does not count what an extraction did, also where it is read from the record', async () => {
    const kernel = kernelWith([], { limits: { bits: 8 } })
    const look = "async () => { await fs.list('/tmp'); return true }"
    expect(await ask(kernel, `return proc.extract(${look}, { schema: { type: 'boolean' } })`)).toBe(true)
    expect(entriesOf(kernel, 'intent', 'fs.list')).toMatchObject([{ extraction: true }])
    const when = 'history.everyone.count("fs.list", "*", "24h") > 0'
    kernel.reload(policyOf([all, { id: 'listed', effect: 'forbid', action: 'fs.stat', when }]))
    expect(await ask(kernel, `return ${refusalOf("fs.stat('/tmp')")}`)).toBe('ok')
  })

  const made = "await fs.mkdir('/tmp/a'); await fs.mkdir('/tmp/a/dear'); await fs.write('/tmp/a/dear/f', 'x')"
  test.each([
    ['moved with the folder above it', 'fs.read', "fs.move('/tmp/a', '/tmp/b')"],
    ['moved there with a folder', 'fs.write', "fs.move('/tmp/b', '/tmp/a')"],
    ['removed with the folder above it', 'fs.remove', "fs.remove('/tmp/a', { recursive: true })"],
  ])('what it asks about is not %s', async (_, action, call) => {
    const rule = (effect: 'forbid', mode: 'enforce' | 'observe') => ({
      ...policyOf([
        all,
        {
          id: 'h',
          effect,
          action: 'tool.call',
          when: `history.run.count("${action}", "/tmp/a/dear/**") > 9`,
        },
      ]),
      ...{ name: mode, mode },
    })
    const body = `${made}\nawait fs.mkdir('/tmp/b'); return ${refusalOf(call)}`
    const enforced = boot({ policy: rule('forbid', 'enforce') })
    expect(await ask(enforced, body)).toMatch(/^EPERM.*do it file by file/)
    const observed = boot({ policy: ['permissive', rule('forbid', 'observe')] })
    expect(await ask(observed, body)).not.toMatch(/file by file/)
  })
})

test('what a look at an approval’s file tells an agent is labelled', async () => {
  const kernel = kernelWith([{ id: 'ask', effect: 'ask', action: 'fs.remove', resource: '/shared/**' }], {
    mounts: { '/shared': { host: tempFolder(), mode: 'rw' } },
  })
  const writer = main("await tools.page({}); await fs.mkdir('/shared/yes')")
  exitValue(await kernel.spawn({ source: writer }).exit)
  const moved = refusalOf("fs.move('/shared/yes', '/shared/no')")
  expect(await ask(kernel, `return [${moved}, (await proc.self()).labels]`)).toEqual([
    expect.stringMatching(/keeps the folder/),
    ['untrusted'],
  ])
})
