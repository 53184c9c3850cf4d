/** What an application can ask of a kernel, and what it is refused before anything runs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type KernelError, type KernelOptions, KernelSpace, PolicyError } from '../src/index.ts'
import { boot, entriesOf, exitValue, kernelErrorOf, main, policyOf, tempFolder } from './support/kernel.ts'

/** A door that functions of this file use in user space. */
declare const fs: typeof import('gatehouse/guest').fs

const asleep = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')

describe('options refused', () => {
  const bad: readonly (readonly [what: string, options: unknown, message: RegExp])[] = [
    [
      'an unknown option',
      { isolaton: 'cell' },
      /`isolaton` is no option of KernelSpace; did you mean `isolation`\?/,
    ],
    ['an unknown isolation', { isolation: 'container' }, /`isolation`/],
    ['an unknown preset', { policy: 'strickt' }, /no preset is called `strickt`; did you mean `strict`/],
    ['an empty list of policies', { policy: [] }, /the list of policies is empty/],
    ['a policy that is no policy', { policy: 7 }, /`policy`/],
    ['a policy file that is missing', { policy: './no/such.yaml' }, /`\.\/no\/such\.yaml` is not there/],
    ['a folder for a policy file', { policy: '/tmp/' }, /not a regular file/],
    ['a policy with an unknown key', { policy: policyOf([], { rulez: [] } as object) }, /rulez/],
    ['an unknown limit', { limits: { calls: 3 } }, /unknown budget `calls`/],
    ['a limit without its unit', { limits: { wall: 30 } }, /no unit/],
    ['a seed that is no whole number', { seed: 1.5 }, /`seed`/],
    ['an unknown option of evidence', { evidence: { dir: 'x', durabilty: 'disk' } }, /evidence/],
    [
      'a mount that is not there',
      { mounts: { '/workspace': { host: '/no/such/folder' } } },
      /cannot mount the folder/,
    ],
    ['an unknown mode of a mount', { mounts: { '/workspace': { host: '.', mode: 'w' } } }, /mode/],
    ['a mount over the policy', { mounts: { '/policy': { host: '.' } } }, /policy/],
    [
      'a tool without a function',
      { tools: { t: { description: 't', parameters: { type: 'object' } } } },
      /`execute`/,
    ],
    ['a tool with a name that is none', { tools: { 'a b': { description: 't' } } }, /tool `a b`/],
    ['no object', 7, /KernelSpace/],
  ]

  test.each(bad)('%s', (_what, options, message) => {
    let made: KernelSpace | undefined
    try {
      made = new KernelSpace(options as KernelOptions)
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^E[A-Z]+$/) })
      expect((error as KernelError).message).toMatch(message)
    }
    void made?.shutdown()
    expect(made).toBeUndefined()
  })

  test('a policy that is not sound says where, and every flaw at once', () => {
    const file = join(tempFolder(), 'p.yaml')
    writeFileSync(file, 'version: 1\nname: p\nrules:\n  - id: a\n    effect: allow\n    action: fs.raed\n')
    expect(() => new KernelSpace({ policy: file })).toThrow(PolicyError)
    expect(() => new KernelSpace({ policy: file })).toThrow(/p\.yaml:5:\d+: .*\n.*p\.yaml:6:\d+: .*fs\.read/)
  })

  test('options of a process are a closed set too', async () => {
    const kernel = boot()
    for (const options of [
      { nmae: 'a' },
      { name: '' },
      { name: '../a' },
      { budget: { calls: 1 } },
      { labels: [''] },
      { isolation: 'x' },
      { policy: 'none' },
    ]) {
      expect(() => kernel.spawn({ source: asleep }, options as object)).toThrow(
        expect.objectContaining({ code: 'EINVAL' }),
      )
    }
    expect(() => kernel.spawn({ sorce: 'x' } as never)).toThrow(
      'a program is a function, an agent, `{ file }` or `{ source }`',
    )
    expect(kernel.ps()).toEqual([])
    expect(entriesOf(kernel, 'spawn')).toEqual([])
  })
})

describe('isolation', () => {
  test('weaker than the policy accepts is EPERM, however it is asked for', async () => {
    const policy = policyOf([{ id: 'all', effect: 'permit', action: '*' }], {
      isolation: 'cell',
      name: 'floor',
    })
    const kernel = boot({ policy, isolation: 'inline' })
    for (const options of [{}, { isolation: 'inline' }, { isolation: 'host' }] as const) {
      const error = await kernelErrorOf(() => kernel.spawn(() => 1, options))
      expect(error.code).toBe('EPERM')
      expect(error.message).toContain('policy `floor` accepts `cell` or stronger')
    }
    expect(exitValue(await kernel.spawn(() => 1, { isolation: 'cell' }).exit)).toBe(1)
  })

  test('a host function runs in the application and is named as such everywhere', async () => {
    const kernel = boot()
    let rows: readonly { isolation: string }[] = []
    const secret = { of: 'the application' }
    const agent = kernel.register(
      (given: object) => {
        rows = kernel.ps()
        return given
      },
      { name: 'framework', isolation: 'host' },
    )
    expect(await kernel.execute(agent, secret)).toBe(secret)
    expect(rows).toMatchObject([{ name: 'framework', isolation: 'host' }])
    expect(entriesOf(kernel, 'spawn')).toMatchObject([{ agent: 'framework', isolation: 'host' }])
  })

  test('a host function can be ended for its caller, and one that throws fails', async () => {
    const kernel = boot()
    const proc = kernel.spawn(() => new Promise(() => {}), { isolation: 'host', name: 'hanging' })
    proc.signal('SIGKILL')
    expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
    const failing = kernel.register(() => Promise.reject(new RangeError('own')), {
      isolation: 'host',
      name: 'f',
    })
    expect(await kernelErrorOf(() => kernel.execute(failing))).toMatchObject({
      code: 'EFAULT',
      guest: { name: 'RangeError' },
    })
  })

  test('a program as text has no place in `host`', () => {
    expect(() => boot().spawn({ source: asleep }, { isolation: 'host' })).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
  })
})

describe('register and execute', () => {
  test.each(['inline', 'cell'] as const)(
    'an agent in %s is registered once and run as often as one likes',
    async (isolation) => {
      const kernel = boot({ isolation, policy: 'strict' })
      const researcher = kernel.register(
        async (task: string) => {
          await fs.write('/mem/working/task.txt', task)
          return `done: ${await fs.read('/mem/working/task.txt')}`
        },
        { name: 'researcher' },
      )
      expect(await kernel.execute(researcher, 'analyze this data')).toBe('done: analyze this data')
      expect(await kernel.execute(researcher, 'and this')).toBe('done: and this')
      expect(await kernel.vfs('researcher').read('/mem/working/task.txt')).toBe('and this')
      expect(() => kernel.register(() => 1, { name: 'researcher' })).toThrow(
        expect.objectContaining({ code: 'EEXIST' }),
      )
    },
  )

  test('a function that cannot travel is refused when it is registered, with the name and what to do', () => {
    const outside = 7
    expect(() => boot().register(() => outside, { name: 'a' })).toThrow(/outside/)
  })

  test('a refusal that is not handled rejects with its errno and the decision', async () => {
    const error = await kernelErrorOf(() =>
      boot({ policy: 'strict' }).execute({ source: main(`await fs.read('/etc/x')`) }),
    )
    expect(error).toMatchObject({ code: 'EPERM', decision: { effect: 'forbid' } })
    expect(error.message).toContain('fs.read `/etc/x`: no rule permits it')
  })

  test('an end by a signal rejects with the signal, an own error with the guest’s error', async () => {
    const kernel = boot()
    const spinning = kernel.register({ source: 'for (;;);' }, { name: 's', budget: { cpu: '50ms' } })
    expect(await kernelErrorOf(() => kernel.execute(spinning))).toMatchObject({
      code: 'EINTR',
      signal: 'SIGBUDGET',
    })
    const error = await kernelErrorOf(() => kernel.execute({ source: main('throw new TypeError("own")') }))
    expect(error).toMatchObject({ code: 'EFAULT', guest: { name: 'TypeError' } })
    expect(error.message).toContain('own')
    expect(error.stack).not.toContain('gatehouse:')
  })

  test('the options of a spawn narrow those of the agent', async () => {
    const kernel = boot()
    const agent = kernel.register(
      {
        source: main(`return [await fs.write('/mem/working/a', '').catch((e) => e.code), await proc.self()]`),
      },
      {
        name: 'a',
        policy: 'read-only',
        budget: { syscalls: 100 },
        labels: ['x'],
      },
    )
    const exit = await kernel.spawn(agent, {
      policy: 'permissive',
      budget: { syscalls: 1_000 },
      labels: ['y'],
    }).exit
    expect(exitValue(exit)).toMatchObject([
      'EPERM',
      { name: 'a', labels: ['x', 'y'], budget: { syscalls: 98 } },
    ])
  })
})
