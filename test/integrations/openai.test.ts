/** The contract with the real package `openai` and its `runTools`, and what is its own. */
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { contract, type ScriptedTool, type ScriptedTurn } from '../../integrations/contract.ts'
import { OpenAIKernel } from '../../integrations/openai/index.ts'
import { boot, entriesOf, policyOf } from '../support/kernel.ts'
import { cannot } from './cannot.ts'
import { serviceOf } from './openai-service.ts'

const clientOf = (next: (prompt: string) => ScriptedTurn): OpenAI =>
  new OpenAI({ apiKey: 'none', baseURL: 'http://openai.test/v1', fetch: serviceOf(next) })

interface Runner {
  readonly controller: AbortController
}

const toolOf = ({ name, description, parameters, execute }: ScriptedTool) => ({
  type: 'function' as const,
  function: {
    ...{ name, description, parameters, parse: JSON.parse },
    function: (args: object, runner: Runner) => execute(args as never, runner.controller.signal),
  },
})

contract({
  framework: 'openai',
  cannot: cannot.openai,
  make({ kernel, options, tools, next }) {
    const client = new OpenAIKernel(kernel, options).wrap(clientOf(next))
    const all = tools.map(toolOf)
    const body = (content: string) => ({
      model: 'scripted',
      messages: [{ role: 'user', content }],
      tools: all,
    })
    const run = (content: string, stream: boolean): { finalContent(): Promise<unknown> } =>
      client.chat.completions.runTools({ ...body(content), stream } as never, { maxChatCompletions: 30 })
    return {
      run: (content) => run(content, false).finalContent(),
      stream: (content) => run(content, true).finalContent(),
      add: (tool) => void all.push(toolOf(tool)),
    }
  },
})

describe('the client alone', () => {
  const hello = () => ({ text: 'hello' })

  test('chat and responses are judged as llm.generate, whole or streamed, and metered', async () => {
    const kernel = boot()
    const client = new OpenAIKernel(kernel, { name: 'desk' }).wrap(clientOf(hello))
    const messages = [{ role: 'user' as const, content: 'hi' }]
    const whole = await client.chat.completions.create({ model: 'gpt', messages })
    expect(whole.choices[0]?.message.content).toBe('hello')
    let text = ''
    for await (const part of await client.chat.completions.create({ model: 'gpt', messages, stream: true }))
      text += part.choices[0]?.delta.content ?? ''
    const response = await client.responses.create({ model: 'gpt', input: 'hi' })
    const events = await client.responses.create({ model: 'gpt', input: 'hi', stream: true })
    const types: string[] = []
    for await (const event of events) types.push(event.type)
    expect([text, response.output_text, types.at(-1)]).toEqual(['hello', 'hello', 'response.completed'])
    expect(entriesOf(kernel, 'intent', 'llm.generate').map(({ resource }) => resource)).toEqual(
      Array(4).fill('openai/gpt'),
    )
    const costs = entriesOf(kernel, 'outcome').map(({ cost }) => cost)
    expect(costs).toEqual(Array(4).fill(expect.objectContaining({ tokens: 6_000 })))
    expect(kernel.ps()).toEqual([])
  })

  test('a refusal is an error of the client with the errno, at once, and nothing is sent', async () => {
    const kernel = boot({ policy: policyOf([]) })
    let sent = 0
    const client = new OpenAIKernel(kernel).wrap(
      clientOf(() => {
        sent += 1
        return {}
      }),
    )
    const refused = await client.responses
      .create({ model: 'gpt', input: 'hi' })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(refused).toMatchObject({ code: 'EPERM', message: expect.stringContaining('llm.generate') })
    expect([sent, entriesOf(kernel, 'refusal').length]).toEqual([0, 1])
  })

  test('what was judged is what is sent, a client made of it is governed too, and other requests pass', async () => {
    const policy = policyOf([{ id: 'm', effect: 'ask', action: 'llm.generate' }])
    const kernel = boot({ policy })
    const sent: string[] = []
    const client = new OpenAIKernel(kernel).wrap(
      clientOf((prompt) => {
        sent.push(prompt)
        return hello()
      }),
    )
    const messages = [{ role: 'user' as const, content: 'judged' }]
    kernel.on('approval', ({ id, status }) => {
      if (status !== 'asked') return
      messages[0] = { role: 'user', content: 'changed' }
      kernel.approvals.approve(id)
    })
    await client.withOptions({ maxRetries: 0 }).chat.completions.create({ model: 'gpt', messages })
    expect(sent).toEqual([expect.stringContaining('judged')])
    expect((await client.models.list()).data).toEqual([])
  })

  test('an error of the service stays the client’s own', async () => {
    const kernel = boot()
    const fetch = async () => new Response('{"error":{"message":"no such model"}}', { status: 404 })
    const client = new OpenAIKernel(kernel).wrap(new OpenAI({ apiKey: 'none', fetch }))
    for (const stream of [false, true]) {
      const failed = client.chat.completions.create({ model: 'x', messages: [], stream })
      await expect(failed).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    }
    expect(entriesOf(kernel, 'outcome')).toMatchObject([{ status: 'failed' }, { status: 'failed' }])
  })

  test('an assistant’s functions go through the gate, and what is refused is told to it', async () => {
    const policy = policyOf([
      { id: 'model', effect: 'permit', action: 'llm.generate', resource: 'openai/asst_1' },
      { id: 'look', effect: 'permit', action: 'tool.call', resource: 'look' },
    ])
    const kernel = boot({ policy })
    const prompts: string[] = []
    const client = clientOf((prompt) => {
      prompts.push(prompt)
      const calls = [
        { name: 'look', args: { at: 1 } },
        { name: 'wipe', args: {} },
        { name: 'none', args: {} },
      ]
      return prompts.length === 1 ? { calls } : {}
    })
    const ran: unknown[] = []
    const tools = {
      look: { execute: (args: unknown) => void ran.push(args) },
      wipe: { execute: () => void ran.push('wiped') },
    }
    const assistant = new OpenAIKernel(kernel, { name: 'desk' }).wrapAssistant(client, {
      assistantId: 'asst_1',
      tools,
    })
    expect(await assistant.run('thread')).toMatchObject({ status: 'completed' })
    expect(ran).toEqual([{ at: 1 }])
    expect(prompts[1]).toMatch(/EPERM: tool.call `wipe`.*there is no function `none`/)
    expect(entriesOf(kernel, 'spawn')).toHaveLength(1)
  })
})
