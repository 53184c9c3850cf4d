/** The gate as agent code meets it: one reply and the right record for every call, whatever the call is. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Errno, errnos, type KernelSpace } from '../src/index.ts'
import { syscallNames } from '../src/syscalls.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf } from './support/kernel.ts'

/**
 * In a program: makes a call whose arguments are this expression. What user space itself would refuse gets past it
 * as `JSON.rawJSON`, as a broken user space would send it.
 */
const attempt = (name: string, args: string): string =>
  `await (async () => { try { return await sys(${JSON.stringify(name)}, { __proto__: null, ${args} }) }
    catch (error) { return [error.code, error.message] } })()`

/** What a call is → the errno, and what its message says. */
const bad: readonly (readonly [what: string, name: string, args: string, code: Errno, message: RegExp])[] = [
  [
    'an unknown call',
    'fs.raed',
    '',
    'ENOSYS',
    /^ENOSYS: fs\.raed: no such syscall; did you mean `fs\.read`\?$/,
  ],
  ['a call named like a method of objects', 'constructor', '', 'ENOSYS', /^ENOSYS: constructor: no such/],
  ['a call named __proto__', '__proto__', '', 'ENOSYS', /^ENOSYS: __proto__: no such/],
  ['a call without a name', '', '', 'ENOSYS', /^ENOSYS: : no such/],
  ['a name of 1,000 characters', 'x'.repeat(1_000), '', 'ENOSYS', /^ENOSYS: x{64}: no such/],
  [
    'the key __proto__',
    'fs.read',
    'path: "/tmp/a", ["__proto__"]: 1',
    'EINVAL',
    /`args` has the key `__proto__`/,
  ],
  ['the key constructor', 'fs.read', 'path: "/tmp/a", constructor: {}', 'EINVAL', /the key `constructor`/],
  [
    'a key deep inside',
    'tool.call',
    'name: "t", args: { a: [{ prototype: 1 }] }',
    'EINVAL',
    /`args\.args\.a\[0\]`/,
  ],
  [
    'a number beyond a double',
    'fs.read',
    'path: "/tmp/a", offset: JSON.rawJSON("1e999")',
    'EINVAL',
    /`args\.offset` is a number beyond/,
  ],
  ['a lone surrogate', 'fs.read', 'path: JSON.rawJSON(\'"\\\\ud800"\')', 'EINVAL', /lone surrogate/],
  ['a missing argument', 'fs.read', '', 'EINVAL', /^EINVAL: fs\.read: `args\.path`: /],
  ['an argument of another type', 'fs.read', 'path: 7', 'EINVAL', /^EINVAL: fs\.read: `args\.path`: /],
  [
    'an argument too many',
    'fs.read',
    'path: "/tmp/a", mode: 1',
    'EINVAL',
    /unknown key `mode`; there are path/,
  ],
  ['a negative offset', 'fs.read', 'path: "/tmp/a", offset: -1', 'EINVAL', /`args\.offset`/],
  ['base64 that is none', 'fs.write', 'path: "/tmp/a", base64: "*"', 'EINVAL', /args/],
  ['text and bytes at once', 'fs.write', 'path: "/tmp/a", base64: "", text: ""', 'EINVAL', /args/],
  ['a NUL in a path', 'fs.write', 'path: "/tmp/a\\u0000b", text: "x"', 'EINVAL', /fs\.write: .*U\+0000/],
  ['a relative path', 'fs.write', 'path: "tmp/a", text: "x"', 'EINVAL', /not an absolute path/],
  ['a backslash in a path', 'fs.write', 'path: "/tmp\\\\a", text: "x"', 'EINVAL', /backslash/],
  ['a path in two spellings', 'fs.write', 'path: "/tmp/e\\u0301", text: "x"', 'EINVAL', /NFC/],
  ['an unseen character in a path', 'fs.write', 'path: "/tmp/a\\u202eb", text: "x"', 'EINVAL', /U\+202E/],
  [
    'a path of 2,000 characters',
    'fs.write',
    'path: "/" + "a".repeat(2_000), text: "x"',
    'ENAMETOOLONG',
    /2001 characters/,
  ],
  ['an unknown signal', 'proc.signal', 'target: 1, signal: "SIGNOPE"', 'EINVAL', /args\.signal/],
  ['a signal of the kernel', 'proc.signal', 'target: 1, signal: "SIGPOLICY"', 'EINVAL', /args\.signal/],
  ['an unknown process', 'proc.signal', 'target: 999, signal: "SIGTERM"', 'ESRCH', /no process 999/],
  ['a sleep without end', 'clock.sleep', 'ms: 1e12', 'EINVAL', /`args\.ms`/],
  ['an unknown tool', 'tool.call', 'name: "t", args: {}', 'ENOENT', /no tool is called/],
  ['a message too long', 'ipc.send', 'to: "a", message: "x".repeat(1_048_577)', 'EMSGSIZE', /fit/],
]

const untouched = (kernel: KernelSpace): void => {
  expect(entriesOf(kernel, 'intent').filter(({ syscall }) => syscall !== 'proc.exit')).toEqual([])
}

describe('refused', () => {
  test.each(bad)('%s: %s', async (_what, name, args, code, message) => {
    const kernel = boot()
    const [given, text] = (await ask(kernel, `return ${attempt(name, args)}`)) as [string, string]
    expect(given).toBe(code)
    expect(text).toMatch(message)
    const refusals = entriesOf(kernel, 'refusal')
    expect(refusals).toHaveLength(1)
    expect(refusals[0]).toMatchObject({ code, pid: 1, syscall: name.slice(0, 64) })
    untouched(kernel)
    expect(kernel.evidence.verify()).toMatchObject({ ok: true })
  })

  test('arguments nested too deep, or with a key that is never accepted, behind the back of user space', async () => {
    const kernel = boot()
    // A getter gives what is sound when user space looks, and something else when it is written as JSON.
    const messages = (await ask(
      kernel,
      `const behind = (text) => { let looks = 0; return { get a() { return (looks += 1) > 1 ? JSON.parse(text) : 1 } } }
       const texts = ['${'['.repeat(100)}${']'.repeat(100)}', '{"__proto__":{"then":1}}']
       return Promise.all(texts.map((text) => sys('ipc.send', { to: 'a', message: behind(text) })
         .catch((error) => error.message)))`,
    )) as string[]
    expect(messages[0]).toMatch(/^EINVAL: ipc\.send: `args\.message\.a.*…` is nested deeper than 64$/)
    expect(messages[1]).toMatch(/^EINVAL: ipc\.send: `args\.message\.a` has the key `__proto__`/)
    untouched(kernel)
  })

  test('arguments larger than a call takes', async () => {
    const kernel = boot()
    const value = await ask(
      kernel,
      `const text = 'x'.repeat(25 * 1024 * 1024)
      return fs.write('/tmp/a', text).then(() => 'ok', (error) => [error.code, error.message])`,
      {
        budget: { memory: '256MiB' },
      },
    )
    expect(value).toEqual(['E2BIG', expect.stringContaining('put a larger document in a file')])
    expect(entriesOf(kernel, 'refusal')).toHaveLength(1)
    untouched(kernel)
  })

  test('arguments that become no JSON on their way are EINVAL, and not lost', async () => {
    const value = await ask(
      boot(),
      `let looks = 0
       Object.defineProperty(Object.prototype, 'toJSON', {
         configurable: true, get: () => (looks += 1) > 1 ? () => undefined : undefined })
       const message = await sys('fs.read', { path: '/tmp/a' }).catch((error) => error.message)
       delete Object.prototype.toJSON
       return message`,
    )
    expect(value).toContain('EINVAL: fs.read')
  })

  test('a name that is no text becomes one, and a name that cannot is the guest’s own error', async () => {
    const value = await ask(
      boot(),
      `const out = []
       for (const name of [undefined, null, 7, {}, ['fs.read'], { toString: () => 'proc.self' }])
         out.push(await sys(name).then(() => 'ok', (error) => error.code))
       for (const name of [Symbol('s'), { toString() { throw new RangeError() } }])
         try { await sys(name) } catch (error) { out.push(error.name) }
       return out`,
    )
    expect(value).toEqual([
      ...['ENOSYS', 'ENOSYS', 'ENOSYS', 'ENOSYS', 'EINVAL', 'ok', 'TypeError', 'RangeError'],
    ])
  })

  test('a path is judged by where it lands, not by how it is written', async () => {
    const kernel = boot({
      policy: policyOf([{ id: 'own', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }]),
    })
    const message = await ask(
      kernel,
      `return fs.read('/tmp/../etc/./passwd').catch((error) => error.message)`,
    )
    expect(message).toMatch(/^EPERM: fs\.read `\/etc\/passwd`: no rule permits it/)
    expect(await ask(kernel, `return fs.write('/etc/../tmp//a/', 'x').then(() => fs.read('/tmp/a'))`)).toBe(
      'x',
    )
  })
})

describe('record', () => {
  test('a refusal is one entry; an effect two, its intent before its outcome', async () => {
    const kernel = boot({ policy: 'strict' })
    await ask(kernel, `await fs.write('/tmp/a', 'x'); await fs.read('/etc/passwd').catch(() => {})`)
    const [intent] = entriesOf(kernel, 'intent', 'fs.write')
    const outcome = entriesOf(kernel, 'outcome').find((entry) => entry.intent === intent?.seq)
    expect(intent).toMatchObject({
      resource: '/tmp/a',
      decision: { effect: 'permit', rules: [{ id: 'own-memory' }] },
    })
    expect(outcome).toMatchObject({ status: 'committed' })
    expect(outcome?.seq).toBeGreaterThan(intent?.seq ?? Number.POSITIVE_INFINITY)
    expect(entriesOf(kernel, 'refusal')).toMatchObject([
      { syscall: 'fs.read', resource: '/etc/passwd', code: 'EPERM', decision: { effect: 'forbid' } },
    ])
    expect(entriesOf(kernel, 'intent', 'fs.read')).toEqual([])
  })

  test('a failing device is an intent and an outcome that failed, with its errno', async () => {
    const kernel = boot()
    await ask(kernel, `await fs.read('/tmp/none').catch(() => {})`)
    const [intent] = entriesOf(kernel, 'intent', 'fs.read')
    const outcome = entriesOf(kernel, 'outcome').find((entry) => entry.intent === intent?.seq)
    expect(outcome).toMatchObject({ status: 'failed', code: 'ENOENT' })
    expect(entriesOf(kernel, 'refusal')).toEqual([])
  })

  test('a reply larger than fits is EFBIG, and the call is on record as failed', async () => {
    const kernel = boot({
      tools: {
        big: {
          description: 'big',
          parameters: { type: 'object' },
          execute: () => 'x'.repeat(25 * 1024 * 1024),
        },
      },
    })
    const message = await ask(kernel, `return tools.big({}).catch((error) => error.message)`)
    expect(message).toContain('EFBIG: tool.call `big`: the reply has')
  })
})

describe('budget', () => {
  test('past the budget calls are EDQUOT, and a process that goes on all the same gets SIGBUDGET', async () => {
    const kernel = boot()
    const exit = await kernel.spawn(
      { source: main('for (;;) await proc.self().catch(() => {})') },
      { budget: { syscalls: 3 } },
    ).exit
    expect(exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
    expect(entriesOf(kernel, 'intent', 'proc.self')).toHaveLength(3)
    const codes = new Set(entriesOf(kernel, 'refusal').map(({ code }) => code))
    expect(codes).toEqual(new Set(['EDQUOT']))
    expect(entriesOf(kernel, 'refusal').length).toBeLessThan(120)
  })

  test('refused calls use up the budget too', async () => {
    const value = await ask(
      boot({ policy: 'strict' }),
      `for (let n = 0; n < 3; n += 1) await fs.read('/etc/passwd').catch(() => {})
       return proc.self().then(() => 'ok', (error) => error.message)`,
      { budget: { syscalls: 3 } },
    )
    expect(value).toBe('EDQUOT: proc.self: the budget of 3 syscalls is used up')
  })

  test('the call after 1,024 in flight is EAGAIN, and later ones pass again', async () => {
    const value = await ask(
      boot(),
      `const calls = Array.from({ length: 1_030 }, () => sys('clock.sleep', { ms: 800 }).then(() => 'ok', (error) => error.code))
       const codes = await Promise.all(calls)
       return [codes.filter((code) => code === 'EAGAIN').length, (await proc.self()).pid]`,
    )
    expect(value).toEqual([6, 1])
  })
})

test('random calls with random arguments get one reply each, and leave a sound record', async () => {
  const kernel = boot()
  const call = fc.tuple(
    fc.oneof(
      fc.constantFrom(...syscallNames.filter((name) => !/exit|output|pipe|receive|sleep|wait/.test(name))),
      fc.string(),
    ),
    fc.oneof(
      fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text)),
      fc.dictionary(
        fc.constantFrom(
          'path',
          'text',
          'to',
          'from',
          'message',
          'name',
          'args',
          'source',
          'target',
          'signal',
          'bytes',
          'url',
        ),
        fc.oneof(
          fc.constantFrom('/tmp/a', '/mem/working/b', '/tmp/..', 'SIGUSR1', 'http://127.0.0.1:1/'),
          fc.jsonValue(),
        ),
      ),
    ),
  )
  const program = main(`const codes = []
    await Promise.all(JSON.parse(args[0]).map(async ([name, given], index) => {
      try { await sys(name, given); codes[index] = 'ok' } catch (error) { codes[index] = error.code }
    }))
    return codes`)
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
      const exit = await kernel.spawn({ source: program }, { args: [JSON.stringify(calls)] }).exit
      const codes = exitValue(exit) as string[]
      expect(codes).toHaveLength(calls.length)
      for (const code of codes) expect(['ok', ...Object.keys(errnos)]).toContain(code)
      expect(codes).not.toContain('EIO')
    }),
    { numRuns: 60 },
  )
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})
