/** Models as agents reach them: by functions of the application, judged, metered, on record. */
import { describe, expect, test } from 'vitest'
import type { KernelOptions, ModelFunction } from '../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, refusalOf, runIn } from './support/kernel.ts'

type Llm = NonNullable<KernelOptions['llm']>
const echo: ModelFunction = ({ messages }) => `echo: ${JSON.stringify(messages.at(-1)?.content)}`
const llm = (answer: ModelFunction, more: Partial<Llm> = {}): Llm => ({
  models: { 'test/m': answer },
  ...more,
})
const generate = (more = '') => `llm.generate({ model: 'test/m', prompt: 'hello' ${more} })`
const permit = { id: 'models', effect: 'permit', action: 'llm.*' } as const

describe('asking', () => {
  test.each(['cell', 'inline'] as const)('a function answers an agent in a %s', async (isolation) => {
    const exit = await runIn(isolation, main(`return ${generate()}`), { kernel: { llm: llm(echo) } })
    expect(exitValue(exit)).toEqual({
      text: 'echo: "hello"',
      toolCalls: [],
      finishReason: 'stop',
      usage: expect.objectContaining({ estimated: true }),
    })
  })
})
