/** The contract with the real package `@mastra/core`. */
import { createRequire } from 'node:module'
import { z } from 'zod'
import { contract, type ScriptedTool } from '../../integrations/contract.ts'
import { MastraKernel } from '../../integrations/mastra/index.ts'
import { cannot } from './cannot.ts'
import { scripted } from './scripted-model.ts'

/** Its types keep the compiler busy for minutes, so that they are left out here. */
interface Mastra {
  readonly Agent: new (config: object) => AgentOfMastra
  readonly createTool: (config: object) => object
}

interface AgentOfMastra {
  generate(task: never): Promise<{ readonly text: string }>
  stream(task: never): Promise<{
    readonly text: Promise<string>
    readonly fullStream: AsyncIterable<{
      readonly type: string
      readonly payload: { readonly error?: unknown }
    }>
  }>
}

const require = createRequire(import.meta.url)
const { Agent }: Pick<Mastra, 'Agent'> = require('@mastra/core/agent')
const { createTool }: Pick<Mastra, 'createTool'> = require('@mastra/core/tools')

const toolOf = ({ name, description, execute }: ScriptedTool) =>
  createTool({
    ...{ id: name, description, inputSchema: z.object({ text: z.string() }) },
    execute: async (input: never, context?: { readonly abortSignal?: AbortSignal }) =>
      execute(input, context?.abortSignal),
  })

contract({
  framework: '@mastra/core',
  cannot: cannot.mastra,
  make(scene) {
    const governed = new MastraKernel(scene.kernel, scene.options)
    const tools = Object.fromEntries(scene.tools.map((each) => [each.name, toolOf(each)]))
    const agent = governed.wrap(
      new Agent({
        ...{ id: 'desk', name: 'desk', instructions: 'work' },
        model: governed.model(scripted(scene)),
        tools: governed.tools(tools),
        defaultOptions: { maxSteps: 30 },
      }),
    )
    return {
      run: async (task) => (await agent.generate(task as never)).text,
      stream: async (task) => {
        const result = await agent.stream(task as never)
        for await (const part of result.fullStream) if (part.type === 'error') throw part.payload.error
        return await result.text
      },
      add: (tool) => {
        tools[tool.name] = toolOf(tool)
      },
    }
  },
})
