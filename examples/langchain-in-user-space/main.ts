/** Runs a LangChain agent as it is, packages and all, in user space: what it does on the network and to files are syscalls. */
import { fileURLToPath } from 'node:url'
import { KernelSpace } from 'gatehouse'
import { key, startModel } from './model.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const [dir = '.gatehouse'] = process.argv.slice(2)

const model = await startModel()
const kernel = new KernelSpace({
  policy: here('policy.yaml'),
  evidence: { dir },
  mounts: { '/workspace': { host: here('data'), mode: 'ro' } },
  // The agent never sees it: the kernel puts it in on the way out.
  secrets: { MODEL_KEY: { value: key, origins: [model.url] } },
})

const decided: string[] = []
kernel.on('syscall', ({ syscall, resource, status, decision }) => {
  if (decision === undefined) return
  decided.push(`${status === 'refused' ? 'refused  ' : 'permitted'} ${syscall} ${resource}`)
})

const agent = kernel.register({ file: here('agent.ts') }, { name: 'notes' })
const openai = { baseURL: `${model.url}/v1`, apiKey: '$' + '{secret:MODEL_KEY}' }
const answer = await kernel.execute(agent, 'What do I have to book?', openai)

// The model's port is another one in each run.
const show = (text: string): void => console.log(text.replaceAll(new URL(model.url).port, 'PORT'))
show(`The agent: ${answer}`)
show(`\nWhat the gate decided:\n${decided.join('\n')}\n`)
const { ok, entries, problems } = kernel.evidence.verify()
console.log(`${entries} entries, ${ok ? 'verified' : `BROKEN: ${problems[0]?.detail}`}`)
await kernel.shutdown()
model.close()
if (!ok) process.exitCode = 1
