/**
 * What every integration promises, run against the real package of its framework with a scripted model. Each claim is one
 * test; what a framework cannot do, its adapter says by name, and the table in docs/integrations.md shows it.
 */
import { type Entry, type KernelError, KernelSpace, type PolicyDocument, type WrapOptions } from 'gatehouse'
import { afterEach, describe, expect, test } from 'vitest'

export const claims = {
  refusal: 'a refused call never reaches the tool, and comes back to the model as an error that it can read',
  arguments: 'the arguments that are judged are those that the tool runs with',
  invalid: 'arguments that do not fit the schema never reach the tool',
  approve: 'a call that asks waits, and goes on when a person approves it',
  deny: 'a call that asks is refused when a person denies it, or nobody answers in time',
  stop: 'SIGSTOP holds the next call until SIGCONT',
  kill: 'SIGKILL ends the loop of the framework: no further tool runs, and the model is not asked again',
  abort: 'SIGKILL aborts a tool in flight by the AbortSignal that it was given',
  calls: 'a budget of calls ends the run',
  model: 'calls of the model are judged, and refused before the model is asked',
  tokens: 'calls of the model are charged, and a budget of tokens ends the run',
  stream: 'a streamed run is governed as any other',
  parallel: 'of calls that are made at once, each is judged by itself',
  evidence: 'evidence names tool, arguments, rule and framework, and one run is one process',
  later: 'a tool that is added later is governed too',
} as const
export type Claim = keyof typeof claims

/** A tool as the contract describes it; the adapter makes it one of the framework's. */
export interface ScriptedTool {
  readonly name: string
  readonly description: string
  /** JSON Schema of type object. */
  readonly parameters: { readonly [key: string]: unknown }
  /** @param signal where the framework hands its tools one */
  readonly execute: (args: never, signal?: AbortSignal) => unknown
}

/** What the scripted model says when it is asked, one after the other; the last one is said again for ever. */
export interface ScriptedTurn {
  readonly calls?: readonly { readonly name: string; readonly args: object }[]
  readonly text?: string
}

/** What an adapter makes one agent of. */
export interface Scene {
  readonly kernel: KernelSpace
  readonly options: WrapOptions
  readonly tools: readonly ScriptedTool[]
  /**
   * What the model says next, with the name `scripted` of the provider `test` where it has one.
   * @param prompt all that the framework sent, as text
   */
  readonly next: (prompt: string) => ScriptedTurn
}

/** An agent of the framework that has been wrapped. */
export interface Agent {
  /** Runs it to its end with a task, and gives its last text. Rejects as the framework's own call does. */
  run(task: string): Promise<unknown>
  /** The same by the framework's way to stream, read to its end. */
  stream?(task: string): Promise<unknown>
  /** Adds a tool to what was wrapped before; undefined where agents of the framework cannot be given one. */
  add?(tool: ScriptedTool): void
}

export interface Adapter {
  /** As evidence has it, without the version. */
  readonly framework: string
  readonly make: (scene: Scene) => Agent | Promise<Agent>
  readonly cannot?: Partial<Readonly<Record<Claim, string>>>
}

const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
/** Of each side: with the bound of one reply, two do not fit in a budget of 8,000. */
const tokensOfTurn = 3_000

/** Tokens that scripted models report for each reply. */
export const scriptedUsage = { inputTokens: tokensOfTurn, outputTokens: tokensOfTurn } as const

const kernels = new Set<KernelSpace>()

interface Stage {
  readonly kernel: KernelSpace
  readonly agent: Agent
  /** What the model was sent, each time. */
  readonly prompts: string[]
  /** What each tool ran with. */
  readonly ran: { readonly name: string; readonly args: unknown }[]
}

interface Staging {
  readonly rules?: PolicyDocument['rules']
  readonly script: readonly ScriptedTurn[]
  readonly options?: WrapOptions
  readonly approvals?: { readonly timeout: string }
  /** What the tool `go` does. */
  readonly go?: (args: { text: string }, signal?: AbortSignal) => unknown
}

const models = { id: 'models', effect: 'permit', action: ['llm.generate', 'llm.stream'] } as const
const tools = { id: 'tools', effect: 'permit', action: 'tool.call' } as const
const say = (said: string): ScriptedTurn => ({ text: said })
const callGo = (...texts: string[]): ScriptedTurn => ({
  calls: texts.map((each) => ({ name: 'go', args: { text: each } })),
})

async function stage(adapter: Adapter, staging: Staging): Promise<Stage> {
  const { rules = [models, tools], script, options = {}, approvals, go = () => 'gone' } = staging
  const policy: PolicyDocument = { version: 1, name: 'contract', rules }
  const kernel = new KernelSpace({ policy, ...(approvals !== undefined && { approvals }) })
  kernels.add(kernel)
  const prompts: string[] = []
  const ran: Stage['ran'] = []
  const tool: ScriptedTool = {
    ...{ name: 'go', description: 'goes', parameters: text },
    execute: (args: { text: string }, signal) => {
      ran.push({ name: 'go', args: structuredClone(args) })
      return go(args, signal)
    },
  }
  const next = (prompt: string): ScriptedTurn => {
    prompts.push(prompt)
    return script[Math.min(prompts.length, script.length) - 1] ?? say('')
  }
  const agent = await adapter.make({ kernel, options: { name: 'desk', ...options }, tools: [tool], next })
  return { kernel, agent, prompts, ran }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const entriesOf = (kernel: KernelSpace, kind: string): readonly Entry[] =>
  kernel.evidence.entries().filter((entry) => entry.kind === kind)

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    (value) => {
      throw new Error(`it gave ${JSON.stringify(value)}`)
    },
    (error: Error) => error,
  )

/** Whether an error, or what it came of, has one of these codes. */
const isOf = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && (codes.includes((error as KernelError).code) || isOf(error.cause, ...codes))

type Check = (adapter: Adapter) => Promise<void>

const forbidRm = {
  id: 'no-rm',
  effect: 'forbid',
  action: 'tool.call',
  when: "args.text.contains('rm')",
} as const

const refusal: Check = async (adapter) => {
  const { agent, kernel, prompts, ran } = await stage(adapter, {
    rules: [models, tools, forbidRm],
    script: [callGo('rm -rf'), callGo('ls'), say('done')],
  })
  await agent.run('clean up')
  expect(ran).toEqual([{ name: 'go', args: { text: 'ls' } }])
  expect(prompts[1]).toMatch(/EPERM.*no-rm/)
  expect(entriesOf(kernel, 'refusal')).toMatchObject([
    { syscall: 'tool.call', resource: 'go', code: 'EPERM' },
  ])
}

const judgedArguments: Check = async (adapter) => {
  const asks = { id: 'person', effect: 'ask', action: 'tool.call' } as const
  const { agent, kernel, ran } = await stage(adapter, {
    rules: [models, asks],
    script: [callGo('one'), say('done')],
    // A tool that changes its own arguments changes nothing of what was judged.
    go: (args) => {
      args.text = 'changed'
      return 'gone'
    },
  })
  const shown: string[] = []
  kernel.on('approval', (news) => {
    if (news.status !== 'asked') return
    shown.push(news.request.args.text)
    kernel.approvals.approve(news.id)
  })
  await agent.run('go')
  expect(shown.map((it) => JSON.parse(it).args)).toEqual(ran.map(({ args }) => args))
  expect(ran).toEqual([{ name: 'go', args: { text: 'one' } }])
}

const invalid: Check = async (adapter) => {
  const wrong = {
    calls: [
      { name: 'go', args: { text: 7, more: true } },
      { name: 'go', args: { other: 1 } },
    ],
  }
  const { agent, ran, prompts } = await stage(adapter, { script: [wrong, say('done')] })
  await agent.run('go').catch(() => undefined)
  // Some frameworks make a text of a number before anybody is asked.
  for (const { args } of ran) expect((args as { text: unknown }).text).toBe('7')
  expect(prompts.length).toBeGreaterThan(0)
}

const askFirst = { id: 'person', effect: 'ask', action: 'tool.call' } as const

const approve: Check = async (adapter) => {
  const { agent, kernel, ran, prompts } = await stage(adapter, {
    rules: [models, askFirst],
    script: [callGo('mail'), say('done')],
  })
  const run = agent.run('write')
  await until(() => kernel.approvals.list().length === 1, 'it asks')
  expect([ran.length, prompts.length]).toEqual([0, 1])
  kernel.approvals.approve(kernel.approvals.list()[0]?.id ?? '')
  await run
  expect([ran.length, prompts.length]).toEqual([1, 2])
}

const deny: Check = async (adapter) => {
  const denied = await stage(adapter, { rules: [models, askFirst], script: [callGo('mail'), say('done')] })
  denied.kernel.on('approval', ({ id, status }) => {
    if (status === 'asked') denied.kernel.approvals.deny(id, 'not today')
  })
  await denied.agent.run('write')
  expect(denied.ran).toEqual([])
  expect(denied.prompts[1]).toContain('not today')
  const late = await stage(adapter, {
    ...{ rules: [models, askFirst], script: [callGo('mail'), say('done')], approvals: { timeout: '10ms' } },
  })
  await late.agent.run('write')
  expect(late.ran).toEqual([])
  expect(late.prompts[1]).toMatch(/EPERM.*answered/)
}

const stop: Check = async (adapter) => {
  const { agent, kernel, ran, prompts } = await stage(adapter, {
    script: [callGo('one'), callGo('two'), say('done')],
    go: ({ text: said }) => {
      if (said === 'one') kernel.signals.signal('desk', 'STOP')
      return 'gone'
    },
  })
  const run = agent.run('go')
  await until(() => kernel.ps()[0]?.state === 'stopping', 'it is stopped')
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect([ran.length, prompts.length]).toEqual([1, 1])
  kernel.signals.signal('desk', 'CONT')
  await run
  expect([ran.length, prompts.length]).toEqual([2, 3])
}

const never = (): Promise<never> => new Promise(() => {})

const kill: Check = async (adapter) => {
  const { agent, kernel, ran, prompts } = await stage(adapter, { script: [callGo('one', 'two')], go: never })
  const failed = failureOf(agent.run('go'))
  await until(() => ran.length > 0, 'a tool runs')
  kernel.signals.signal('desk', 'KILL')
  // Some frameworks say in a word of their own that they were aborted.
  const error = await failed
  expect(isOf(error, 'EINTR') || /abort/i.test(`${error.constructor.name} ${error.message}`)).toBe(true)
  const before = ran.length
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect([ran.length, prompts.length]).toEqual([before, 1])
  expect(kernel.ps()).toEqual([])
}

const abort: Check = async (adapter) => {
  let aborted = false
  const { agent, kernel, ran } = await stage(adapter, {
    script: [callGo('one')],
    go: (_, signal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => {
          aborted = true
          reject(new Error('aborted'))
        }),
      ),
  })
  const failed = failureOf(agent.run('go'))
  await until(() => ran.length === 1, 'the tool runs')
  kernel.signals.signal('desk', 'KILL')
  await failed
  await until(() => aborted, 'the tool is told')
}

const calls: Check = async (adapter) => {
  const { agent, ran, prompts } = await stage(adapter, {
    script: [callGo('again')],
    options: { budget: { syscalls: 5 } },
  })
  expect(isOf(await failureOf(agent.run('go')), 'EDQUOT', 'EINTR')).toBe(true)
  expect(ran.length).toBeGreaterThan(0)
  expect(ran.length + prompts.length).toBeLessThanOrEqual(5)
}

const model: Check = async (adapter) => {
  const { agent, kernel, prompts } = await stage(adapter, { rules: [tools], script: [say('done')] })
  expect(isOf(await failureOf(agent.run('go')), 'EPERM')).toBe(true)
  expect(prompts).toEqual([])
  expect(entriesOf(kernel, 'refusal')).toMatchObject([{ resource: expect.stringContaining('/scripted') }])
}

const tokens: Check = async (adapter) => {
  const { agent, kernel, prompts } = await stage(adapter, { script: [callGo('one'), say('done')] })
  await agent.run('go')
  const used = entriesOf(kernel, 'exit').at(-1)?.usage as { readonly tokens: number }
  expect([used.tokens, prompts.length]).toEqual([2 * 2 * tokensOfTurn, 2])
  const poor = await stage(adapter, { script: [callGo('again')], options: { budget: { tokens: 8_000 } } })
  expect(isOf(await failureOf(poor.agent.run('go')), 'EDQUOT', 'EINTR')).toBe(true)
  expect(poor.prompts).toHaveLength(1)
}

const stream: Check = async (adapter) => {
  const { agent, kernel, prompts, ran } = await stage(adapter, {
    rules: [models, tools, forbidRm],
    script: [callGo('rm'), callGo('ls'), say('done')],
  })
  expect(await agent.stream?.('go')).toContain('done')
  expect(ran).toEqual([{ name: 'go', args: { text: 'ls' } }])
  expect(prompts[1]).toContain('EPERM')
  await until(() => kernel.ps().length === 0, 'the run is over')
  expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
  const killed = await stage(adapter, { script: [callGo('one')], go: never })
  const failed = failureOf(Promise.resolve(killed.agent.stream?.('go')))
  await until(() => killed.ran.length > 0, 'a tool runs')
  killed.kernel.signals.signal('desk', 'KILL')
  await failed
  expect(killed.kernel.ps()).toEqual([])
}

const parallel: Check = async (adapter) => {
  const { agent, prompts, ran, kernel } = await stage(adapter, {
    rules: [models, tools, forbidRm],
    script: [callGo('a', 'rm', 'b'), say('done')],
  })
  await agent.run('go')
  expect(ran.map(({ args }) => (args as { text: string }).text).toSorted()).toEqual(['a', 'b'])
  expect(prompts[1]).toContain('no-rm')
  expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
}

const evidence: Check = async (adapter) => {
  const { agent, kernel } = await stage(adapter, { script: [callGo('one'), say('done')] })
  await agent.run('go')
  const [spawn, ...more] = entriesOf(kernel, 'spawn')
  expect(more).toEqual([])
  expect(spawn?.framework).toMatch(new RegExp(`^${adapter.framework} \\d+\\.\\d+`))
  const intent = entriesOf(kernel, 'intent').find(({ syscall }) => syscall === 'tool.call')
  expect(intent).toMatchObject({
    ...{ agent: 'desk', resource: 'go', run: spawn?.run, decision: { rules: [{ id: 'tools' }] } },
    args: { hash: expect.any(String) },
  })
  const outcome = entriesOf(kernel, 'outcome').find((entry) => entry.intent === intent?.seq)
  expect(outcome).toMatchObject({ status: 'committed' })
  expect(kernel.evidence.verify().ok).toBe(true)
}

const later: Check = async (adapter) => {
  const { agent, kernel, ran, prompts } = await stage(adapter, {
    rules: [models, { ...tools, resource: 'go' }],
    script: [{ calls: [{ name: 'late', args: { text: 'x' } }] }, say('done')],
  })
  const execute = (args: unknown) => void ran.push({ name: 'late', args })
  agent.add?.({ name: 'late', description: 'came later', parameters: text, execute })
  await agent.run('go')
  expect(ran).toEqual([])
  expect(prompts[1]).toContain('EPERM')
  expect(entriesOf(kernel, 'refusal')).toMatchObject([{ resource: 'late' }])
}

const checks: Readonly<Record<Claim, Check>> = {
  ...{ refusal, arguments: judgedArguments, invalid, approve, deny, stop, kill, abort, calls, model, tokens },
  ...{ stream, parallel, evidence, later },
}

/** Registers one test for each claim that the framework can keep; what it cannot is skipped with its reason. */
export function contract(adapter: Adapter): void {
  afterEach(async () => {
    await Promise.all([...kernels].map((kernel) => kernel.shutdown()))
    kernels.clear()
  })
  describe(`the contract, with ${adapter.framework}`, () => {
    for (const [claim, says] of Object.entries(claims) as [Claim, string][]) {
      const why = adapter.cannot?.[claim]
      if (why === undefined) test(says, () => checks[claim](adapter))
      else test.skip(`${says}: ${why}`, () => {})
    }
  })
}
