/** Two agents over a pipe: each in its own cell, and what goes between them is typed, judged and on record. */
import { fileURLToPath } from 'node:url'
import { KernelSpace } from 'gatehouse'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const [dir = '.gatehouse'] = process.argv.slice(2)

const kernel = new KernelSpace({ policy: here('policy.yaml'), evidence: { dir } })
kernel.on('output', ({ text }) => void process.stdout.write(text))

const analyst = kernel.spawn({ file: here('analyst.ts') }, { name: 'analyst' })
const collector = kernel.spawn({ file: here('collector.ts') }, { name: 'collector' })

const { value: refused } = await collector.exit
const { value: found } = await analyst.exit
console.log('\nRefused:', refused)
console.log('Found:', found)

const written = kernel.evidence.entries().filter(({ syscall }) => syscall === 'stream.write').length
const { ok, entries, problems } = kernel.evidence.verify()
console.log(
  `${written} writes among ${entries} entries, ${ok ? 'verified' : `BROKEN: ${problems[0]?.detail}`}`,
)
await kernel.shutdown()
if (!ok) process.exitCode = 1
