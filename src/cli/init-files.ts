/** What `gatehouse init` writes: a policy, an agent that runs under it, and types for an editor. */
import { dirname, join, relative } from 'node:path'

/**
 * @param file where the policy will lie; the package is taken to be installed in the working directory
 * @returns the line by which editors complete and check it
 */
export function schemaLine(file: string): string {
  const path = relative(dirname(file), 'node_modules/gatehouse/policies/schema.json')
  return `# yaml-language-server: $schema=${path.startsWith('.') ? path : `./${path}`}\n`
}

/** Without that line. */
export const firstPolicy = `# What the agent in agent.ts may do. Silence forbids, and forbid beats permit; the order never matters.
# Check it:  gatehouse policy check policy.yaml
# Ask it:    gatehouse policy explain --policy policy.yaml --principal agent --action fs.read --resource /workspace/a.csv
version: 1
name: first-agent
for: a first agent that keeps notes and reads what is mounted for it
isolation: cell
budget: { syscalls: 1000, wall: 1m, cpu: 10s, memory: 64MiB }
rules:
  - id: notes
    effect: permit
    action: [fs.read, fs.write, fs.list, fs.stat]
    resource: /mem/working/**
  - id: input
    for: what --mount ./data:/workspace shows
    effect: permit
    action: [fs.read, fs.list, fs.stat]
    resource: /workspace/**
`

const agent = `/** A first agent: it keeps a note, and is refused what its policy does not permit. */
export default async function main(who = 'world') {
  await fs.write('/mem/working/note.txt', \`hello, \${who}\`)
  const note = await fs.read('/mem/working/note.txt')
  console.log('the note says:', note)

  const refused = await refusal(() => fetch('https://example.com/'))
  console.log('the gate says:', refused)

  return { note, refused }
}

/** What the gate answers to an attempt. */
async function refusal(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt()
    return 'it was permitted'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
`

const types = `// The globals of user space, for the editor. The same names can be imported from 'gatehouse/guest'.
import type * as guest from 'gatehouse/guest'

declare global {
  const sys: typeof guest.sys
  const fs: typeof guest.fs
  const ipc: typeof guest.ipc
  const proc: typeof guest.proc
  const tools: typeof guest.tools
  const fetch: typeof guest.fetch

  const console: guest.WebGlobals['console']
  const crypto: guest.WebGlobals['crypto']
  const performance: guest.WebGlobals['performance']
  const setTimeout: guest.WebGlobals['setTimeout']
  const setInterval: guest.WebGlobals['setInterval']
  const clearTimeout: guest.WebGlobals['clearTimeout']
  const clearInterval: guest.WebGlobals['clearInterval']
  const queueMicrotask: guest.WebGlobals['queueMicrotask']
}
`

const compiler = `{
  "compilerOptions": {
    "target": "es2023",
    "lib": ["es2024"],
    "module": "esnext",
    "moduleResolution": "bundler",
    "moduleDetection": "force",
    "types": [],
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true
  },
  "include": ["*.ts"]
}
`

/** @returns file names and their text, for a folder */
export const initFiles = (dir: string): Readonly<Record<string, string>> => ({
  'policy.yaml': schemaLine(join(dir, 'policy.yaml')) + firstPolicy,
  'agent.ts': agent,
  'gatehouse-env.d.ts': types,
  'tsconfig.json': compiler,
})
