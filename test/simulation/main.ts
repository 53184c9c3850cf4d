/**
 * Simulates kernels: `npm run simulate -- --seeds 1000 [--from N] [--steps N] [--for SECONDS]` for many seeds,
 * `--seed N` for one again, with its last steps; `--print` prints them all. Exits with 1 where a promise was broken.
 */
import { parseArgs } from 'node:util'
import { processesHeld } from './leaks.ts'
import { type Outcome, World } from './world.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '0' },
    steps: { type: 'string', default: '1500' },
    for: { type: 'string', default: 'Infinity' },
    print: { type: 'boolean', default: false },
  },
})
const one = values.seed !== undefined
const first = Number(values.seed ?? values.from)
const count = one ? 1 : Number(values.seeds)
const stepsMax = Number(values.steps)
/** Collecting garbage costs as much as a short life. */
const leakEvery = one ? 1 : 10
const failuresMax = 10

const totals = { seeds: 0, steps: 0, processes: 0, entries: 0, effects: 0, approvals: 0, failures: 0 }
const faults = new Map<string, number>()

async function live(seed: number): Promise<Outcome> {
  const world = new World(seed, values.print)
  const outcome = await world.run(stepsMax)
  // The error that ended a record holds what was on the stack at that moment; that is V8's, and no leak.
  const failed = outcome.violations.length > 0 || outcome.faults.has('the store failed')
  if (failed || seed % leakEvery !== 0) return outcome
  const held = await processesHeld(world)
  return held === 0 ? outcome : { ...outcome, violations: [`${held} processes are held after the shutdown`] }
}

function tally(outcome: Outcome): void {
  totals.seeds += 1
  totals.steps += outcome.steps
  totals.processes += outcome.processes
  totals.entries += outcome.entries
  totals.effects += outcome.effects
  totals.approvals += outcome.approvals
  for (const [name, times] of outcome.faults) faults.set(name, (faults.get(name) ?? 0) + times)
}

function report({ seed, steps, violations, lately }: Outcome): void {
  totals.failures += 1
  console.log(`\nseed ${seed}, step ${steps}:`)
  for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`)
  if (one && !values.print) console.log(lately.join('\n'))
  console.log(`again: node test/simulation/main.ts --seed ${seed} --steps ${stepsMax}`)
}

const began = performance.now()
for (let seed = first; seed < first + count && totals.failures < failuresMax; seed += 1) {
  if (performance.now() - began > 1_000 * Number(values.for)) break
  const outcome = await live(seed)
  tally(outcome)
  if (outcome.violations.length > 0) report(outcome)
  else if (one) console.log(`seed ${seed}: no promise broken; fingerprint ${outcome.fingerprint}`)
}
const seconds = Math.round((performance.now() - began) / 100) / 10
const { seeds, steps, processes, entries, effects, approvals, failures } = totals
console.log(
  `\n${seeds} seeds, ${steps} steps, ${processes} processes, ${entries} entries, ${effects} effects outside, ${approvals} approved, ${seconds} s`,
)
console.log(`faults injected: ${[...faults].map(([name, times]) => `${name} ${times}`).join(', ') || 'none'}`)
console.log(`violations: ${failures}`)
if (failures > 0) process.exitCode = 1
