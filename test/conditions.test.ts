/** Conditions on real calls: what each syscall tells them, and what a tool has to fit. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { KernelOptions, PolicyDocument } from '../src/index.ts'
import { actions } from '../src/policy/actions.ts'
import { ask, boot, policyOf, refusalOf } from './support/kernel.ts'

type Tools = NonNullable<KernelOptions['tools']>

const mail = {
  send_email: {
    description: 'sends',
    parameters: z.object({
      to: z.array(z.string()),
      copies: z.int().optional(),
      price: z.number().optional(),
    }),
    execute: () => 'sent',
  },
} as unknown as Tools

const forbidding = (action: string, when: string, resource?: string): PolicyDocument =>
  policyOf([
    { id: 'all', effect: 'permit', action: '*' },
    { id: 'no', effect: 'forbid', action, when, ...(resource !== undefined && { resource }) },
  ])

const source = 'export default () => 1'
const sha256 = createHash('sha256').update(source).digest('hex')

/** What is called, and a condition that has to be true of it and nothing but true. */
const told: readonly (readonly [action: string, call: string, condition: string])[] = [
  [
    'fs.read',
    'fs.read("/tmp/../tmp/a", { offset: 2, length: 7 })',
    'args.path == "/tmp/a" && args.offset == 2 && args.length == 7',
  ],
  ['fs.read', 'fs.read("/tmp/a")', '!has(args.offset) && !has(args.length)'],
  ['fs.write', 'fs.write("/tmp/a", "añ")', 'args.path == "/tmp/a" && args.bytes == 3'],
  ['fs.write', 'fs.write("/tmp/a", new Uint8Array(6))', 'args.bytes == 6'],
  ['fs.append', 'fs.append("/tmp/a", "xyz")', 'args.bytes == 3'],
  ['fs.list', 'fs.list("/tmp")', 'args.path == "/tmp"'],
  ['fs.stat', 'fs.stat("/tmp")', 'args.path == "/tmp"'],
  ['fs.mkdir', 'fs.mkdir("/tmp/d")', 'args.path == "/tmp/d"'],
  ['fs.remove', 'fs.remove("/tmp/a")', 'args.path == "/tmp/a"'],
  ['fs.remove', 'fs.move("/tmp/a", "/tmp/b")', 'args.path == "/tmp/a"'],
  ['fs.write', 'fs.move("/tmp/a", "/tmp/b")', 'args.path == "/tmp/b" && !has(args.bytes)'],
  [
    'net.fetch',
    'fetch("http://LOCALHOST:1/a/b?c=d#e", { method: "POST", body: "xyz", headers: { Authorization: "t" } })',
    'args.method == "POST" && args.scheme == "http" && args.host == "localhost" && args.port == 1 && args.path == "/a/b" && args.bodyBytes == 3 && "authorization" in args.headers',
  ],
  [
    'net.fetch',
    'fetch("https://example.org/")',
    'args.method == "GET" && args.port == 443 && args.bodyBytes == 0',
  ],
  [
    'tool.call',
    'tools.send_email({ to: ["a", "b"], copies: 2, price: 1.5 })',
    'resource == "send_email" && args.to.size() == 2 && args.copies == 2 && args.price < 2',
  ],
  ['tool.call', 'tools.send_email({ to: [] })', '!has(args.copies)'],
  ['ipc.send', 'ipc.send("desk", { a: 1 })', 'args.bytes == 7 && resource == "desk"'],
  ['ipc.receive', 'ipc.receive({ from: "desk" })', 'resource == "desk"'],
  ['ipc.pipe', 'ipc.pipe({ to: "desk" })', 'resource == "desk" && args.mode == "write" && args.bytes == 0'],
  ['ipc.pipe', 'ipc.pipe({ from: "desk" })', 'resource == "desk" && args.mode == "read"'],
  [
    'proc.spawn',
    `proc.spawn(${JSON.stringify(source)})`,
    `args.isolation == "inline" && args.sha256 == "${sha256}"`,
  ],
  [
    'proc.extract',
    `proc.extract(${JSON.stringify(source)}, { schema: { type: "boolean" } })`,
    `args.isolation == "inline" && args.sha256 == "${sha256}" && args.bits == 2`,
  ],
  ['proc.signal', 'proc.signal("desk", "SIGCONT")', 'args.signal == "SIGCONT" && resource == "desk"'],
  ['fs.read', 'fs.read("/tmp/a")', 'principal == "desk" && action == "fs.read" && isolation == "inline"'],
  ['fs.read', 'fs.read("/tmp/a")', 'labels == ["web"] && budget.syscalls <= 100 && !has(budget.tokens)'],
]

describe('a condition is told what the call is', () => {
  test.each(told)('%s: %s', async (action, call, condition) => {
    const options = { name: 'desk', labels: ['web'], budget: { syscalls: 100 } }
    const kernel = boot({ policy: forbidding(action, condition), tools: mail })
    expect(await ask(kernel, `return ${refusalOf(call)}`, options)).toContain('forbidden by rule `no`')
    const other = boot({ policy: forbidding(action, `!(${condition})`), tools: mail })
    // Waiting for a message that nobody sends would not end.
    const then = call.replace('from: "desk"', 'from: "desk", timeoutMs: 1')
    const reply = await ask(other, `return ${refusalOf(then)}`, options)
    expect(reply).not.toContain('rule `no`')
  })

  test('of every action that there is a syscall for', () => {
    const without = ['llm.generate', 'llm.stream', 'llm.embed']
    const tried = new Set(told.map(([action]) => action))
    expect(Object.keys(actions).filter((action) => !tried.has(action))).toEqual(
      without.toSorted((a, b) => Object.keys(actions).indexOf(a) - Object.keys(actions).indexOf(b)),
    )
  })
})

describe('a tool has to fit the conditions on it', () => {
  const misspelt = forbidding('tool.call', 'has(args.recipiant)', 'send_*')
  const why = /tool `send_email` does not fit rule `no` \(test:\d+\): unknown key `recipiant`/

  test('or the kernel does not boot', () => {
    expect(() => boot({ policy: misspelt, tools: mail })).toThrow(why)
  })

  test('or it is not registered', async () => {
    const kernel = boot({ policy: misspelt })
    const [definition] = Object.values(mail)
    if (definition === undefined) throw new Error('there is a tool')
    expect(() => kernel.tool('send_email', definition)).toThrow(why)
    kernel.tool('look_up', definition)
    expect(await ask(kernel, 'return (await fs.list("/tools")).map(({ name }) => name)')).toEqual([
      'look_up.json',
    ])
  })

  test('or the policy is not put in force, and the old one stays', async () => {
    const kernel = boot({ tools: mail })
    await expect(kernel.reload(misspelt)).rejects.toThrow(why)
    expect(await ask(kernel, 'return tools.send_email({ to: [] })')).toBe('sent')
  })

  test('or, where a process brought the policy, its calls are refused', async () => {
    const kernel = boot({ tools: mail })
    const message = await ask(kernel, `return ${refusalOf('tools.send_email({ to: [] })')}`, {
      policy: misspelt,
    })
    expect(message).toContain('cannot be judged: unknown key `recipiant`')
  })
})

test('what a condition cannot judge is EPERM, with its reason and nothing of the host', async () => {
  const kernel = boot({ policy: forbidding('fs.read', 'args.offset > 5') })
  const message = await ask(kernel, `return ${refusalOf('fs.read("/tmp/a")')}`)
  expect(message).toMatch(
    /^EPERM: fs\.read `\/tmp\/a`: the condition of rule `no` \(test:\d+\) cannot be judged: no such key: offset$/,
  )
})

test('a condition on every call costs a guest no more than its own calls', async () => {
  const kernel = boot({
    policy: forbidding('tool.call', 'args.to.exists(a, args.to.exists(b, a == b + "x"))'),
    tools: mail,
  })
  const to = 'Array.from({ length: 900 }, (_, i) => "n" + i)'
  const message = await ask(kernel, `return ${refusalOf(`tools.send_email({ to: ${to} })`)}`)
  expect(message).toContain('cannot be judged: it takes more than')
})
