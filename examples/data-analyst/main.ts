/** Runs the analyst under its policy, and shows its report, what the gate decided, and the verified evidence. */
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { type KernelEvents, KernelSpace } from 'gatehouse'
import { z } from 'zod'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const [dir = '.gatehouse'] = process.argv.slice(2)

const kernel = new KernelSpace({
  policy: here('policy.yaml'),
  evidence: { dir },
  mounts: { '/workspace': { host: here('data'), mode: 'ro' } },
})

kernel.tool('announce', {
  description: 'Announces a finished report to the team.',
  parameters: z.strictObject({ title: z.string(), lines: z.int() }),
  execute: ({ title, lines }) => `announced: ${title}, ${lines} lines`,
})

const table = new Table({ head: ['call', 'on', 'verdict', 'by'], style: { head: [], border: [] } })
kernel.on('syscall', ({ syscall, resource, status, decision }: KernelEvents['syscall']) => {
  const rules = decision?.rules.map(({ id }) => id).join(', ') ?? ''
  table.push([
    syscall,
    resource ?? '',
    status === 'refused' ? 'refused' : 'permitted',
    rules || (decision ? 'silence' : 'not judged'),
  ])
})

const analyst = kernel.register({ file: here('agent.ts') }, { name: 'data-analyst' })
const result = (await kernel.execute(analyst, 'seattle-weather.csv')) as {
  receipt: string
  refusals: string[]
}

console.log(await kernel.vfs('data-analyst').read('/mem/working/report.md'))
console.log(result.receipt)
console.log('\nWhat the agent was told when it tried what it must not do:')
for (const refusal of result.refusals) console.log(`- ${refusal}`)
console.log(`\nWhat the gate decided:\n${table.toString()}`)

const { ok, entries, head, problems } = kernel.evidence.verify()
console.log(
  `\nEvidence in ${dir}: ${entries} entries, ${ok ? 'verified' : `BROKEN: ${problems[0]?.detail}`}, head ${head}`,
)
await kernel.shutdown()
if (!ok) process.exitCode = 1
