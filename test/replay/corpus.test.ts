/** A sample of the corpus, recorded inline and replayed in cells; `npm run bench -- replay` does all of it. */
import { expect, test } from 'vitest'
import { CellPool } from '../../src/isolate/cell-pool.ts'
import { families as escapes } from '../escape/families.ts'
import { families as hostile } from '../hostile/families.ts'
import { boot, tempFolder } from '../support/kernel.ts'
import { replayAll } from './support.ts'

const sampled = 60
const atOnce = 6

/** Those that end by themselves: how far one that is ended comes depends on how fast it is. */
const ending = [...escapes, ...hostile]
  .flatMap(({ attacks }) => attacks)
  .filter(({ notInline, ends }) => notInline === undefined && ends.every((end) => 'value' in end))
  // These wait for others of the arena.
  .filter(({ source }) => !/bystander|receive/.test(source))

test(`${sampled} attacks, evenly taken from all that end by themselves, replay byte for byte`, async () => {
  const step = ending.length / sampled
  const attacks = Array.from({ length: sampled }, (_, index) => ending[Math.floor(index * step)])
  const dir = tempFolder()
  const kernel = boot({
    evidence: { dir },
    tools: {
      echo: { description: 'e', parameters: { type: 'object' }, execute: (args: unknown) => args },
    } as never,
  })
  const world = { port: 9, bystander: 1, api: 9, thief: 9 }
  const options = { args: [world], budget: { cpu: '2s', wall: '3s' }, name: 'attacker' } as const
  for (let from = 0; from < sampled; from += atOnce)
    await Promise.all(
      attacks
        .slice(from, from + atOnce)
        .map((attack) => kernel.spawn({ source: attack?.source ?? '' }, options).exit),
    )
  await kernel.shutdown()
  const runs = await replayAll(dir, new CellPool({ spare: 0 }))
  const wrong = runs.flatMap(({ processes }, index) =>
    processes
      .filter(({ verdict }) => verdict !== 'equal')
      .map((process) => ({ attack: attacks[index]?.name, ...process })),
  )
  expect(wrong).toEqual([])
  expect(runs.length).toBe(sampled)
  expect(
    runs.reduce((sum, { processes }) => sum + processes.reduce((all, { calls }) => all + calls, 0), 0),
  ).toBeGreaterThan(100)
}, 60_000)
