/** A call that a person has to approve: it waits, passes once, and never otherwise. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeAgent } from '../../src/agents.ts'
import type { ApprovalRequest, HookAnswer } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { System } from '../../src/system.ts'
import {
  ask,
  boot,
  entriesOf,
  exitValue,
  kernelErrorOf,
  main,
  policyOf,
  refusalOf,
  until,
} from '../support/kernel.ts'
import { asked, mailer, mailRules, send } from './support.ts'

describe('an approved call', () => {
  test('waits inside running code, while the rest goes on, and then is done once', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({
      source: main(`const reply = ${send('anna@example.org')}; await fs.write('/tmp/a', 'on'); return reply`),
    })
    const request = await asked(kernel)
    expect(request).toMatchObject({
      ...{ syscall: 'tool.call', resource: 'send_email', agent: 'program', pid: run.pid },
      args: { text: '{"name":"send_email","args":{"to":"anna@example.org"}}', length: 54, cut: false },
      rules: [{ id: 'mail', policy: 'test' }],
      expiresAt: request.askedAt + limits.approvalMs,
    })
    expect(await ask(kernel, 'return 1 + 1')).toBe(2)
    expect(mails).toEqual([])
    kernel.approvals.approve(request.id, { by: 'Anna', reason: 'she asked for it' })
    expect(exitValue(await run.exit)).toBe('sent')
    expect(mails).toEqual(['anna@example.org'])
    expect(kernel.approvals.list()).toEqual([])
  })

  test('is on record: asked, answered by whom and why, and the effect after that', async () => {
    const { kernel } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id, digest } = await asked(kernel)
    expect(entriesOf(kernel, 'ask', 'tool.call')).toMatchObject([
      { id, digest, resource: 'send_email', decision: { effect: 'ask', rules: [{ id: 'mail' }] } },
    ])
    expect(entriesOf(kernel, 'intent', 'tool.call')).toEqual([])
    kernel.approvals.approve(id, { by: 'Anna', reason: 'fine' })
    await run.exit
    const [ask] = entriesOf(kernel, 'ask')
    const [answer] = entriesOf(kernel, 'answer')
    const [intent] = entriesOf(kernel, 'intent', 'tool.call')
    expect(answer).toMatchObject({ ask: ask?.seq, id, answer: 'approved', by: 'Anna', reason: 'fine' })
    expect(intent).toMatchObject({ ask: ask?.seq, decision: { effect: 'ask' } })
    expect(Number(answer?.seq)).toBeLessThan(Number(intent?.seq))
    expect(kernel.evidence.verify().problems).toEqual([])
  })

  test('is approved for these arguments and this call only, not for the tool or the number of the call', async () => {
    const { kernel, mails } = mailer()
    const twice = main(`const first = ${send('a')}; return [first, ${send('a')}]`)
    const run = kernel.spawn({ source: twice })
    const first = await asked(kernel)
    kernel.approvals.approve(first.id)
    await until(() => mails.length === 1, 'the first is sent')
    // The same tool with the same arguments, asked by the same process, and the same again by another one.
    const second = await asked(kernel)
    const other = kernel.spawn({ source: twice })
    const third = await asked(kernel, 2)
    expect(third.call).toBe(first.call)
    expect(new Set([first, second, third].map(({ digest }) => digest)).size).toBe(3)
    for (const { id } of [second, third]) kernel.approvals.deny(id)
    expect(exitValue(await run.exit)).toMatchObject(['sent', expect.stringMatching(/^EPERM/)])
    other.signal('SIGKILL')
    expect(mails).toEqual(['a'])
  })

  test('is approved once: a second answer finds nothing, and is told how the first one was', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    kernel.approvals.approve(id, { by: 'Anna' })
    for (const answer of [() => kernel.approvals.approve(id), () => kernel.approvals.deny(id, 'no')]) {
      const { code, message } = await kernelErrorOf(answer)
      expect([code, message]).toEqual([
        'ENOENT',
        `request \`${id}\` waits no longer: it was approved, by Anna`,
      ])
    }
    await run.exit
    expect(mails).toEqual(['a'])
    expect((await kernelErrorOf(() => kernel.approvals.approve('0123456789'))).message).toBe(
      'no request `0123456789` waits for approval',
    )
  })

  test('shows the key that counts where one is given twice', async () => {
    const policy = policyOf([...mailRules, { id: 'send', effect: 'ask', action: 'ipc.send' }])
    const system = new System({ policy, isolation: 'inline' }, () => false)
    onTestFinished(() => system.shutdown())
    const process = system.spawner.spawn(makeAgent({ source: main('await ipc.receive()') }, {}, 'inline'), [])
    // What a broken cell could send; the bootstrap of an isolate never would.
    system.gate.call(process, 99, 'ipc.send', '{"to":"boss", "message":1,"to":"thief"}')
    await until(() => system.gate.approvals.list().length === 1, 'it asks')
    const [request] = system.gate.approvals.list()
    expect(request).toMatchObject({ resource: 'thief', args: { text: '{"to":"thief","message":1}' } })
  })
})

describe('a denied call', () => {
  test('is EPERM with the reason, and not who gave it', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    kernel.approvals.deny(id, { by: 'Anna', reason: 'not to this address' })
    expect(exitValue(await run.exit)).toMatch(
      /^EPERM: tool\.call `send_email`: denied: not to this address; a person has to approve it, by rule `mail` \(test:\d+\)$/,
    )
    expect(mails).toEqual([])
    expect(entriesOf(kernel, 'answer')).toMatchObject([
      { answer: 'denied', by: 'Anna', reason: 'not to this address' },
    ])
    expect(entriesOf(kernel, 'refusal')).toMatchObject([{ code: 'EPERM', decision: { effect: 'ask' } }])
    expect(entriesOf(kernel, 'intent', 'tool.call')).toEqual([])
  })

  test('counts as a call, and its agent may end by it', async () => {
    const { kernel } = mailer()
    const run = kernel.spawn({ source: main(`return tools.send_email({ to: 'a' })`) })
    kernel.approvals.deny((await asked(kernel)).id, 'no')
    expect(await run.exit).toMatchObject({
      status: 'failed',
      error: { code: 'EPERM', refused: true, decision: { effect: 'ask' } },
      usage: { syscalls: 1 },
    })
  })

  test('time denies, whoever is there or not', async () => {
    const { kernel, mails } = mailer({ approvals: { timeout: '30ms' } })
    const events: string[] = []
    kernel.on('approval', ({ status, by = '' }) => events.push(`${status} ${by}`))
    const message = await ask(kernel, `return ${send('a')}`)
    expect(message).toMatch(/^EPERM: .*: nobody answered within 30 ms; a person has to approve it/)
    expect(mails).toEqual([])
    expect(events).toEqual(['asked ', 'expired the kernel'])
    expect(entriesOf(kernel, 'answer')).toMatchObject([{ answer: 'expired', by: 'the kernel' }])
  })

  test('an answer that comes too late is none, also where the timer has not run yet', async () => {
    const { kernel, mails } = mailer({ approvals: { timeout: '50ms' } })
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id, expiresAt } = await asked(kernel)
    // The event loop is kept busy past the time.
    while (Date.now() < expiresAt);
    expect((await kernelErrorOf(() => kernel.approvals.approve(id))).message).toMatch(/it was expired/)
    expect(exitValue(await run.exit)).toMatch(/^EPERM/)
    expect(mails).toEqual([])
  })
})

describe('what refuses comes before a person is asked', () => {
  test('a rule that forbids, arguments that are unsound, a budget that is used up, a limit', async () => {
    const { kernel } = mailer({
      policy: policyOf([
        ...mailRules,
        { id: 'never', effect: 'forbid', action: 'tool.call', when: 'has(args.to) && args.to == "thief"' },
      ]),
    })
    expect(await ask(kernel, `return ${send('thief')}`)).toMatch(/forbidden by rule `never`/)
    expect(await ask(kernel, `return ${refusalOf('tools.send_email({ to: 1 })')}`)).toMatch(/^EINVAL/)
    expect(await ask(kernel, `return ${send('a')}`, { budget: { syscalls: 0 } })).toMatch(/^EDQUOT/)
    expect(entriesOf(kernel, 'ask')).toEqual([])
  })

  test('so many of one process, and no more; the others are EAGAIN', async () => {
    const { kernel } = mailer()
    const count = limits.approvalsPerProcessMax + 3
    const run = kernel.spawn({
      source: main(`const all = Array.from({ length: ${count} }, () => ${send('a', '')})
        return Promise.all(all)`),
    })
    await asked(kernel, limits.approvalsPerProcessMax)
    await until(() => entriesOf(kernel, 'refusal').length === 3, 'the rest is refused')
    for (const { id } of kernel.approvals.list()) kernel.approvals.deny(id)
    const messages = exitValue(await run.exit) as string[]
    expect(messages.filter((it) => it.startsWith('EAGAIN'))).toHaveLength(3)
    expect(messages.at(-1)).toMatch(/16 calls of this process wait for approval already; await some first$/)
  })

  test('so many of one run: children do not start afresh', async () => {
    const { kernel } = mailer()
    const many = `Promise.all(Array.from({ length: 16 }, () => ${send('a', '')}))`
    const source = main(`return ${many}`)
    const run = kernel.spawn({
      source: main(`const kids = []
        for (let n = 0; n < 5; n += 1) kids.push(await proc.spawn(${JSON.stringify(source)}, { name: 'kid' + n }))
        const ends = await Promise.all(kids.map(({ pid }) => proc.wait(pid)))
        return ends.flatMap(({ value }) => value).filter((it) => it.startsWith('EAGAIN')).length`),
    })
    await asked(kernel, limits.approvalsPerRunMax)
    await until(() => entriesOf(kernel, 'refusal').length === 16, 'the rest is refused')
    for (const { id } of kernel.approvals.list()) kernel.approvals.deny(id)
    expect(exitValue(await run.exit)).toBe(16)
  })
})

test('what the calls of one run hold while they wait is bounded, and leaves room for others', async () => {
  const kernel = boot({ policy: policyOf([{ id: 'all', effect: 'ask', action: 'fs.write' }]) })
  const large = main(`const text = 'x'.repeat(12 * 1024 * 1024)
    const all = ['a', 'b', 'c'].map((name) => fs.write('/tmp/' + name, text).catch(({ code }) => code))
    return Promise.all(all)`)
  const first = kernel.spawn({ source: large })
  await asked(kernel, 2)
  await until(() => entriesOf(kernel, 'refusal').length === 1, 'the third is refused')
  const second = kernel.spawn({ source: main(`return ${refusalOf(`fs.write('/tmp/a', 'x')`)}`) })
  await asked(kernel, 3)
  for (const { id } of kernel.approvals.list()) kernel.approvals.deny(id)
  expect(exitValue(await first.exit)).toEqual(['EPERM', 'EPERM', 'EAGAIN'])
  expect(exitValue(await second.exit)).toMatch(/^EPERM/)
})

describe('a rule that asks', () => {
  test('has terms of its own, and those of the permits beside it hold too', async () => {
    const { kernel, mails } = mailer({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*', rateLimit: { calls: 2, per: '1h' } },
        { id: 'mail', effect: 'ask', action: 'tool.call', resource: 'send_email', once: true },
      ]),
      approvals: { ask: () => 'approve' },
    })
    expect(await ask(kernel, `return [${send('a')}, ${send('b')}]`)).toEqual([
      'sent',
      expect.stringMatching(/^EPERM: .*rule `mail` \(test:\d+\) permits it once in a run/),
    ])
    expect(mails).toEqual(['a'])
    expect(entriesOf(kernel, 'ask')).toHaveLength(1)
    const write = refusalOf('fs.write("/tmp/a", "x")')
    expect(await ask(kernel, `return [${send('a')}, ${write}, ${write}]`)).toEqual([
      ...['sent', 'ok'],
      expect.stringMatching(/^EAGAIN: .*rule `all`/),
    ])
  })

  test('counts when a call is let through: what is denied uses nothing up', async () => {
    const answers: HookAnswer[] = ['deny', 'approve']
    const { kernel } = mailer({
      policy: policyOf([{ id: 'mail', effect: 'ask', action: 'tool.call', once: true }]),
      approvals: { ask: () => answers.shift() },
    })
    expect(await ask(kernel, `return [${send('a')}, ${send('b')}]`)).toEqual([
      expect.stringMatching(/^EPERM: .*denied/),
      'sent',
    ])
  })

  test('of two calls that were both approved, only one uses up what is permitted once', async () => {
    const { kernel, mails } = mailer({
      policy: policyOf([{ id: 'mail', effect: 'ask', action: 'tool.call', once: true }]),
    })
    const run = kernel.spawn({ source: main(`return Promise.all([${send('a', '')}, ${send('b', '')}])`) })
    await asked(kernel, 2)
    for (const { id } of kernel.approvals.list()) kernel.approvals.approve(id)
    expect(exitValue(await run.exit)).toEqual(['sent', expect.stringMatching(/^EPERM: .*it has been done/)])
    expect(mails).toEqual(['a'])
  })

  test('only observed, asks nobody and is on record', async () => {
    const watch = policyOf(mailRules, { name: 'watch', mode: 'observe' })
    for (const policy of [[watch], ['permissive', watch]]) {
      const { kernel, mails } = mailer({ policy: policy as never })
      expect(await ask(kernel, `return ${send('a')}`)).toBe('sent')
      expect(mails).toEqual(['a'])
      expect(entriesOf(kernel, 'ask')).toEqual([])
      expect(entriesOf(kernel, 'intent', 'tool.call')).toMatchObject([
        { decision: { effect: 'permit', observed: { effect: 'ask', rules: [{ id: 'mail' }] } } },
      ])
    }
  })
})

describe('other arguments in place of the agent’s', () => {
  const args = (to: string) => ({ name: 'send_email', args: { to } })

  test('are judged again; the approval counts for exactly these, and both are on record', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('all@example.org')}`) })
    const { id } = await asked(kernel)
    kernel.approvals.approve(id, { by: 'Anna', args: args('anna@example.org') })
    expect(exitValue(await run.exit)).toBe('sent')
    expect(mails).toEqual(['anna@example.org'])
    const asks = entriesOf(kernel, 'ask')
    const answers = entriesOf(kernel, 'answer')
    expect(asks).toMatchObject([{ id }, { follows: id }])
    expect(answers).toMatchObject([
      { id, answer: 'approved', by: 'Anna', args: { bytes: 54 } },
      { id: asks[1]?.id, answer: 'approved', by: 'Anna' },
    ])
    expect(entriesOf(kernel, 'intent', 'tool.call')).toMatchObject([{ ask: asks[1]?.seq }])
  })

  test('which the policy forbids, or which are unsound, are refused to the person, and the request waits', async () => {
    const { kernel, mails } = mailer({
      policy: policyOf([
        ...mailRules,
        { id: 'never', effect: 'forbid', action: 'tool.call', when: 'has(args.to) && args.to == "thief"' },
      ]),
    })
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    const approve = (edited: unknown) => kernelErrorOf(() => kernel.approvals.approve(id, { args: edited }))
    expect((await approve(args('thief'))).message).toMatch(/^EPERM: tool\.call `send_email`: forbidden by/)
    expect((await approve({ name: 'send_email', args: { to: 1 } })).code).toBe('EINVAL')
    expect((await approve({ name: 'none', args: {} })).code).toBe('ENOENT')
    expect((await approve(new Date())).code).toBe('EINVAL')
    expect(kernel.approvals.list()).toHaveLength(1)
    kernel.approvals.deny(id)
    expect(exitValue(await run.exit)).toMatch(/^EPERM/)
    expect(mails).toEqual([])
  })

  test('which the policy permits need no second answer', async () => {
    const { kernel, mails } = mailer({
      policy: policyOf([
        { id: 'house', effect: 'permit', action: 'tool.call' },
        { id: 'mail', effect: 'ask', action: 'tool.call', when: '!args.to.endsWith("@example.org")' },
      ]),
    })
    const run = kernel.spawn({ source: main(`return ${send('a@example.net')}`) })
    const { id } = await asked(kernel)
    kernel.approvals.approve(id, { args: args('a@example.org') })
    await run.exit
    expect(mails).toEqual(['a@example.org'])
    const [ask] = entriesOf(kernel, 'ask')
    expect(entriesOf(kernel, 'intent', 'tool.call')).toMatchObject([
      { ask: ask?.seq, decision: { effect: 'permit' } },
    ])
  })
})

describe('a hook', () => {
  const answering = (answer: (request: ApprovalRequest) => unknown) =>
    mailer({ approvals: { ask: answer as never, timeout: '1m' } })

  test.each<[string, (request: ApprovalRequest) => unknown, RegExp, object]>([
    ['a word', () => 'approve', /^sent$/, { answer: 'approved', by: 'the application' }],
    ['a promise', async () => ({ answer: 'approve', by: 'Bo' }), /^sent$/, { answer: 'approved', by: 'Bo' }],
    [
      'a refusal',
      () => ({ answer: 'deny', reason: 'no' }),
      /denied: no;/,
      { answer: 'denied', reason: 'no' },
    ],
    ['an error', () => Promise.reject(new Error('secret')), /^EPERM: .*what was to answer it failed/, {}],
    ['what is no answer', () => true, /^EPERM: .*failed/, { answer: 'denied' }],
    ['a misspelt key', () => ({ answer: 'approve', arg: {} }), /^EPERM: .*failed/, { answer: 'denied' }],
  ])('answers with %s', async (_, answer, message, entry) => {
    const { kernel } = answering(answer)
    const errors: unknown[] = []
    kernel.on('error', ({ where }) => errors.push(where))
    const value = String(await ask(kernel, `return ${send('a')}`))
    expect(value).toMatch(message)
    expect(value).not.toContain('secret')
    expect(entriesOf(kernel, 'answer')).toMatchObject([entry])
    expect(errors).toEqual(/failed/.test(value) ? ['approvals'] : [])
  })

  test('is told once, gets a frozen request, and can leave it to others', async () => {
    const told: ApprovalRequest[] = []
    const { kernel } = answering((request) => void told.push(request))
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    await until(() => told.length > 0, 'the hook is told')
    expect(told.map((request) => [request.id, Object.isFrozen(request.args)])).toEqual([[id, true]])
    kernel.approvals.approve(id)
    expect(exitValue(await run.exit)).toBe('sent')
    expect(told).toHaveLength(1)
  })

  test('whose answer comes after another’s changes nothing', async () => {
    let answer: (said: string) => void = () => {}
    const { kernel, mails } = answering(
      () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    )
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    kernel.approvals.deny((await asked(kernel)).id, 'no')
    answer('approve')
    expect(exitValue(await run.exit)).toMatch(/denied: no/)
    expect([mails, entriesOf(kernel, 'answer').length]).toEqual([[], 1])
  })
})

test('an option that is no duration, and a hook that is no function, are refused at the start', () => {
  for (const approvals of [{ timeout: '10' }, { timeout: '0s' }, { timeout: 5 }, { ask: 'yes' }, { asks: 1 }])
    expect(() => boot({ approvals: approvals as never }), JSON.stringify(approvals)).toThrow(/approvals/)
})

test('who and why are texts of a bounded length', async () => {
  const { kernel } = mailer()
  const run = kernel.spawn({ source: main(`return ${send('a')}`) })
  const { id } = await asked(kernel)
  for (const options of [{ by: '' }, { by: 'x'.repeat(201) }, { reason: 'x'.repeat(1_001) }, { by: 7 }])
    expect((await kernelErrorOf(() => kernel.approvals.approve(id, options as never))).code).toBe('EINVAL')
  kernel.approvals.deny(id)
  await run.exit
})
