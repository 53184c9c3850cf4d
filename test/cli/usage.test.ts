/** A command line that is not understood is refused before anything runs, with what was meant. */
import { expect, test } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { folderWith, gatehouse } from '../support/cli.ts'

const commands = [
  ['init'],
  ['run'],
  ['ps'],
  ['top'],
  ['kill'],
  ['logs'],
  ['inspect'],
  ['policy', 'check'],
  ['policy', 'explain'],
  ['policy', 'list'],
  ['evidence', 'verify'],
  ['evidence', 'timeline'],
  ['evidence', 'show'],
  ['evidence', 'prove'],
  ['evidence', 'prune'],
  ['replay'],
  ['doctor'],
  ['version'],
] as const

async function say(...argv: readonly string[]) {
  const text = { stdout: '', stderr: '' }
  const stream = (to: 'stdout' | 'stderr') => ({
    write: (part: string) => {
      text[to] += part
      return true
    },
  })
  const code = await main(argv, { stdout: stream('stdout'), stderr: stream('stderr'), env: {} })
  return { code, ...text }
}

test.each([
  [['rnu'], "unknown command 'rnu' (Did you mean run?); see `gatehouse --help`"],
  [['policy', 'chekc'], "unknown command 'chekc' (Did you mean check?); see `gatehouse policy --help`"],
  [
    ['run', 'a.ts', '--polciy', 'x'],
    "unknown option '--polciy' (Did you mean --policy?); see `gatehouse run --help`",
  ],
  [
    ['policy', 'list', 'extra'],
    "too many arguments for 'list'. Expected 0 arguments but got 1: extra; see `gatehouse policy list --help`",
  ],
  [['run'], "missing required argument 'file', or --resume; see `gatehouse run --help`"],
  [
    ['run', 'a.ts', '--timeout'],
    "option '--timeout <duration>' argument missing; see `gatehouse run --help`",
  ],
  [
    ['policy', 'explain'],
    'it needs --principal, --action, --resource; see `gatehouse policy explain --help`',
  ],
  [
    [],
    '`gatehouse` needs to know what to do: init, run, ps, top, kill, logs, inspect, approvals, approve, deny, declassify, reload, replay, fork, policy, evidence, doctor, version; see `gatehouse --help`',
  ],
  [
    ['evidence'],
    '`gatehouse evidence` needs to know what to do: verify, timeline, show, stats, key, manifest, verify-manifest, export, prove, verify-proof, redact, prune; see `gatehouse evidence --help`',
  ],
])('%j is wrong usage', async (argv, sentence) => {
  expect(await say(...argv)).toEqual({ code: 2, stdout: '', stderr: `gatehouse: ${sentence}\n` })
})

test.each(commands.map((words) => [words]))('%j refuses an unknown option', async (words) => {
  const { code, stdout, stderr } = await say(...words, '--jsno')
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/unknown option '--jsno' \(Did you mean --json\?\)/)
})

test.each(commands.map((words) => [words]))(
  '%j has help with examples, --json and --stack',
  async (words) => {
    const { code, stdout, stderr } = await say(...words, '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: gatehouse ${words.join(' ')}`)
    expect(stdout).toContain(`\nExamples:\n  $ gatehouse ${words.join(' ')}`)
    expect(stdout).toMatch(/--json .*\n.*--stack /)
  },
)

test('in JSON mode a wrong command line is one document too', async () => {
  const { code, stdout, stderr } = await say('run', 'a.ts', '--json', '--policcy', 'x')
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toEqual({
    error: { code: 'EINVAL', message: expect.stringContaining('--policcy') },
  })
  expect(stderr).toMatch(/^gatehouse: unknown option/)
})

test('a stack is shown when it is asked for, and only then', async () => {
  const folder = folderWith()
  const plain = await gatehouse(folder, ['run', 'none.ts'])
  const byFlag = await gatehouse(folder, ['run', 'none.ts', '--stack'])
  const byVariable = await gatehouse(folder, ['run', 'none.ts'], { GATEHOUSE_STACK: '1' })
  expect(plain.stderr).not.toMatch(/^ +at /m)
  expect(byFlag.stderr).toMatch(/^ +at /m)
  expect(byVariable.stderr).toMatch(/^ +at /m)
  expect([plain.code, byFlag.code, byVariable.code]).toEqual([2, 2, 2])
})

test('the version is that of the package, with what it runs on', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } })
  expect(await say('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
  const { code, stdout } = await say('version', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    gatehouse: manifest.version,
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
  })
  expect((await say('version')).stdout).toBe(
    `gatehouse ${manifest.version} (Node.js ${process.versions.node}, ${process.platform} ${process.arch})\n`,
  )
})

test('what a person typed cannot steer the terminal either', async () => {
  const { stderr } = await say('run', 'a.ts', '--mount', '\u001b[2J')
  expect(stderr).toContain('\\x1b[2J')
  expect(stderr).not.toContain('\u001b')
})
