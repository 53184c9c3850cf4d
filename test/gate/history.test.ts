import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { deedsOf } from '../../src/gate/past.ts'
import type { Entry, KernelOptions, PolicyDocument } from '../../src/index.ts'
import { ask, boot, main, refusalOf, until } from '../support/kernel.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const parameters = { type: 'object', properties: {}, additionalProperties: false } as const
const tool = { description: 'does it', parameters, execute: () => 'done' }
const tools = { read_mail: tool, send_mail: tool, create_payment: tool, approve_payment: tool }

/** Everything, but for one rule. */
const policy = (when: string, resource: string, effect: 'forbid' | 'permit' = 'forbid'): PolicyDocument => ({
  version: 1,
  name: 'desk',
  isolation: 'inline',
  rules: [
    { id: 'all', effect: 'permit', action: ['fs.*', 'proc.*', 'tool.call', 'ipc.*'] },
    { id: 'rule', effect, action: 'tool.call', resource, when },
  ],
})
const desk = (when: string, resource: string, more: KernelOptions = {}) =>
  boot({ policy: policy(when, resource), tools, ...more })

const read = refusalOf('tools.read_mail({})')
const send = refusalOf('tools.send_mail({})')
const pay = refusalOf('tools.create_payment({})')
const approve = refusalOf('tools.approve_payment({})')
const spawned = (body: string): string =>
  `(await proc.wait((await proc.spawn(${JSON.stringify(main(body))})).pid)).value`
const refused = expect.stringMatching(/^EPERM: tool.call .* forbidden by rule `rule`/)

describe('a rule over history', () => {
  test('after one thing never another', async () => {
    const kernel = desk('history.run.count("tool.call", "read_*") > 0', 'send_mail')
    expect(await ask(kernel, `return [${send}, ${read}, ${send}]`)).toEqual(['ok', 'ok', refused])
  })

  test('counts what was admitted, and not what was refused', async () => {
    const kernel = desk('history.run.count("tool.call", "send_*") >= 2', 'send_mail')
    expect(await ask(kernel, `return [${send}, ${send}, ${send}, ${send}]`)).toEqual([
      'ok',
      'ok',
      refused,
      refused,
    ])
  })

  test('counts a call from when it is admitted, before it has ended', async () => {
    const kernel = desk('history.run.count("tool.call", "send_*") >= 1', 'send_mail')
    const both = `Promise.all([1, 2].map(() => tools.send_mail({}).then(() => 'ok', () => 'refused')))`
    expect(await ask(kernel, `return await ${both}`)).toEqual(['ok', 'refused'])
  })

  test('is of the run: a child cannot begin afresh, nor its parent with it', async () => {
    const kernel = desk('history.run.count("tool.call", "send_*") >= 2', 'send_mail')
    const body = `return [${send}, ${spawned(`return [${send}, ${send}]`)}, ${send}]`
    expect(await ask(kernel, body)).toEqual(['ok', ['ok', refused], refused])
    expect(await ask(kernel, `return ${send}`)).toBe('ok')
  })

  test('is of a process and all below it', async () => {
    const kernel = desk('history.process.count("tool.call", "send_*") >= 1', 'send_mail')
    const child = spawned(`return [${send}, ${send}]`)
    expect(await ask(kernel, `return [${child}, ${child}, ${send}]`)).toEqual([
      ['ok', refused],
      ['ok', refused],
      refused,
    ])
  })

  test('forgets what is older than its window', async () => {
    const kernel = desk('history.run.count("tool.call", "send_*", "400ms") >= 1', 'send_mail')
    const wait = `await new Promise((done) => setTimeout(done, 500))`
    expect(await ask(kernel, `const a = [${send}, ${send}]; ${wait}; return [...a, ${send}]`)).toEqual([
      'ok',
      refused,
      'ok',
    ])
  })

  test('keeps who made a payment from approving it', async () => {
    const kernel = desk('principal in history.run.agents("tool.call", "create_payment")', 'approve_payment')
    const clerk = `(await proc.wait((await proc.spawn(${JSON.stringify(main(`return ${approve}`))}, { name: 'clerk' })).pid)).value`
    expect(await ask(kernel, `return [${pay}, ${approve}, ${clerk}]`, { name: 'desk' })).toEqual([
      'ok',
      refused,
      'ok',
    ])
  })

  test('counts each question of a move', async () => {
    const kernel = desk('history.run.count("fs.write", "/mem/**") >= 2', 'send_mail')
    const body = `await fs.write('/mem/working/a', 'x'); const before = ${send}
      await sys('fs.move', { from: '/mem/working/a', to: '/mem/working/b' }); return [before, ${send}]`
    expect(await ask(kernel, body)).toEqual(['ok', refused])
  })
})

describe('a policy that comes later', () => {
  test('knows what the run has done, while that is not much', async () => {
    const kernel = boot({ policy: policy('false', 'send_mail'), tools })
    const running = kernel.spawn(
      {
        source: main(`const a = [${read}, ${send}]; await ipc.receive(); return [...a, ${send}]`),
      },
      { name: 'desk' },
    )
    const callsOf = () => kernel.ps().find(({ name }) => name === 'desk')?.syscalls ?? 0
    await until(() => callsOf() > 2, 'it has read and sent')
    await kernel.reload(policy('history.run.count("tool.call", "read_*") > 0', 'send_mail'))
    await ask(kernel, `await ipc.send('desk', 1)`)
    expect((await running.exit).value).toEqual(['ok', 'ok', refused])
  })

  test('forbids where it cannot know', async () => {
    const kernel = boot({ policy: policy('false', 'send_mail'), tools })
    const many = `for (let i = 0; i < 300; i += 1) await fs.stat('/tmp')`
    const running = kernel.spawn(
      {
        source: main(`${many}; await ipc.receive(); return ${send}`),
      },
      { name: 'desk' },
    )
    const callsOf = () => kernel.ps().find(({ name }) => name === 'desk')?.syscalls ?? 0
    await until(() => callsOf() > 300, 'it has done much')
    await kernel.reload(policy('history.run.count("tool.call", "read_*") > 0', 'send_mail'))
    await ask(kernel, `await ipc.send('desk', 1)`)
    expect((await running.exit).value).toMatch(
      /cannot be judged: what was done before this policy was in force/,
    )
  })
})

describe('what an agent did in other runs', () => {
  const daily = 'history.agent.count("tool.call", "send_*", "24h") >= 2'

  test('counts for its next run, and for no other agent', async () => {
    const kernel = desk(daily, 'send_mail')
    const once = (name: string) => ask(kernel, `return ${send}`, { name })
    expect([await once('desk'), await once('clerk'), await once('desk'), await once('desk')]).toEqual([
      'ok',
      'ok',
      'ok',
      refused,
    ])
    expect(await once('clerk')).toBe('ok')
  })

  test('is read from the record by the next kernel', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-history-'))
    folders.push(dir)
    const evidence = { dir: join(dir, 'evidence') }
    const first = boot({ policy: policy('false', 'send_mail'), tools, evidence })
    expect(await ask(first, `return [${send}, ${send}]`, { name: 'desk' })).toEqual(['ok', 'ok'])
    await first.shutdown()
    const second = desk(daily, 'send_mail', { evidence })
    expect(await ask(second, `return ${send}`, { name: 'desk' })).toEqual(refused)
    expect(await ask(second, `return ${send}`, { name: 'clerk' })).toBe('ok')
    await second.reload(
      policy('principal in history.everyone.agents("tool.call", "send_*", "24h")', 'send_mail'),
    )
    expect(await ask(second, `return ${send}`, { name: 'clerk' })).toEqual(refused)
    expect(await ask(second, `return ${send}`, { name: 'boss' })).toBe('ok')
  })

  test('of everyone keeps duties apart across runs', async () => {
    const when = 'principal in history.everyone.agents("tool.call", "create_payment", "1h")'
    const kernel = desk(when, 'approve_payment')
    expect(await ask(kernel, `return [${pay}, ${approve}]`, { name: 'desk' })).toEqual(['ok', refused])
    expect(await ask(kernel, `return ${approve}`, { name: 'desk' })).toEqual(refused)
    expect(await ask(kernel, `return ${approve}`, { name: 'clerk' })).toBe('ok')
  })

  test('cannot be asked by a policy that a guest wrote, which then forbids', async () => {
    const kernel = boot({ policy: policy('false', 'send_mail'), tools })
    const own = JSON.stringify(policy(daily, 'send_mail'))
    const child = `(await proc.wait((await proc.spawn(${JSON.stringify(main(`return ${send}`))}, { policy: ${own} })).pid)).value`
    expect(await ask(kernel, `return ${child}`)).toMatch(
      /cannot be judged: what `agent` did is counted for policies of the application/,
    )
  })
})

test('an entry on record is the deeds that were judged', () => {
  const entry = (more: object): Entry =>
    ({
      kind: 'intent',
      agent: 'desk',
      time: 5,
      decision: { effect: 'permit', policy: 'x', rules: [] },
      ...more,
    }) as never
  expect(deedsOf(entry({ syscall: 'tool.call', resource: 'pay' }))).toEqual([
    { agent: 'desk', at: 5, action: 'tool.call', resource: 'pay' },
  ])
  expect(deedsOf(entry({ syscall: 'clock.sleep', resource: '', decision: { effect: 'unjudged' } }))).toEqual(
    [],
  )
  expect(deedsOf(entry({ kind: 'refusal', syscall: 'tool.call', resource: 'pay' }))).toEqual([])
  const moved = deedsOf(entry({ syscall: 'fs.move', resource: '/a → /b → /c' }))
  expect(moved.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    'fs.remove /a',
    'fs.read /a',
    'fs.write /b → /c',
    'fs.remove /a → /b',
    'fs.read /a → /b',
    'fs.write /c',
  ])
})
