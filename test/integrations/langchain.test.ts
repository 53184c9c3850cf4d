/** LangChain and LangGraph under the kernel: the real packages, with a model that says what it was told to beforehand. */
import { BaseCallbackHandler } from '@langchain/core/callbacks/base'
import { AIMessage, HumanMessage, type ToolMessage } from '@langchain/core/messages'
import { RunnableBranch, RunnableLambda, RunnableMap, type RunnableSequence } from '@langchain/core/runnables'
import { fakeModel } from '@langchain/core/testing'
import { DynamicTool } from '@langchain/core/tools'
import { Command, interrupt, MemorySaver, MessagesAnnotation, StateGraph } from '@langchain/langgraph'
import { createReactAgent, ToolNode } from '@langchain/langgraph/prebuilt'
import { createAgent, createMiddleware, tool } from 'langchain'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { LangChainKernel } from '../../integrations/langchain/index.ts'
import type { KernelOptions } from '../../src/index.ts'
import { boot, entriesOf, kernelErrorOf, policyOf, until } from '../support/kernel.ts'

const policy = policyOf([
  { id: 'list', effect: 'permit', action: 'tool.call', resource: 'shell', when: 'args.cmd == "ls"' },
  { id: 'models', effect: 'permit', action: ['llm.generate', 'llm.stream'], resource: '*' },
])

const input = { messages: [new HumanMessage('tidy up')] }

/** A shell that writes down what it ran. */
function shellOf() {
  const ran: string[] = []
  const shell = tool(
    async ({ cmd }: { cmd: string }) => {
      ran.push(cmd)
      return `${cmd} was run`
    },
    { name: 'shell', description: 'runs a command', schema: z.object({ cmd: z.string() }) },
  )
  return { shell, ran }
}

const calls = (...commands: string[]) =>
  commands.map((cmd, index) => ({ name: 'shell', args: { cmd }, id: `call-${index}` }))

/** A model that asks for two commands at once, and is content with whatever comes back. */
const script = (...commands: string[]) =>
  fakeModel()
    .respondWithTools(calls(...(commands.length === 0 ? ['rm -rf /', 'ls'] : commands)))
    .respond(new AIMessage('done'))

function start(options: KernelOptions = {}) {
  const kernel = boot({ policy, ...options })
  return { kernel, gatehouse: new LangChainKernel(kernel) }
}

type Messages = { readonly messages: readonly { readonly content: unknown; getType(): string }[] }

const answersIn = ({ messages }: Messages) =>
  messages.filter((message) => message.getType() === 'tool') as unknown as readonly ToolMessage[]

/** What is common to everything that runs an agent's loop. */
interface Loop {
  invoke(input: object, config?: object): Promise<unknown>
  stream(input: object, config?: object): Promise<AsyncIterable<unknown>>
  streamEvents(input: object, config: object): unknown
}

type Tool = ReturnType<typeof shellOf>['shell']

const loops: Readonly<Record<string, (model: ReturnType<typeof script>, shell: Tool) => object>> = {
  'an agent of createAgent': (model, shell) => createAgent({ model, tools: [shell] }),
  'an agent of createReactAgent': (llm, shell) => createReactAgent({ llm, tools: [shell] }),
  'a graph of its own': (model, shell) => {
    const bound = model.bindTools([shell])
    return new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({ messages: [await bound.invoke(messages)] }))
      .addNode('tools', new ToolNode([shell]))
      .addEdge('__start__', 'model')
      .addConditionalEdges('model', ({ messages }) =>
        (messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : '__end__',
      )
      .addEdge('tools', 'model')
      .compile()
  },
  'a graph in a graph': (llm, shell) =>
    new StateGraph(MessagesAnnotation)
      .addNode('inner', createReactAgent({ llm, tools: [shell] }))
      .addEdge('__start__', 'inner')
      .compile(),
  'an agent’s graph in a graph': (model, shell) =>
    new StateGraph(MessagesAnnotation)
      .addNode('inner', createAgent({ model, tools: [shell] }).graph as never)
      .addEdge('__start__', 'inner')
      .compile(),
}

const ways: Readonly<Record<string, (loop: Loop) => Promise<Messages>>> = {
  invoke: async (loop) => (await loop.invoke(input)) as Messages,
  async stream(loop) {
    let last: unknown
    for await (const state of await loop.stream(input, { streamMode: 'values' })) last = state
    return last as Messages
  },
  async 'streamEvents v2'(loop) {
    let last: unknown
    const events = loop.streamEvents(input, { version: 'v2' }) as AsyncIterable<{
      event: string
      data: { output?: unknown }
    }>
    for await (const { event, data } of events) if (event === 'on_chain_end') last = data.output
    return last as Messages
  },
  async 'streamEvents v3'(loop) {
    const run = (await loop.streamEvents(input, { version: 'v3' })) as { readonly output: Promise<Messages> }
    return run.output
  },
}

describe.each(Object.entries(loops))('%s', (_name, make) => {
  test.each(Object.entries(ways))(
    '%s: what is refused never runs, and the model reads why',
    async (_way, run) => {
      const { kernel, gatehouse } = start()
      const { shell, ran } = shellOf()
      const answers = answersIn(await run(gatehouse.wrap(make(script(), shell)) as Loop))
      expect(ran).toEqual(['ls'])
      expect(answers.map(({ status }) => status)).toEqual(['error', 'success'])
      expect(answers[0]?.content).toMatch(/^EPERM: tool\.call `shell`: no rule permits it/)
      expect(answers[1]?.content).toBe('ls was run')
      expect(entriesOf(kernel, 'spawn')).toMatchObject([
        { framework: expect.stringMatching(/^@langchain\/core \d/) },
      ])
      expect(entriesOf(kernel, 'exit')).toMatchObject([{ status: 'exited' }])
    },
  )
})

describe('code that the kernel does not reach', () => {
  const graphOf = (model: { invoke(messages: never): Promise<unknown> }, shell: Tool) =>
    new StateGraph(MessagesAnnotation)
      .addNode(
        'model',
        async ({ messages }) => ({ messages: [await model.invoke(messages as never)] }) as never,
      )
      .addNode('tools', async ({ messages }) => {
        const asked = (messages.at(-1) as AIMessage).tool_calls ?? []
        const told = asked.map(async (call) =>
          shell.invoke({ ...call, type: 'tool_call' }, { callbacks: [] }),
        )
        return { messages: await Promise.all(told) }
      })
      .addEdge('__start__', 'model')
      .addEdge('model', 'tools')
      .compile()

  test('its tools are refused, with what to do, on record', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const graph = gatehouse.wrap(graphOf(script().bindTools([shell]), shell))
    const error = await kernelErrorOf(() => graph.invoke(input))
    expect(error.message).toMatch(/the tool `shell` .* wrap it before/)
    expect(ran).toEqual([])
    expect(entriesOf(kernel, 'refusal')).toMatchObject([{ resource: 'unwrapped' }, { resource: 'unwrapped' }])
    vi.restoreAllMocks()
  })

  test('with its tools wrapped beforehand it runs, as one process', async () => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const [governed = shell] = gatehouse.wrap([shell])
    const graph = gatehouse.wrap(graphOf(script().bindTools([governed]), governed))
    expect(answersIn(await graph.invoke(input)).map(({ status }) => status)).toEqual(['error', 'success'])
    expect(ran).toEqual(['ls'])
    expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
  })
})

describe('a tool that comes later', () => {
  test('is governed where it is put into a list, or into the tools of a node', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const list = gatehouse.wrap<Tool[]>([])
    list.push(shell)
    await kernelErrorOf(() => list[0]?.invoke({ cmd: 'rm' }))
    const tools: Tool[] = []
    const graph = gatehouse.wrap(createReactAgent({ llm: script(), tools: new ToolNode(tools) }))
    tools.push(shell)
    expect(answersIn(await graph.invoke(input)).map(({ status }) => status)).toEqual(['error', 'success'])
    expect(ran).toEqual(['ls'])
  })

  test('is governed where a middleware brings it', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const bringsShell = createMiddleware({
      name: 'brings',
      wrapModelCall: (request, handler) => handler({ ...request, tools: [...request.tools, shell] }),
      wrapToolCall: (request, handler) => handler({ ...request, tool: shell }),
    })
    const agent = gatehouse.wrap(createAgent({ model: script(), tools: [], middleware: [bringsShell] }))
    expect(answersIn(await agent.invoke(input)).map(({ status }) => status)).toEqual(['error', 'success'])
    expect(ran).toEqual(['ls'])
  })
})

describe('a tool and a chain', () => {
  test('a tool alone is a process of its own, and refuses with an error', async () => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const governed = gatehouse.wrap(shell)
    expect(await governed.invoke({ cmd: 'ls' })).toBe('ls was run')
    expect((await kernelErrorOf(() => governed.invoke({ cmd: 'rm' }))).code).toBe('EPERM')
    expect((await kernelErrorOf(() => governed.batch([{ cmd: 'ls' }, { cmd: 'rm' }]))).code).toBe('EPERM')
    expect((await kernelErrorOf(async () => governed.func({ cmd: 'rm' }))).message).toMatch(/behind `invoke`/)
    expect(ran).toEqual(['ls', 'ls'])
    expect(new Set(entriesOf(kernel, 'spawn').map(({ pid }) => pid)).size).toBe(4)
    expect(gatehouse.wrap(governed)).toBe(governed)
    expect(governed).toBeInstanceOf(shell.constructor)
  })

  test.each<[string, (shell: Tool) => { invoke(input: never): Promise<unknown> }]>([
    ['a sequence', (shell) => RunnableLambda.from((cmd: string) => ({ cmd })).pipe(shell)],
    [
      'a map',
      (shell) =>
        RunnableLambda.from((cmd: string) => ({ cmd })).pipe(RunnableMap.from({ one: shell as never })),
    ],
    [
      'a branch',
      (shell) =>
        RunnableLambda.from((cmd: string) => ({ cmd })).pipe(
          RunnableBranch.from([[() => true, shell as never], shell as never]),
        ),
    ],
    [
      'a binding',
      (shell) =>
        RunnableLambda.from((cmd: string) => ({ cmd })).pipe(shell.withConfig({ tags: ['mine'] }) as never),
    ],
    [
      'fallbacks',
      (shell) =>
        RunnableLambda.from((cmd: string) => ({ cmd })).pipe(
          (shell as unknown as RunnableSequence).withFallbacks([]),
        ),
    ],
  ])('a tool in %s', async (_name, chainOf) => {
    const { kernel, gatehouse } = start()
    const { shell, ran } = shellOf()
    const chain = gatehouse.wrap(chainOf(shell))
    await chain.invoke('ls' as never)
    await expect(chain.invoke('rm' as never)).rejects.toMatchObject({ code: 'EPERM' })
    expect(ran).toEqual(['ls'])
    expect(entriesOf(kernel, 'spawn')).toHaveLength(2)
  })

  test('what a wrapped chain or model makes of itself is wrapped too', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const first = RunnableLambda.from(({ tool_calls }: AIMessage) => tool_calls?.[0] ?? {})
    const chain = gatehouse
      .wrap(script())
      .bindTools([shell])
      .pipe(first)
      .pipe(shell as never) as Loop
    expect(((await chain.invoke('go' as never)) as ToolMessage).content).toMatch(/^EPERM/)
    expect(ran).toEqual([])
  })

  test('a runnable that was made a tool, and a tool of one text', async () => {
    const { gatehouse } = start()
    const { ran } = shellOf()
    const made = RunnableLambda.from(({ cmd }: { cmd: string }) => void ran.push(cmd)).asTool({
      ...{ name: 'shell', description: 'runs', schema: z.object({ cmd: z.string() }) },
    })
    const agent = gatehouse.wrap(createReactAgent({ llm: script(), tools: [made] }))
    await agent.invoke(input)
    expect(ran).toEqual(['ls'])
    const echo = new DynamicTool({
      name: 'echo',
      description: 'says it again',
      func: async (text) => `${text}!`,
    })
    const free = new LangChainKernel(boot()).wrap(echo)
    expect(await free.invoke('hello')).toBe('hello!')
  })
})

describe('what a tool gives', () => {
  const free = () =>
    new LangChainKernel(
      boot({ secrets: { API_KEY: { value: 'sk-very-secret-value', origins: ['https://api.example.com'] } } }),
    )
  const toolOf = (give: () => unknown, more: object = {}) =>
    tool(async () => give(), { name: 'give', description: 'gives', schema: z.object({}), ...more })
  const asked = { type: 'tool_call', name: 'give', id: 'call', args: {} } as const

  class Money {
    readonly cents = 5
  }

  test.each<[string, () => unknown, unknown]>([
    ['an object of a class', () => new Money(), '{"cents":5}'],
    ['a stream', () => new ReadableStream(), '{}'],
    ['nothing', () => undefined, ''],
    [
      'pieces',
      async function* () {
        yield 'a'
        return 'whole'
      },
      'whole',
    ],
  ])('%s is what LangChain makes of it', async (_name, give, content) => {
    const plain = toolOf(give)
    const [ours, theirs] = await Promise.all([free().wrap(plain).invoke(asked), plain.invoke(asked)])
    expect((ours as ToolMessage).content).toEqual((theirs as ToolMessage).content)
    expect((ours as ToolMessage).content).toBe(content)
  })

  test('an artifact goes to the application as it is, and a command to the graph', async () => {
    const money = new Money()
    const withArtifact = toolOf(() => ['5 cents', money], { responseFormat: 'content_and_artifact' })
    const message = (await free().wrap(withArtifact).invoke(asked)) as ToolMessage
    expect([message.content, message.artifact]).toEqual(['5 cents', money])
    const command = new Command({ update: { paid: true } })
    expect(
      await free()
        .wrap(toolOf(() => command))
        .invoke(asked),
    ).toBe(command)
  })

  test('the value of a secret does not reach the model', async () => {
    const message = (await free()
      .wrap(toolOf(() => 'it is sk-very-secret-value'))
      .invoke(asked)) as ToolMessage
    expect(message.content).not.toContain('very-secret')
    expect(message.tool_call_id).toBe('call')
  })

  test('an error of its own reaches LangChain as it was', async () => {
    const boom = new TypeError('no such shelf')
    const failing = toolOf(() => {
      throw boom
    })
    await expect(free().wrap(failing).invoke(asked)).rejects.toBe(boom)
  })
})

describe('callbacks, interrupts and configuration', () => {
  test('callbacks hear of each tool once, and a tool sees its configuration', async () => {
    const heard: string[] = []
    class Listener extends BaseCallbackHandler {
      override readonly name = 'listener'
      override handleToolStart(...args: unknown[]): void {
        heard.push(`start ${String(args[7])}`)
      }
      override handleToolEnd(): void {
        heard.push('end')
      }
    }
    const seen: unknown[] = []
    const looks = tool((_args, { configurable }) => void seen.push(configurable?.user), {
      ...{ name: 'shell', description: 'looks', schema: z.object({ cmd: z.string() }) },
    })
    const { gatehouse } = start()
    const agent = gatehouse.wrap(createAgent({ model: script('ls'), tools: [looks] }))
    await agent.invoke(input, { callbacks: [new Listener()], configurable: { user: 'mia' } })
    expect(heard).toEqual(['start call-0', 'end'])
    expect(seen).toEqual(['mia'])
  })

  test('a tool may interrupt the graph, and is judged again when it goes on', async () => {
    const { kernel, gatehouse } = start()
    const answers: unknown[] = []
    const asks = tool(() => void answers.push(interrupt('really?')), {
      ...{ name: 'shell', description: 'asks', schema: z.object({ cmd: z.string() }) },
    })
    const agent = gatehouse.wrap(
      createAgent({ model: script('ls'), tools: [asks], checkpointer: new MemorySaver() }),
    )
    const config = { configurable: { thread_id: 'one' } }
    expect(await agent.invoke(input, config)).toMatchObject({ __interrupt__: [{ value: 'really?' }] })
    const done = await agent.invoke(new Command({ resume: 'yes' }) as never, config)
    expect(answers).toEqual(['yes'])
    expect(done.messages.at(-1)?.content).toBe('done')
    expect(entriesOf(kernel, 'intent').filter(({ resource }) => resource === 'shell')).toHaveLength(2)
  })

  test('an agent keeps its configuration, its state and what it is', async () => {
    const { gatehouse } = start()
    const { shell } = shellOf()
    const agent = createAgent({ model: script('ls'), tools: [shell], name: 'tidy' }).withConfig({
      tags: ['mine'],
    })
    const governed = gatehouse.wrap(agent)
    expect(governed).toBeInstanceOf(agent.constructor)
    expect(governed.graph.config).toMatchObject({ tags: ['mine'], metadata: { lc_agent_name: 'tidy' } })
    expect((await governed.withConfig({}).invoke(input)).messages).toHaveLength(4)
  })

  test('a signal of the application ends the run', async () => {
    const { gatehouse } = start()
    const { shell, ran } = shellOf()
    const agent = gatehouse.wrap(createAgent({ model: script('ls'), tools: [shell] }))
    await expect(agent.invoke(input, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow()
    expect(ran).toEqual([])
  })

  test('who stops reading a stream ends its process', async () => {
    const { kernel, gatehouse } = start()
    const { shell } = shellOf()
    const agent = gatehouse.wrap(createAgent({ model: script('ls'), tools: [shell] }))
    for await (const _ of await agent.stream(input)) break
    await until(() => entriesOf(kernel, 'exit').length === 1, 'it has ended')
  })
})

describe('what cannot be governed is refused when it is wrapped', () => {
  const toolNamed = (name: string, schema: unknown = z.object({})) =>
    tool(async () => 'ran', { name, description: 'does', schema: schema as never })

  test.each<[string, () => object]>([
    ['a tool whose name has control characters', () => toolNamed('rm\n\u001b[2J')],
    ['a tool whose schema is no JSON Schema', () => toolNamed('shell', { type: 'object', required: 'cmd' })],
    ['a list with such a tool', () => [toolNamed('shell', { type: 'nothing' })]],
    ['an agent with such a tool', () => createAgent({ model: script(), tools: [toolNamed('a b')] })],
    ['a graph with such a tool', () => createReactAgent({ llm: script(), tools: [toolNamed('a b')] })],
    ['a function', () => () => undefined],
    ['a plain object', () => ({ invoke: () => 'ran' })],
  ])('%s', async (_name, make) => {
    const { gatehouse } = start()
    expect((await kernelErrorOf(() => gatehouse.wrap(make()))).code).toBe('EINVAL')
  })

  test('a graph that runs elsewhere', async () => {
    const { RemoteGraph } = await import('@langchain/langgraph/remote')
    const { gatehouse } = start()
    const remote = new RemoteGraph({ graphId: 'there', url: 'http://127.0.0.1:1' })
    expect((await kernelErrorOf(() => gatehouse.wrap(remote))).message).toMatch(/runs elsewhere/)
  })

  test('what a model does without telling anybody', async () => {
    const { gatehouse } = start()
    const model = gatehouse.wrap(script())
    expect((await kernelErrorOf(async () => model.streamEvents('hi', { version: 'v3' } as never))).code).toBe(
      'ENOSYS',
    )
    expect((await kernelErrorOf(async () => model._generate([]))).code).toBe('ENOSYS')
  })

  test('a tool that the provider of a model runs, unless it is accepted by name', async () => {
    const { gatehouse, kernel } = start()
    const search = { type: 'web_search_20250305', name: 'web_search' }
    const model = script('ls').withConfig({ tools: [search] } as never)
    const error = await kernelErrorOf(() => gatehouse.wrap(model).invoke('look it up'))
    expect(error.message).toMatch(/`web_search` is run by the provider/)
    const accepting = new LangChainKernel(kernel, { unseen: ['web_search'] })
    expect((await accepting.wrap(model).invoke('look it up')).getType()).toBe('ai')
  })

  test('a tool that there is not gives the model LangChain’s own answer', async () => {
    const { gatehouse } = start()
    const { shell } = shellOf()
    const model = fakeModel()
      .respondWithTools([{ name: 'fly', args: {} }])
      .respond(new AIMessage('done'))
    const { messages } = await gatehouse.wrap(createAgent({ model, tools: [shell] })).invoke(input)
    expect(answersIn({ messages } as Messages)[0]?.content).toMatch(/fly is not a valid tool/)
  })
})
