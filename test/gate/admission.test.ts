/** Admission refuses in one fixed order, and names what a person needs to know. */
import { describe, expect, test } from 'vitest'
import { ask, boot, entriesOf, policyOf, refusalOf } from '../support/kernel.ts'

/** Nothing is permitted and nothing is left, so that every later reason to refuse is there too. */
const nothing = policyOf([{ id: 'none', effect: 'forbid', action: '*' }], { name: 'closed' })

describe('order', () => {
  test('an unknown call before arguments that are unsound', async () => {
    const kernel = boot({ policy: nothing })
    const args = '{ path: "/a\\u0000", ["const" + "ructor"]: 1 }'
    expect(
      await ask(kernel, `return ${refusalOf(`sys('fs.raed', ${args})`)}`, { budget: { syscalls: 0 } }),
    ).toMatch(/^ENOSYS/)
    expect(
      await ask(kernel, `return ${refusalOf(`sys('fs.read', ${args})`)}`, { budget: { syscalls: 0 } }),
    ).toMatch(/^EINVAL/)
  })

  test('arguments before the policy', async () => {
    const kernel = boot({ policy: nothing })
    expect(await ask(kernel, `return ${refusalOf('sys("fs.read", { path: 7 })')}`)).toMatch(/^EINVAL/)
    expect(await ask(kernel, `return ${refusalOf('fs.read("/tmp/a")')}`)).toMatch(/^EPERM/)
  })

  test('the arguments of a tool before the policy', async () => {
    const execute = () => expect.fail('the tool ran')
    const parameters = { type: 'object', properties: { n: { type: 'number' } }, additionalProperties: false }
    const kernel = boot({ policy: nothing, tools: { t: { description: 't', parameters, execute } } })
    expect(await ask(kernel, `return ${refusalOf('tools.t({ n: "one" })')}`)).toMatch(/^EINVAL: tool\.call/)
    expect(await ask(kernel, `return ${refusalOf('tools.t({ n: 1 })')}`)).toMatch(/^EPERM: tool\.call `t`/)
  })

  test('the policy before the budget', async () => {
    const kernel = boot({
      policy: policyOf([{ id: 'tmp', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }]),
    })
    const budget = { syscalls: 0 }
    expect(await ask(kernel, `return ${refusalOf('fs.read("/etc/x")')}`, { budget })).toMatch(/^EPERM/)
    expect(await ask(kernel, `return ${refusalOf('fs.read("/tmp/x")')}`, { budget })).toMatch(/^EDQUOT/)
  })
})

describe('what is said', () => {
  test('a refusal by a rule names call, resource, rule, policy and line', async () => {
    const kernel = boot({ policy: [nothing, 'permissive'] })
    const message = await ask(kernel, `return ${refusalOf('fs.write("/tmp/../tmp/a", "x")')}`)
    expect(message).toMatch(/^EPERM: fs\.write `\/tmp\/a`: forbidden by rule `none` \(closed:\d+\)$/)
  })

  test('a refusal by silence says what would have been permitted', async () => {
    const kernel = boot({ policy: 'strict' })
    const message = await ask(kernel, `return ${refusalOf('fs.read("/etc/passwd")')}`)
    expect(message).toMatch(
      /^EPERM: fs\.read `\/etc\/passwd`: no rule permits it; `strict` permits fs\.read on `\/mem\/\*\*`/,
    )
  })

  test('what a person has to approve waits, is refused by time, and says so', async () => {
    const kernel = boot({
      policy: policyOf([{ id: 'ask-first', effect: 'ask', action: 'fs.read' }]),
      approvals: { timeout: '20ms' },
    })
    const message = await ask(kernel, `return ${refusalOf('fs.read("/tmp/a")')}`)
    expect(message).toContain('a person has to approve it, by rule `ask-first`')
    expect(entriesOf(kernel, 'intent', 'fs.read')).toEqual([])
  })

  test('a move is judged as a removal and a read of its source and a write of its target', async () => {
    const rules = [
      { id: 'all', effect: 'permit', action: 'fs.*', resource: '/tmp/**' },
      { id: 'keep', effect: 'forbid', action: 'fs.remove', resource: '/tmp/keep' },
      { id: 'sealed', effect: 'forbid', action: 'fs.write', resource: '/tmp/sealed' },
      { id: 'secret', effect: 'forbid', action: 'fs.read', resource: '/tmp/secret' },
    ] as const
    const kernel = boot({ policy: policyOf(rules) })
    const messages = await ask(
      kernel,
      `await fs.write('/tmp/keep', 'k'); await fs.write('/tmp/free', 'f'); await fs.write('/tmp/secret', 's')
       return [${refusalOf('fs.move("/tmp/keep", "/tmp/b")')}, ${refusalOf('fs.move("/tmp/free", "/tmp/sealed")')},
         ${refusalOf('fs.move("/tmp/secret", "/tmp/b")')}, ${refusalOf('fs.move("/tmp/free", "/tmp/b")')}]`,
    )
    expect(messages).toEqual([
      expect.stringContaining('`keep`'),
      expect.stringContaining('`sealed`'),
      expect.stringContaining('`secret`'),
      'ok',
    ])
  })

  test('an uncaught refusal ends the process, which says so and carries the decision', async () => {
    const exit = await boot({ policy: 'strict' }).spawn({
      source: 'export default () => fs.read("/etc/passwd")',
    }).exit
    expect(exit).toMatchObject({
      status: 'failed',
      error: { code: 'EPERM', refused: true, decision: { effect: 'forbid' } },
    })
  })

  test('also where other calls that were in flight with it were refused after it', async () => {
    const paths = ['/a', '/b', '/c'].map((path) => `fs.read("${path}")`).join(', ')
    const exit = await boot({ policy: 'strict' }).spawn({
      source: `export default () => Promise.all([${paths}])`,
    }).exit
    expect(exit).toMatchObject({ error: { refused: true, message: expect.stringContaining('/a') } })
  })

  test('time, chance and output need no rule', async () => {
    const kernel = boot({ policy: nothing })
    const value = await ask(
      kernel,
      `console.log('said')
       return [typeof (await sys('clock.time', {})), typeof (await sys('clock.random', { bytes: 4 })).base64,
         (await proc.self()).pid, await sys('clock.sleep', { ms: 1 })]`,
    )
    expect(value).toEqual(['number', 'string', 1, null])
    expect(entriesOf(kernel, 'intent', 'clock.time')).toMatchObject([{ decision: { effect: 'unjudged' } }])
  })
})
