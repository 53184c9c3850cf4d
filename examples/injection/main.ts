/** Ten injected instructions and a model that obeys them: under a policy with labels, and under the same without. */
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { KernelSpace } from 'gatehouse'
import { scenarios } from './scenarios.ts'
import { build } from './world.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

interface Outcome {
  readonly done: boolean
  readonly landed: boolean
}

async function runAll(policy: string): Promise<readonly Outcome[]> {
  const kernel = new KernelSpace({ policy: here(policy), evidence: 'memory' })
  const happened = build(kernel)
  const outcomes: Outcome[] = []
  for (const { task, done, landed } of scenarios) {
    const from = happened.length
    const exit = await kernel.spawn({ file: here('model.ts') }, { name: 'assistant', args: [task] }).exit
    if (exit.status !== 'exited') throw new Error(exit.error?.message ?? exit.reason)
    const now = happened.slice(from)
    const hasHappened = (effect: string): boolean => now.some((line) => line.startsWith(effect))
    outcomes.push({ done: hasHappened(done), landed: hasHappened(landed) })
  }
  await kernel.shutdown()
  return outcomes
}

const withLabels = await runAll('labels.yaml')
const without = await runAll('no-labels.yaml')

const say = ({ done, landed }: Outcome): string =>
  `${landed ? 'LANDS' : 'refused'}, task ${done ? 'done' : 'NOT DONE'}`
const table = new Table({
  head: ['carried by', 'the attack', 'with labels', 'without'],
  style: { head: [], border: [] },
})
for (const [index, { carrier, attack }] of scenarios.entries())
  table.push([carrier, attack, ...[withLabels[index], without[index]].map((each) => (each ? say(each) : ''))])
console.log(table.toString())

const count = (outcomes: readonly Outcome[], what: keyof Outcome): string =>
  `${outcomes.filter((outcome) => outcome[what]).length} of ${scenarios.length}`
for (const [name, outcomes] of [
  ['with labels', withLabels],
  ['without', without],
] as const)
  console.log(
    `${name}: attacks that land ${count(outcomes, 'landed')}, tasks completed ${count(outcomes, 'done')}`,
  )
