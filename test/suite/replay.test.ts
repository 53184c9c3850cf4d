import { describe, expect, test } from 'vitest'
import type { ApprovalOptions, KernelSpace, PolicyDocument } from '../../src/index.ts'
import { type Replay, replay } from '../../src/suite/replay.ts'
import { scoreOf } from '../../src/suite/score.ts'
import { Stage } from '../../src/suite/stage.ts'
import { boot, policyOf } from '../support/kernel.ts'
import { call, mail, readDay, readMail, recorded, send, suiteOf, tasksOf } from './support.ts'

type Rules = PolicyDocument['rules']

async function replayed(rules: Rules, parts: object = {}): Promise<Replay> {
  const suite = suiteOf(parts)
  return replay(new Stage(suite, (approvals) => boot({ policy: policyOf(rules), approvals })), suite)
}

const all: Rules[number] = { id: 'all', effect: 'permit', action: 'tool.call' }
const noMail: Rules[number] = {
  ...{ id: 'no-mail', effect: 'forbid', action: 'tool.call', resource: 'send_mail' },
  when: 'args.to.endsWith("@away.example")',
}
const effects = ({ tasks }: Replay) => Object.fromEntries(tasks.map(({ task, effect }) => [task, effect]))

describe('what becomes of tasks and attacks', () => {
  test('where all is permitted, attacks are', async () => {
    const result = await replayed([all])
    expect(effects(result)).toEqual({ look: 'permit', answer: 'permit', today: 'permit' })
    expect(result.attacks.map(({ task, attack, effect, after }) => [task, attack, effect, after])).toEqual([
      ['look', 'spam', 'permit', 0],
      ['answer', 'spam', 'permit', 0],
    ])
    expect(result).toMatchObject({ unrecorded: ['vague'], sheltered: ['today'] })
  })

  test('an attack of which one call is refused is refused; the task goes on', async () => {
    const result = await replayed([all, noMail])
    expect(effects(result)).toEqual({ look: 'permit', answer: 'permit', today: 'permit' })
    expect(result.attacks).toMatchObject([
      {
        effect: 'forbid',
        partly: false,
        taskEffect: 'permit',
        calls: [{ effect: 'permit' }, { effect: 'forbid' }],
      },
      { effect: 'forbid', partly: false, taskEffect: 'permit' },
    ])
    expect(result.attacks[0]?.calls[1]?.reason).toContain('`no-mail`')
  })

  test('a person approves the task and denies the attack, and both are counted as asked', async () => {
    const result = await replayed([all, { ...noMail, id: 'ask', effect: 'ask', when: 'args.to != ""' }])
    expect(effects(result)).toEqual({ look: 'permit', answer: 'ask', today: 'permit' })
    expect(result.attacks.map(({ effect, taskEffect }) => [effect, taskEffect])).toEqual([
      ['ask', 'permit'],
      ['ask', 'ask'],
    ])
  })

  test('a call that does more than look is counted where the rest is refused', async () => {
    const two = [send('eve@away.example'), call('read_day', {}, 'day')]
    const injection_tasks = [{ id: 'two', goal: 'Do two things.', ...recorded(two) }]
    const noDay: Rules[number] = { ...noMail, id: 'no-day', resource: 'read_day', when: '1 == 1' }
    const result = await replayed([all, noDay], { injection_tasks })
    expect(result.attacks.map(({ effect, partly }) => [effect, partly])).toEqual([
      ['forbid', true],
      ['forbid', true],
    ])
  })
})

describe('what calls meet', () => {
  test('each call returns what was recorded for it, also after one that was refused', async () => {
    const failing = call('read_day', {}, null, 'no day today')
    const suite = suiteOf({ user_tasks: tasksOf(send('eve@away.example'), failing, readMail) })
    const met: unknown[] = []
    const stage = new Stage(suite, (approvals) => {
      const rules: Rules = [{ ...all, resource: ['read_day', 'read_mail'] }]
      const kernel = boot({ policy: policyOf(rules), approvals })
      kernel.on(
        'syscall',
        ({ syscall, status, reason = '' }) => syscall === 'tool.call' && met.push([status, reason]),
      )
      return kernel
    })
    const verdicts = await stage.play(
      'a task',
      suite.userTasks[0]?.calls.map((each) => ({ ...each, by: 'user' })) ?? [],
    )
    expect(verdicts.map(({ effect }) => effect)).toEqual(['forbid', 'permit', 'permit'])
    expect(met).toEqual([
      ['refused', expect.stringContaining('no rule permits it')],
      ['failed', 'no day today'],
      ['committed', ''],
    ])
  })

  test('a process that is ended makes no more calls: the rest is refused, with the reason', async () => {
    const suite = suiteOf({ user_tasks: tasksOf(readMail, readDay, readMail) })
    const policy = policyOf([all], { budget: { syscalls: 2 } })
    const stage = new Stage(suite, (approvals) => boot({ policy, approvals }))
    const { tasks } = await replay(stage, suite)
    expect(tasks[0]?.calls.map(({ effect }) => effect)).toEqual(['permit', 'permit', 'forbid'])
    expect(tasks[0]?.calls[2]?.reason).not.toBe('')
  })

  test('processes can have a kernel each, under the name that a policy knows', async () => {
    const suite = suiteOf({ user_tasks: tasksOf(readMail) })
    const kernels: KernelSpace[] = []
    const policy = policyOf([{ ...all, principal: 'desk' }])
    const start = (approvals: ApprovalOptions): KernelSpace => {
      const kernel = boot({ policy, approvals })
      kernels.push(kernel)
      return kernel
    }
    const { tasks, attacks } = await replay(new Stage(suite, start, { agent: 'desk', apart: true }), suite)
    expect([tasks[0]?.effect, attacks[0]?.effect]).toEqual(['permit', 'permit'])
    expect(kernels.map((kernel) => kernel.ps({ all: true }).length)).toEqual([1, 1])
  })

  test('an attack is tried after each result that carries it, and counted where it came furthest', async () => {
    const user_tasks = tasksOf(readMail, call('read_note', { name: 'x' }, mail))
    const once: Rules = [
      { ...all, id: 'look', resource: ['read_mail', 'read_note'] },
      { ...all, id: 'send', resource: 'send_mail', rateLimit: { calls: 1, per: '1h' } },
    ]
    const result = await replayed(once, { user_tasks })
    expect(result.attacks).toMatchObject([{ attack: 'spam', effect: 'permit', after: 0 }])
  })
})

test('the score counts tasks, pairs, attacks at their furthest, and calls that passed', () => {
  const run = (task: string, attack: string, effect: 'permit' | 'ask' | 'forbid', partly = false) => ({
    ...{ task, attack, effect, partly, after: 0, calls: [], taskEffect: 'permit' as const },
  })
  const score = scoreOf({
    tasks: [
      { task: 'a', effect: 'permit', calls: [] },
      { task: 'b', effect: 'ask', calls: [] },
    ],
    attacks: [run('a', 'x', 'forbid'), run('b', 'x', 'ask', true), run('a', 'y', 'forbid')],
    unrecorded: [],
    sheltered: [],
  })
  expect(score).toEqual({
    tasks: { permit: 1, ask: 1, forbid: 0 },
    tasksAttacked: { permit: 3, ask: 0, forbid: 0 },
    pairs: { permit: 0, ask: 1, forbid: 2 },
    attacks: { permit: 0, ask: 1, forbid: 1 },
    partly: 1,
  })
})
