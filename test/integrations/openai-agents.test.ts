/** The OpenAI Agents SDK under the kernel: the real package, with a model that says what it was told to beforehand. */
import {
  Agent,
  type AgentInputItem,
  applyPatchTool,
  type FunctionTool,
  handoff,
  type Model,
  type ModelResponse,
  Runner,
  RunState,
  run,
  type StreamEvent,
  setTracingDisabled,
  shellTool,
  tool,
  Usage,
  webSearchTool,
} from '@openai/agents'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { OpenAIAgentsKernel, type OpenAIAgentsOptions } from '../../integrations/openai-agents/index.ts'
import type { KernelOptions } from '../../src/index.ts'
import { boot, entriesOf, kernelErrorOf, policyOf } from '../support/kernel.ts'

setTracingDisabled(true)

const policy = policyOf([
  { id: 'list', effect: 'permit', action: 'tool.call', resource: 'shell', when: 'args.cmd == "ls"' },
  { id: 'agents', effect: 'permit', action: 'tool.call', resource: ['transfer_to_*', 'ask_helper'] },
  { id: 'models', effect: 'permit', action: ['llm.generate', 'llm.stream'], resource: '*' },
])

type Output = ModelResponse['output']

/** Answers each time with the next of what it was told to say. */
class ScriptedModel implements Model {
  readonly #turns: readonly Output[]
  readonly prompts: (string | AgentInputItem[])[] = []

  constructor(...turns: readonly Output[]) {
    this.#turns = turns
  }

  async getResponse({ input }: { input: string | AgentInputItem[] }): Promise<ModelResponse> {
    this.prompts.push(input)
    const output = this.#turns[this.prompts.length - 1] ?? []
    return { usage: new Usage({ inputTokens: 3, outputTokens: 2, totalTokens: 5 }), output }
  }

  async *getStreamedResponse(request: { input: string | AgentInputItem[] }): AsyncIterable<StreamEvent> {
    const { output } = await this.getResponse(request)
    const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 }
    yield { type: 'response_done', response: { id: 'one', usage, output } } as StreamEvent
  }
}

const ask = (name: string, args: object, callId = name): Output[number] => ({
  ...({ type: 'function_call', status: 'completed' } as const),
  ...{ callId, name, arguments: JSON.stringify(args) },
})
const say = (text: string): Output => [
  { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] },
]
const bothCommands = [ask('shell', { cmd: 'rm -rf /' }, 'one'), ask('shell', { cmd: 'ls' }, 'two')]
const script = () => new ScriptedModel(bothCommands, say('done'))

/** A shell that writes down what it ran. */
function shellOf(more: object = {}) {
  const ran: string[] = []
  const shell = tool({
    ...{ name: 'shell', description: 'runs a command', parameters: z.object({ cmd: z.string() }) },
    execute: async ({ cmd }) => {
      ran.push(cmd)
      return `${cmd} was run`
    },
    ...more,
  })
  return { shell, ran }
}

function start(options: OpenAIAgentsOptions = {}, kernelOptions: KernelOptions = {}) {
  const kernel = boot({ policy, ...kernelOptions })
  return { kernel, gatehouse: new OpenAIAgentsKernel(kernel, options) }
}

/** What the model was told that its tools gave. */
const outputsOf = ({ newItems }: { readonly newItems: readonly unknown[] }): unknown[] =>
  (newItems as readonly { type: string; output: unknown }[])
    .filter(({ type }) => type === 'tool_call_output_item')
    .map(({ output }) => output)

const refusedAndRun = [expect.stringMatching(/^EPERM: tool\.call `shell`: no rule permits it/), 'ls was run']

describe('a run', () => {
  test('what is refused never runs, and the model reads why; its sibling runs', async () => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const model = script()
    const result = await gatehouse.run(new Agent({ name: 'tidy', model, tools: [shell] }), 'tidy up')
    expect(outputsOf(result)).toEqual(refusedAndRun)
    expect(ran).toEqual(['ls'])
    expect(JSON.stringify(model.prompts.at(-1))).toContain('no rule permits it')
    expect(result.finalOutput).toBe('done')
    expect(entriesOf(kernel, 'spawn')).toMatchObject([
      { framework: expect.stringMatching(/^@openai\/agents \d/) },
    ])
    expect(entriesOf(kernel, 'exit')).toMatchObject([{ status: 'exited' }])
  })

  test('a stream is one run, to its end', async () => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const agent = new Agent({ name: 'tidy', model: script(), tools: [shell] })
    const result = await gatehouse.run(agent, 'tidy up', { stream: true })
    for await (const _ of result);
    await result.completed
    expect(outputsOf(result)).toEqual(refusedAndRun)
    expect(ran).toEqual(['ls'])
    expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
  })

  test('a runner keeps its settings and listeners', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const model = script()
    const asked: (string | undefined)[] = []
    const getModel = (name?: string) => {
      asked.push(name)
      return model
    }
    const runner = new Runner({ modelProvider: { getModel }, workflowName: 'tidying' })
    const heard: string[] = []
    runner.on('agent_tool_start', (_context, _agent, { name }) => heard.push(name))
    const governed = gatehouse.wrap(runner)
    expect(governed.config.workflowName).toBe('tidying')
    expect(governed).toBeInstanceOf(Runner)
    await governed.run(new Agent({ name: 'tidy', model: 'small', tools: [shell] }), 'tidy up')
    expect([ran, heard, [...new Set(asked)]]).toEqual([['ls'], ['shell', 'shell'], ['small']])
  })

  test('a governed agent does not run by a runner that is not', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const model = script()
    const agent = gatehouse.wrap(new Agent({ name: 'tidy', model, tools: [shell] }))
    expect((await kernelErrorOf(() => run(agent, 'tidy up'))).message).toMatch(/use `gatehouse\.run/)
    expect([ran, model.prompts]).toEqual([[], []])
  })

  test('a signal of the application ends it', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const agent = new Agent({ name: 'tidy', model: script(), tools: [shell] })
    await expect(gatehouse.run(agent, 'tidy up', { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(ran).toEqual([])
  })
})

describe('agents', () => {
  test('a tool that comes later is governed, and so is whatever else the agent becomes', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const agent = new Agent({ name: 'tidy', model: script() as Model, tools: [] as FunctionTool[] })
    const governed = gatehouse.wrap(agent)
    agent.tools.push(shell)
    agent.name = 'tidier'
    const result = await gatehouse.run(governed, 'tidy up')
    expect([ran, result.lastAgent?.name]).toEqual([['ls'], 'tidier'])
    expect(gatehouse.wrap(governed)).toBe(governed)
    const clone = governed.clone({ model: script() })
    expect(outputsOf(await gatehouse.run(clone, 'tidy up'))).toEqual(refusedAndRun)
  })

  test.each<[string, (next: Agent) => Agent | ReturnType<typeof handoff>]>([
    ['an agent', (next) => next],
    ['a handoff', (next) => handoff(next, { toolNameOverride: 'transfer_to_helper' })],
  ])('what is handed over to by %s is governed too', async (_name, next) => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const helper = new Agent({ name: 'helper', model: script(), tools: [shell] })
    const desk = new Agent({
      ...{ name: 'desk', model: new ScriptedModel([ask('transfer_to_helper', {})]) },
      handoffs: [next(helper)],
    })
    const result = await gatehouse.run(desk, 'tidy up')
    expect([ran, result.lastAgent?.name]).toEqual([['ls'], 'helper'])
    expect(entriesOf(kernel, 'intent').map(({ resource }) => resource)).toContain('transfer_to_helper')
    expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
  })

  test('a handover that is refused ends the run before anything of it happens', async () => {
    const models = policyOf([{ id: 'models', effect: 'permit', action: ['llm.generate'], resource: '*' }])
    const { gatehouse } = start({}, { policy: models })
    const told: unknown[] = []
    const helper = new Agent({ name: 'helper', model: script() })
    const next = handoff(helper, {
      ...{ inputType: z.object({ why: z.string() }), onHandoff: (_context, input) => void told.push(input) },
    })
    const model = new ScriptedModel([ask('transfer_to_helper', { why: 'tired' })])
    const desk = new Agent({ name: 'desk', model, handoffs: [next] })
    expect((await kernelErrorOf(() => gatehouse.run(desk, 'go'))).message).toMatch(/transfer_to_helper/)
    expect(told).toEqual([])
  })

  test('an agent as a tool is governed inside', async () => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const helper = gatehouse.wrap(new Agent({ name: 'helper', model: script(), tools: [shell] }))
    const asTool = helper.asTool({ toolName: 'ask_helper', toolDescription: 'helps' })
    const model = new ScriptedModel([ask('ask_helper', { input: 'tidy up' })], say('done'))
    await gatehouse.run(new Agent({ name: 'desk', model, tools: [asTool] }), 'go')
    expect(ran).toEqual(['ls'])
    expect(entriesOf(kernel, 'refusal')).toMatchObject([{ resource: 'shell' }])
  })

  test('an agent as a tool that is not wrapped does not run', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const asTool = new Agent({ name: 'helper', model: script(), tools: [shell] }).asTool({
      ...{ toolName: 'ask_helper', toolDescription: 'helps' },
    })
    const desk = new Agent({ name: 'desk', model: script(), tools: [asTool] })
    expect((await kernelErrorOf(() => gatehouse.run(desk, 'go'))).message).toMatch(
      /runs an agent that is not wrapped/,
    )
    expect(ran).toEqual([])
  })
})

describe('tools that the kernel sees nothing of', () => {
  const editor = { createFile: async () => ({}), updateFile: async () => ({}), deleteFile: async () => ({}) }
  const local = shellTool({ shell: { run: async () => ({ output: [] }) } })

  test.each([
    ['web_search', webSearchTool()],
    ['shell', local],
    ['apply_patch', applyPatchTool({ editor: editor as never })],
  ])('%s does not run unless it is accepted by name', async (name, hosted) => {
    const agent = new Agent({ name: 'reader', model: new ScriptedModel(say('done')), tools: [hosted] })
    const error = await kernelErrorOf(() => start().gatehouse.run(agent, 'go'))
    expect(error.message).toMatch(/where no call of it passes the kernel/)
    const { finalOutput } = await start({ unseen: [name] }).gatehouse.run(agent, 'go')
    expect(finalOutput).toBe('done')
  })
})

describe('what stays as it is', () => {
  test('guardrails come first, and an approval of the SDK does not stand for one of the kernel', async () => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf({ needsApproval: true })
    const agent = gatehouse.wrap(new Agent({ name: 'tidy', model: script(), tools: [shell] }))
    const first = await gatehouse.run(agent, 'tidy up')
    expect([first.interruptions.length, ran]).toEqual([2, []])
    const state = await RunState.fromString(agent, first.state.toString())
    for (const interruption of state.getInterruptions()) state.approve(interruption)
    expect(outputsOf(await gatehouse.run(agent, state))).toEqual(refusedAndRun)
    expect(entriesOf(kernel, 'spawn')).toHaveLength(2)
  })

  test('a state that goes on with an agent that is not governed is refused', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf({ needsApproval: true })
    const agent = new Agent({ name: 'tidy', model: script(), tools: [shell] })
    const { state } = await run(agent, 'tidy up')
    expect((await kernelErrorOf(() => gatehouse.run(agent, state))).message).toMatch(/RunState\.fromString/)
    expect(ran).toEqual([])
  })

  test('a tool’s own answer to its errors, its guardrails and its schema of outputs', async () => {
    const { gatehouse } = start()
    const failing = tool({
      ...{ name: 'shell', description: 'fails', parameters: z.object({ cmd: z.string() }) },
      errorFunction: () => 'it is out of order',
      execute: () => {
        throw new Error('/home/mia is full')
      },
    })
    const agent = new Agent({ name: 'tidy', model: script(), tools: [failing] })
    const outputs = outputsOf(await gatehouse.run(agent, 'tidy up'))
    expect(outputs).toEqual([refusedAndRun[0], 'it is out of order'])
  })

  test('a tool that there is not is the SDK’s own error', async () => {
    const { gatehouse } = start()
    const agent = new Agent({ name: 'tidy', model: new ScriptedModel([ask('fly', {})]), tools: [] })
    await expect(gatehouse.run(agent, 'go')).rejects.toThrow(/fly/)
  })
})

test('what cannot be wrapped is refused', async () => {
  const { gatehouse } = start()
  expect((await kernelErrorOf(() => gatehouse.wrap({}))).code).toBe('EINVAL')
  const odd = { ...shellOf().shell, name: 'rm\n\u001b[2J' }
  expect((await kernelErrorOf(() => gatehouse.wrap(odd))).code).toBe('EINVAL')
  const noSchema = { ...shellOf().shell, parameters: { type: 'object', required: 'cmd' } }
  expect((await kernelErrorOf(() => gatehouse.wrap([noSchema]))).code).toBe('EINVAL')
})
