/** The contract with the real package `ai`, and what is its own. */
import { jsonSchema, stepCountIs, ToolLoopAgent, type ToolSet, tool } from 'ai'
import { expect, test } from 'vitest'
import { contract, type ScriptedTool } from '../../integrations/contract.ts'
import { VercelAIKernel } from '../../integrations/vercel-ai/index.ts'
import { boot } from '../support/kernel.ts'
import { cannot } from './cannot.ts'
import { scripted } from './scripted-model.ts'

const toolOf = ({ description, parameters, execute }: ScriptedTool) =>
  tool({
    description,
    inputSchema: jsonSchema<object>(parameters),
    execute: async (args: object, { abortSignal }): Promise<unknown> => execute(args as never, abortSignal),
  })

contract({
  framework: 'ai',
  cannot: cannot['vercel-ai'],
  make(scene) {
    const governed = new VercelAIKernel(scene.kernel, scene.options)
    const tools: ToolSet = Object.fromEntries(scene.tools.map((each) => [each.name, toolOf(each)]))
    const model = scripted(scene)
    const more = { model, tools, stopWhen: stepCountIs(30) }
    return {
      run: async (prompt) => (await governed.generateText({ ...more, prompt })).text,
      stream: async (prompt) => {
        const result = governed.streamText({ ...more, prompt, onError: () => {} })
        for await (const part of result.fullStream) if (part.type === 'error') throw part.error
        return await result.text
      },
      add: (added) => {
        tools[added.name] = toolOf(added)
      },
    }
  },
})

test('an agent made of governed parts is one process for each run, streamed or not', async () => {
  const kernel = boot()
  const governed = new VercelAIKernel(kernel, { name: 'loop' })
  const script = [{ calls: [{ name: 'go', args: { text: 'x' } }] }, { text: 'done' }]
  let asked = 0
  const next = () => script[asked++ % 2] ?? {}
  const go = { name: 'go', description: 'goes', parameters: { type: 'object' }, execute: () => 'gone' }
  const tools: ToolSet = { go: toolOf(go) }
  const agent = governed.wrap(
    new ToolLoopAgent({ model: governed.model(scripted({ next })), tools: governed.tools(tools) }),
  )
  expect((await agent.generate({ prompt: 'go' })).text).toBe('done')
  expect(await (await agent.stream({ prompt: 'go' })).text).toBe('done')
  const spawned = kernel.evidence.entries().filter(({ kind }) => kind === 'spawn')
  expect(spawned).toMatchObject([{ agent: 'loop' }, { agent: 'loop' }])
})
