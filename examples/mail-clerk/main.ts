/** Runs the clerk, and answers for the person at the desk: one mail is let out, one is not, one nobody looks at. */
import { fileURLToPath } from 'node:url'
import { type ApprovalRequest, KernelSpace } from 'gatehouse'
import { z } from 'zod'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const [dir = '.gatehouse'] = process.argv.slice(2)

const kernel = new KernelSpace({
  policy: here('policy.yaml'),
  evidence: { dir },
  // A person has ten minutes where nobody says otherwise.
  approvals: { timeout: '2s' },
})

kernel.tool('send_email', {
  description: 'Sends a mail to a customer.',
  parameters: z.strictObject({ to: z.string(), text: z.string() }),
  execute: ({ to }) => `sent to ${to}`,
})

/** What a desk with buttons would do: show the request, and hand back what was pressed. */
function answer({ id, args, reason }: ApprovalRequest): void {
  console.log(`\n${reason}\n  ${args.text}`)
  if (args.text.includes('parcel left'))
    kernel.approvals.approve(id, { by: 'Mia, at the desk', reason: 'as agreed' })
  else if (args.text.includes('500'))
    kernel.approvals.deny(id, { by: 'Mia, at the desk', reason: 'we return the sum and no more' })
}

kernel.on('approval', ({ status, request, by }) => {
  if (status === 'asked') answer(request)
  else console.log(`  → ${status} by ${by}`)
})

const clerk = kernel.register({ file: here('agent.ts') }, { name: 'mail-clerk' })
const told = (await kernel.execute(clerk)) as readonly string[]

console.log('\nWhat the agent was told:')
for (const line of told) console.log(`- ${line}`)

console.log('\nOn record:')
for (const entry of kernel.evidence.entries())
  if (entry.kind === 'answer') console.log(`- ${entry.answer} by ${entry.by}: ${entry.reason}`)
const { ok, entries, problems } = kernel.evidence.verify()
console.log(`${entries} entries, ${ok ? 'verified' : `BROKEN: ${problems[0]?.detail}`}`)
await kernel.shutdown()
if (!ok) process.exitCode = 1
