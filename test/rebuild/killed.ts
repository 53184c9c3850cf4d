/** A kernel of its own process, to be killed: it goes on where the one before was. Arguments: folder, file of effects, choice. */
import { appendFileSync, writeFileSync, writeSync } from 'node:fs'
import { KernelSpace } from '../../src/index.ts'

const [dir = '', effects = '', unsettled = 'fail'] = process.argv.slice(2)

/** It tells what each call of the tool gave, and what lies in its files in the end. */
const source = `export default async () => {
  const child = await proc.spawn(\`export default async () => {
    for (;;) {
      const { message } = await ipc.receive()
      if (message === 'end') return (await fs.read('/mem/child')).length
      await fs.append('/mem/child', 'x')
    }
  }\`, { name: 'child' })
  const told = []
  for (let n = 1; n <= 20; n += 1) {
    told.push(await tools.effect({ n }).catch((error) => error.code))
    await fs.append('/mem/log', n + ';')
    await ipc.send('child', n)
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
  await ipc.send('child', 'end')
  return { told, log: await fs.read('/mem/log'), child: (await proc.wait(child.pid)).value }
}`

const kernel = new KernelSpace({
  ...{ policy: 'permissive', isolation: 'inline', control: false },
  evidence: { dir, snapshotEvery: 20, resume: { unsettled: unsettled as 'fail' | 'retry' } },
  tools: {
    effect: {
      description: 'leaves a line outside',
      parameters: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
      idempotent: true,
      execute: async ({ n }: { readonly n: number }) => {
        appendFileSync(effects, `${n}\n`)
        await new Promise((resolve) => setTimeout(resolve, 4))
        return n
      },
    } as never,
  },
})
const [known] = kernel.restored
const isFirst = kernel.evidence.entries({ kind: 'spawn' }).length === 0
const proc = isFirst ? kernel.spawn({ source }, { name: 'parent' }) : known
writeSync(1, 'ready\n')
if (proc !== undefined) writeFileSync(`${effects}.end`, JSON.stringify(await proc.exit))
await kernel.shutdown()
