/** Models in a record: repeated without being asked, counted where a run goes on, shown with what they cost. */
import { expect, test } from 'vitest'
import { rowsOf } from '../../src/evidence/report/timeline.ts'
import type { KernelOptions, ModelFunction } from '../../src/index.ts'
import { flying, left, resumed } from '../rebuild/support.ts'
import { expectEqual, replayAll } from '../replay/support.ts'
import { boot, entriesOf, exitValue, main, tempFolder } from '../support/kernel.ts'

type Llm = NonNullable<KernelOptions['llm']>
const llm = (answer: ModelFunction): Llm => ({
  models: { 'p/m': answer },
  prices: { 'p/m': { input: 1, output: 1 } },
})
const counted: ModelFunction = () => ({ text: 'fine', usage: { inputTokens: 60, outputTokens: 40 } })
const both = `const { text } = await llm.generate({ model: 'p/m', prompt: 'a' })
  const parts = []
  for await (const part of llm.stream({ model: 'p/m', prompt: 'b' })) parts.push(part);`

test('a run is repeated byte for byte, and no model is asked', async () => {
  const dir = tempFolder()
  let asked = 0
  const kernel = boot({
    evidence: { dir },
    llm: llm((...given) => {
      asked += 1
      return counted(...given)
    }),
  })
  exitValue(await kernel.spawn({ source: main(`${both} return [text, parts]`) }).exit)
  await kernel.shutdown()
  const [run] = await replayAll(dir)
  expectEqual(run)
  expect(asked).toBe(2)
})

test('where a killed kernel’s run goes on, what it spent is spent, and a prompt on its way is asked again if asked to', async () => {
  const dir = tempFolder()
  const limits = { tokens: 100_000, cost: 1 }
  let asked = 0
  const hangs: ModelFunction = (...given) => {
    asked += 1
    return asked < 3 ? counted(...given) : new Promise<string>(() => {})
  }
  const first = boot({ evidence: { dir }, limits, llm: llm(hangs) })
  first.spawn(
    {
      source: main(
        `${both} await llm.generate({ model: 'p/m', prompt: 'c' }); return (await proc.self()).budget`,
      ),
    },
    { name: 'worker' },
  )
  await flying(first, 'llm.generate')
  await expect.poll(() => asked).toBe(3)
  const kernel = resumed(left(dir), { limits, llm: llm(counted) }, 'retry')
  const exit = await kernel.restored[0]?.exit
  expect(exit).toMatchObject({ status: 'exited', value: { tokens: 99_700, costUsd: 0.9997 } })
  await first.shutdown()
})

test('a timeline says what each call has cost, and so does what the exit adds up', async () => {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir }, llm: llm(counted) })
  exitValue(await kernel.spawn({ source: main(`${both} return 1`) }).exit)
  const rows = [...rowsOf(kernel.evidence.entries())]
  expect(rows.filter(({ outcome }) => outcome.includes('tokens'))).toMatchObject([
    { what: 'llm.generate', resource: 'p/m', outcome: 'committed, 100 tokens, 0.0001 USD' },
    {
      what: expect.stringMatching(/^end of the stream of \d+$/),
      outcome: 'committed, 100 tokens, 0.0001 USD',
    },
  ])
  expect(entriesOf(kernel, 'exit')).toMatchObject([{ usage: { tokens: 200, costUsd: 0.0002 } }])
})
