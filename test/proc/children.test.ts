/** Children: started from text, waited for, and never with more than their parent. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { ask, boot, exitValue, main, policyOf, refusalOf } from '../support/kernel.ts'

/** In a program: starts a child from the body of its program and gives how it ended. */
const child = (body: string, options = ''): string =>
  `(await proc.wait((await proc.spawn(${JSON.stringify(main(body))}${options && `, ${options}`})).pid))`

describe('refused', () => {
  test.each([
    ['a path of the host', `'./policy.yaml'`],
    ['a path in a list', `['strict', '/etc/hostname/x.yaml']`],
    ['a path without an ending', `'../presets/strict'`],
    [
      'a document that extends a path',
      `{ version: 1, name: 'p', extends: '/etc/hostname/x.yaml', rules: [] }`,
    ],
    ['the same in a list', `[{ version: 1, name: 'p', extends: './policy.json', rules: [] }]`],
  ])('%s as a policy: nothing of the host is read', async (_name, policy) => {
    const message = await ask(boot(), `return ${refusalOf(`proc.spawn('1', { policy: ${policy} })`)}`)
    expect(message).toMatch(/^EINVAL: proc\.spawn .*paths of the host are not read for agents$/)
  })

  test.each([
    ['an unknown preset', `{ policy: 'strickt' }`, /did you mean `strict`/],
    ['a policy that is not sound', `{ policy: { version: 2 } }`, /version/],
    ['an unknown budget', `{ budget: { calls: 3 } }`, /unknown budget `calls`/],
    ['a budget without its unit', `{ budget: { wall: 3 } }`, /`3` has no unit/],
    ['a name that is none', `{ name: '../boss' }`, /name/],
    ['an option that there is not', `{ isolation: 'host' }`, /isolation/],
  ])('%s is EINVAL and starts nothing', async (_name, options, message) => {
    const kernel = boot()
    expect(await ask(kernel, `return ${refusalOf(`proc.spawn('1', ${options})`)}`)).toMatch(message)
    expect(kernel.evidence.entries().filter(({ kind }) => kind === 'spawn')).toHaveLength(1)
  })

  test('what is not one’s child cannot be waited for', async () => {
    const kernel = boot()
    const other = kernel.spawn({
      source: main('await new Promise((resolve) => setTimeout(resolve, 60_000))'),
    })
    const pids = `[${other.pid}, 999, (await proc.self()).pid]`
    const codes = await ask(
      kernel,
      `return Promise.all(${pids}.map((pid) => proc.wait(pid).catch((error) => error.code)))`,
    )
    expect(codes).toEqual(['ECHILD', 'ECHILD', 'ECHILD'])
  })

  test('more children at once than fit are EAGAIN', async () => {
    const value = await ask(
      boot(),
      `const codes = []
       for (let n = 0; n < ${limits.childrenMax + 1}; n += 1)
         codes.push(await proc.spawn('await new Promise((r) => setTimeout(r, 60_000))').then(() => 'ok', (error) => error.code))
       return codes`,
    )
    expect((value as string[]).indexOf('EAGAIN')).toBe(limits.childrenMax)
  })

  test.each([
    [
      'the policy',
      { policy: policyOf([{ id: 'all', effect: 'permit', action: '*' }], { budget: { depth: 1 } }) },
      {},
    ],
    ['the kernel’s limits', { limits: { depth: 1 } }, {}],
    ['the process’s own budget', {}, { budget: { depth: 1 } }],
  ])('a grandchild past the depth of %s is EDQUOT', async (_name, kernel, options) => {
    const grandchild = `try { return ${child('return 1')} } catch (error) { return error.code }`
    const value = await ask(boot(kernel), `return ${child(grandchild)}`, options)
    expect(value).toMatchObject({ status: 'exited', value: 'EDQUOT' })
  })

  test('without a rule for proc.spawn there are no children', async () => {
    const message = await ask(boot({ policy: 'strict' }), `return ${refusalOf(`proc.spawn('1')`)}`)
    expect(message).toMatch(/^EPERM: proc\.spawn/)
  })
})

describe('narrowing', () => {
  test('a child with a wider policy than its parent still has its parent’s', async () => {
    const kernel = boot({
      policy: policyOf([
        { id: 'kids', effect: 'permit', action: 'proc.spawn' },
        { id: 'own', effect: 'permit', action: 'fs.*', resource: '/tmp/**' },
      ]),
    })
    const body = `return fs.read('/etc/x').catch((error) => error.code)`
    expect(await ask(kernel, `return ${child(body, `{ policy: 'permissive' }`)}`)).toMatchObject({
      value: 'EPERM',
    })
  })

  test('a child’s own policy holds for it and its children, and not for its parent', async () => {
    const write = `fs.write('/tmp/a', 'x').then(() => 'ok', (error) => error.code)`
    const policy = `{ policy: 'read-only', name: 'reader' }`
    const value = await ask(
      boot(),
      `return [${child(`return (await proc.self()).name + (await fs.write('/mem/working/a', 'x').catch((error) => error.code))`, policy)}.value, await ${write}]`,
    )
    expect(value).toEqual(['readerEPERM', 'ok'])
  })

  test('a child’s budget is the least of its own and its parent’s', async () => {
    const value = await ask(
      boot(),
      `return ${child('return (await proc.self()).budget.syscalls', '{ budget: { syscalls: 1000 } }')}.value`,
      {
        budget: { syscalls: 20 },
      },
    )
    expect(value).toBeLessThan(20)
  })

  test('a child has its parent’s isolation, run and labels', async () => {
    const value = await ask(
      boot(),
      `return [await proc.self(), ${child('return proc.self()', `{ name: 'kid' }`)}.value]`,
      {
        labels: ['confidential'],
      },
    )
    const [parent, kid] = value as { pid: number; run: string }[]
    expect(kid).toMatchObject({
      ppid: parent?.pid,
      run: parent?.run,
      name: 'kid',
      isolation: 'inline',
      labels: ['confidential'],
    })
  })
})

test('a child gives its value, its error, or the signal that ended it', async () => {
  const value = await ask(
    boot(),
    `return [${child('return args', '{ args: [1, { a: "b" }] }')},
       ${child('throw new RangeError("own")')},
       ${child('await proc.signal((await proc.self()).pid, "SIGKILL")')}]`,
  )
  expect(value).toMatchObject([
    { status: 'exited', value: [1, { a: 'b' }] },
    { status: 'failed', error: { code: 'EFAULT', message: 'RangeError: own' } },
    { status: 'killed', signal: 'SIGKILL' },
  ])
})

test('a child may be started from a function', async () => {
  const value = await ask(
    boot(),
    'return proc.wait((await proc.spawn(async (n) => n + 1, { args: [41] })).pid)',
  )
  expect(value).toEqual({ status: 'exited', value: 42 })
})

test('a child that has ended can be waited for, more than once', async () => {
  const value = await ask(
    boot(),
    `const { pid } = await proc.spawn('export default () => 7')
     await new Promise((resolve) => setTimeout(resolve, 50))
     return [await proc.wait(pid), await proc.wait(pid)]`,
  )
  expect(value).toEqual([
    { status: 'exited', value: 7 },
    { status: 'exited', value: 7 },
  ])
})

test('children whose parent has ended are gone, also where it ended in order', async () => {
  const kernel = boot()
  const exit = await kernel.spawn({
    source: main(`return (await proc.spawn('await new Promise((r) => setTimeout(r, 60_000))')).pid`),
  }).exit
  expect(exitValue(exit)).toBe(2)
  expect(kernel.ps()).toEqual([])
})
