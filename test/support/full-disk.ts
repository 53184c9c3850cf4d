/** Runs agents against an evidence folder until it is full, and says on stdout what was done and acknowledged. */
import { KernelSpace } from '../../src/index.ts'

const [dir = '', isolation, durability] = process.argv.slice(2)
let effects = 0
const acknowledged: number[] = []
const kernel = new KernelSpace({
  policy: 'permissive',
  isolation: isolation === 'cell' ? 'cell' : 'inline',
  evidence: { dir, durability: durability === 'disk' ? 'disk' : 'process' },
  tools: {
    count: { description: 'counts', parameters: { type: 'object' }, execute: () => (effects += 1) },
  },
})
kernel.on('output', ({ text }) => acknowledged.push(Number(text)))

const agent = `export default async () => {
  for (;;) {
    console.log(await tools.count({ pad: 'x'.repeat(200) }))
    await fs.write('/tmp/a', 'x')
  }
}`
const procs = ['a', 'b', 'c'].map((name) => kernel.spawn({ source: agent }, { name }))
const exits = await Promise.all(procs.map(({ exit }) => exit))
const after = await kernel.spawn({ source: 'export default () => 1' }).exit
await kernel.shutdown()
process.stdout.write(JSON.stringify({ effects, acknowledged, exits, after }))
