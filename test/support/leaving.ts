/**
 * An application with guests of every kind, for tests of how it ends: says `ready` when they live, then does what it is
 * told in a line, and says when it is down.
 *
 * Arguments: folder of the evidence, isolation, guests in all, options of the kernel as JSON.
 */
import { createInterface } from 'node:readline'
import { type Isolation, KernelSpace, type ProcessHandle } from '../../src/index.ts'
import { liveCells } from './children.ts'

const [dir = '', isolation = 'cell', count = '6', more = '{}'] = process.argv.slice(2)
const each = Math.ceil(Number(count) / 6)
const kernel = new KernelSpace({
  policy: 'permissive',
  isolation: isolation as Isolation,
  cells: { processes: 64, max: 24 },
  evidence: { dir },
  tools: {
    never: {
      description: 'never answers',
      parameters: { type: 'object' },
      execute: () => new Promise(() => {}),
    },
  },
  ...JSON.parse(more),
})

const main = (body: string): string => `export default async () => { ${body} }`
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
const begin = (name: string, source: string): readonly ProcessHandle[] =>
  Array.from({ length: each }, () => kernel.spawn({ source }, { name }))
const all = (processes: readonly ProcessHandle[], ...states: readonly string[]): Promise<void> =>
  until(() => processes.every(({ state }) => states.includes(state)))

/** What waits is there before what computes. */
await all(
  [
    ...begin('asleep', main('await new Promise((wake) => setTimeout(wake, 3_600_000))')),
    ...begin('expectant', main('await ipc.receive()')),
    ...begin('in a driver', main('await tools.never({})')),
  ],
  'waiting',
)
let begun = 0
kernel.on('output', () => {
  begun += 1
})
const frozen = begin('frozen', main(`console.log('begun'); for (;;);`))
await until(() => begun === frozen.length)
for (const process of frozen) process.signal('SIGSTOP')
// On V8 14 and later a guest of the application's own process stops at the end of its turn only.
await all(frozen, 'stopped', 'stopping')
await all(
  [...begin('spinning', 'for (;;);'), ...begin('matching', `/^(a+)+$/.test('a'.repeat(50) + 'b')`)],
  'running',
)

const told: Readonly<Record<string, () => void>> = {
  shutdown: () => void kernel.shutdown().then(() => console.log('down')),
  exit: () => process.exit(7),
  listen: () => void process.once('SIGTERM', () => console.log('its own listener')),
}
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  told[line]?.()
  // Nothing else keeps the application alive.
  lines.close()
})
console.log('ready', kernel.ps().length, JSON.stringify(liveCells()))
