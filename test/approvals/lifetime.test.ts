/** What happens to a call that waits for a person when its process, its parent, its kernel or its time ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { KernelSpace } from '../../src/index.ts'
import {
  ask,
  boot,
  entriesOf,
  exitValue,
  main,
  policyOf,
  sleep,
  tempFolder,
  until,
} from '../support/kernel.ts'
import { asked, mailer, mailRules, send } from './support.ts'

const asks = (kernel: KernelSpace) =>
  entriesOf(kernel, 'answer').map(({ answer, reason }) => [answer, reason])

describe('a process that waits for a person', () => {
  test('is shown so by ps, inspect and /proc', async () => {
    const { kernel } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) }, { name: 'clerk' })
    const { id, call } = await asked(kernel)
    await until(() => run.state === 'waiting', 'its turn is over')
    expect(kernel.ps()).toMatchObject([{ state: 'waiting', inFlight: 1, asking: 1 }])
    expect(kernel.inspect('clerk').live?.inFlight).toMatchObject([
      { number: call, syscall: 'tool.call', resource: 'send_email', approval: id },
    ])
    expect(JSON.parse(String(await ask(kernel, `return fs.read('/proc/1.json')`)))).toMatchObject({
      asking: 1,
    })
    kernel.approvals.deny(id)
    await run.exit
    expect(kernel.ps({ all: true })[0]).not.toHaveProperty('asking')
  })

  test('says which is sooner: its time, or the wall time by which its process ends', async () => {
    const left = async (
      body: string,
      options: object,
      { kernel } = mailer(),
    ): Promise<number | undefined> => {
      const run = kernel.spawn({ source: main(body) }, options)
      const { id, askedAt, endsAt } = await asked(kernel)
      kernel.approvals.deny(id)
      await run.exit
      return endsAt === undefined ? undefined : endsAt - askedAt
    }
    const one = `return ${send('a')}`
    expect(await left(one, {})).toBeUndefined()
    expect(await left(one, { budget: { wall: '1h' } })).toBeUndefined()
    const short = await left(one, { budget: { wall: '20s' } })
    expect(short).toBeGreaterThan(1_000)
    expect(short).toBeLessThanOrEqual(20_000)
    // It is stopped then, and goes on waiting.
    const stops = mailer({ policy: policyOf(mailRules, { signals: { SIGBUDGET: 'stop' } }) })
    expect(await left(one, { budget: { wall: '20s' } }, stops)).toBeUndefined()
    // A child ends with its parent.
    const child = `export default async () => ${send('a')}`
    const waits = `return proc.wait((await proc.spawn(${JSON.stringify(child)})).pid)`
    expect(await left(waits, { budget: { wall: '30s' } })).toBeLessThanOrEqual(30_000)
  })

  test('does not end as one that nothing can wake, and runs its timers', async () => {
    const { kernel } = mailer()
    const run = kernel.spawn({
      source: main(`setTimeout(() => console.log('tick'), 5); return ${send('a')}`),
    })
    const ticks: string[] = []
    kernel.on('output', ({ text }) => ticks.push(text))
    const { id } = await asked(kernel)
    await until(() => ticks.length > 0, 'the timer runs')
    await sleep(20)
    expect(run.state).toBe('waiting')
    kernel.approvals.approve(id)
    expect(exitValue(await run.exit)).toBe('sent')
  })

  test('that is killed cancels what it asked for, on record before its end; no answer comes later', async () => {
    const { kernel, mails } = mailer()
    const news: string[] = []
    kernel.on('approval', ({ status }) => news.push(status))
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    run.signal('SIGKILL')
    expect(kernel.approvals.list()).toEqual([])
    expect(() => kernel.approvals.approve(id)).toThrow(/it was cancelled/)
    await run.exit
    expect(asks(kernel)).toEqual([['cancelled', 'the process ended']])
    const [answer] = entriesOf(kernel, 'answer')
    const [exit] = entriesOf(kernel, 'exit')
    expect(Number(answer?.seq)).toBeLessThan(Number(exit?.seq))
    expect([news, mails]).toEqual([['asked', 'cancelled'], []])
    expect(entriesOf(kernel, 'refusal')).toEqual([])
  })

  test('ends by its wall time like any other', async () => {
    const { kernel } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) }, { budget: { wall: '1500ms' } })
    await asked(kernel)
    expect(await run.exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
    expect(asks(kernel)).toEqual([['cancelled', 'the process ended']])
  })

  test('is asked about when it asks, and what it asks while it is stopped only when it goes on', async () => {
    const { kernel } = mailer()
    const run = kernel.spawn({
      source: main(`await ipc.receive(); return ${send('a')}`),
    })
    await until(() => run.state === 'waiting', 'it waits')
    run.signal('SIGSTOP')
    await ask(kernel, `await ipc.send('program', 1)`, { name: 'other' })
    await sleep(20)
    expect(kernel.approvals.list()).toEqual([])
    run.signal('SIGCONT')
    kernel.approvals.approve((await asked(kernel)).id)
    expect(exitValue(await run.exit)).toBe('sent')
  })

  test.each(['approve', 'deny'] as const)('that is stopped stays so when people %s', async (answer) => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    run.signal('SIGSTOP')
    await until(() => run.state === 'stopped', 'it is stopped')
    kernel.approvals[answer](id)
    await sleep(30)
    expect(entriesOf(kernel, 'answer')).toHaveLength(1)
    expect(entriesOf(kernel, 'refusal')).toEqual([])
    expect(entriesOf(kernel, 'intent', 'tool.call')).toEqual([])
    expect(run.state).toBe('stopped')
    run.signal('SIGCONT')
    expect(exitValue(await run.exit)).toMatch(answer === 'approve' ? /^sent$/ : /^EPERM/)
    expect(mails).toHaveLength(answer === 'approve' ? 1 : 0)
  })

  test.each<[string, (kernel: KernelSpace, id: string) => unknown]>([
    [
      'other arguments are approved',
      (kernel, id) => kernel.approvals.approve(id, { args: { name: 'send_email', args: { to: 'b' } } }),
    ],
    ['another policy comes into force', (kernel) => kernel.reload('permissive')],
  ])('that is stopped stays so when %s', async (_, change) => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    run.signal('SIGSTOP')
    await until(() => run.state === 'stopped', 'it is stopped')
    await change(kernel, id)
    await sleep(30)
    expect([mails, entriesOf(kernel, 'intent', 'tool.call'), kernel.approvals.list()]).toEqual([[], [], []])
    run.signal('SIGCONT')
    expect(exitValue(await run.exit)).toBe('sent')
  })

  test('and is killed after its approval, while it is stopped, does nothing', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    run.signal('SIGSTOP')
    kernel.approvals.approve(id)
    run.signal('SIGKILL')
    await run.exit
    await sleep(10)
    expect([mails, entriesOf(kernel, 'intent', 'tool.call')]).toEqual([[], []])
  })
})

describe('children', () => {
  test('ask in their own name, and end with their parent', async () => {
    const { kernel } = mailer()
    const child = main(`return ${send('a')}`)
    const run = kernel.spawn({
      source: main(`const { pid } = await proc.spawn(${JSON.stringify(child)}, { name: 'kid' })
        return proc.wait(pid)`),
    })
    expect(await asked(kernel)).toMatchObject({ agent: 'kid', pid: 2 })
    run.signal('SIGKILL')
    await run.exit
    expect(kernel.approvals.list()).toEqual([])
    expect(asks(kernel)).toEqual([['cancelled', 'the process ended']])
  })

  test('are started when a person lets them be, with exactly the source that was shown', async () => {
    const kernel = boot({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'spawn', effect: 'ask', action: 'proc.spawn' },
      ]),
    })
    const body = `const { pid } = await proc.spawn('export default () => 7', { name: 'kid' })
      return (await proc.wait(pid)).value`
    const run = kernel.spawn({ source: main(body) })
    const request = await asked(kernel)
    expect(request).toMatchObject({ syscall: 'proc.spawn', resource: 'kid' })
    expect(JSON.parse(request.args.text)).toMatchObject({ source: 'export default () => 7' })
    expect(kernel.ps()).toHaveLength(1)
    kernel.approvals.approve(request.id)
    expect(exitValue(await run.exit)).toBe(7)
  })
})

test.each(['net.fetch', 'ipc.send', 'ipc.receive', 'fs.read', 'fs.list', 'fs.stat', 'fs.mkdir'])(
  '%s waits for a person too',
  async (action) => {
    const kernel = boot({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'it', effect: 'ask', action },
      ]),
    })
    const call = {
      'net.fetch': `fetch('http://host.invalid/x')`,
      'ipc.send': `ipc.send('program', 1)`,
      'ipc.receive': `ipc.receive({ timeoutMs: 1 })`,
      'fs.mkdir': `fs.mkdir('/tmp/d')`,
    }[action]
    const run = kernel.spawn({
      source: main(`await ${call ?? `${action}('/tmp')`}.then(() => 0, () => 0)`),
    })
    const { id } = await asked(kernel)
    expect(entriesOf(kernel, 'intent', action)).toEqual([])
    kernel.approvals.approve(id)
    await run.exit
    expect(entriesOf(kernel, 'intent', action)).toMatchObject([{ decision: { effect: 'ask' } }])
    expect(kernel.evidence.verify().problems).toEqual([])
  },
)

test('a local address is reached where the rule that asks names its class', async () => {
  const rule = { id: 'web', effect: 'ask', action: 'net.fetch' } as const
  const codes: unknown[] = []
  for (const addresses of [undefined, ['loopback'] as const]) {
    const kernel = boot({
      policy: policyOf([{ ...rule, ...(addresses !== undefined && { addresses }) }]),
      approvals: { ask: () => 'approve' },
    })
    codes.push(await ask(kernel, `return fetch('http://127.0.0.1:1/').catch(({ code }) => code)`))
  }
  // Port 1 is closed: whoever may go there is told so.
  expect(codes).toEqual(['EPERM', 'ECONNREFUSED'])
})

describe('a kernel', () => {
  test('that shuts down cancels what waits, and its record is whole', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    const answers: string[] = []
    kernel.on('approval', ({ status }) => answers.push(status))
    await kernel.shutdown()
    expect((await run.exit).status).toBe('killed')
    expect([answers, mails]).toEqual([['cancelled'], []])
    expect(() => kernel.approvals.approve(id)).toThrow(/it was cancelled/)
  })

  test('that opens the record of one that died denies what it left, once, with the reason', async () => {
    const dir = tempFolder()
    const writer = fileURLToPath(new URL('./dies.ts', import.meta.url))
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { id, run, pid } = JSON.parse(line) as { id: string; run: string; pid: number }
    for (let again = 0; again < 2; again += 1) {
      const kernel = boot({ policy: policyOf(mailRules), evidence: { dir } })
      expect(kernel.approvals.list()).toEqual([])
      expect(() => kernel.approvals.approve(id)).toThrow(/no request/)
      const [asking] = entriesOf(kernel, 'ask')
      expect(entriesOf(kernel, 'answer')).toMatchObject([
        {
          ...{ ask: asking?.seq, id, run, pid, answer: 'denied', by: 'the kernel' },
          reason: 'the kernel that asked ended before anybody answered; its run does not go on',
        },
      ])
      expect(kernel.evidence.verify().problems).toEqual([])
      await kernel.shutdown()
    }
  })
})
