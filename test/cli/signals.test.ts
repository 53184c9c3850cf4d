/** Signals to the command reach the process; the exit code says which one ended it. */
import { expect, test } from 'vitest'
import { folderWith, gatehouse, start } from '../support/cli.ts'

const waits =
  "export default async () => { console.log('up'); await new Promise((resolve) => setTimeout(resolve, 60_000)) }"
const handles = (then: string) => `export default async () => {
  const { promise, resolve } = Promise.withResolvers()
  await proc.on('SIGINT', async (signal) => { console.log('caught', signal); ${then} })
  console.log('up')
  setInterval(() => {}, 1000)
  return await promise
}`

/** As a terminal sends it: to the whole group, cells and compilers included. */
const sendToGroup = (pid: number | undefined, signal: NodeJS.Signals) => process.kill(-Number(pid), signal)

test.each([
  ['SIGINT', 'SIGINT', 130],
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGHUP', 'SIGTERM', 143],
] as const)('%s ends the process by %s, and the record is whole', async (sent, taken, exitCode) => {
  const folder = folderWith({ 'agent.ts': waits })
  const { child, ended, until } = start(folder, ['run', 'agent.ts'])
  await until('up\n')
  sendToGroup(child.pid, sent)
  const { code, stdout, stderr } = await ended
  expect(code).toBe(exitCode)
  expect(stdout).toBe('up\n')
  expect(stderr).toMatch(new RegExp(`^gatehouse: \`agent\` was ended by ${taken}: `))
  expect((await gatehouse(folder, ['evidence', 'verify'])).code).toBe(0)
})

test('a process that handles SIGINT ends in its own way', async () => {
  const folder = folderWith({ 'agent.ts': handles("resolve('tidied up')") })
  const { child, ended, until } = start(folder, ['run', 'agent.ts'])
  await until('up\n')
  sendToGroup(child.pid, 'SIGINT')
  const { code, stdout, stderr } = await ended
  expect(stdout).toMatch(/^up\ncaught SIGINT\n/)
  expect(stderr).toMatch(/SIGINT: handler called; .*\(once more for SIGKILL\)/)
  // With its value, or by the signal once the handler has returned: which comes first is the agent's.
  expect([0, 130]).toContain(code)
})

test('a second signal kills what does not end', async () => {
  const folder = folderWith({ 'agent.ts': handles('await new Promise(() => setInterval(() => {}, 1000))') })
  const { child, ended, until } = start(folder, ['run', 'agent.ts'])
  await until('up\n')
  sendToGroup(child.pid, 'SIGINT')
  await until('caught SIGINT')
  sendToGroup(child.pid, 'SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(137)
  expect(stderr).toContain('`agent` was ended by SIGKILL')
})
