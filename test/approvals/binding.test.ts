/** What an approval holds for: every part of it changes the digest, and nothing else does. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Bound, bindingOf } from '../../src/approvals/binding.ts'
import { boot, entriesOf, main, policyOf, tempFolder } from '../support/kernel.ts'
import { asked } from './support.ts'

const bound: Bound = {
  ...{ run: 'r', pid: 1, call: 2, syscall: 'fs.write', args: '{"path":"/a"}', policy: 'p' },
  ...{ labels: ['a', 'b'], questions: [{ action: 'fs.write', resource: '/a' }], target: undefined },
  replaces: [{ path: '/a', type: 'file', sha256: 'h' }],
}
const { digest } = bindingOf(bound, 'n')

test.each<[string, Partial<Bound>]>([
  ['the run', { run: 's' }],
  ['the process', { pid: 2 }],
  ['the number of the call', { call: 3 }],
  ['the syscall', { syscall: 'fs.append' }],
  ['the arguments, to a space', { args: '{"path": "/a"}' }],
  ['the policy', { policy: 'q' }],
  ['a label more', { labels: ['a', 'b', 'c'] }],
  ['another resource', { questions: [{ action: 'fs.write', resource: '/b' }] }],
  ['the process that is meant', { target: 7 }],
  ['what is replaced', { replaces: [{ path: '/a', type: 'file', sha256: 'i' }] }],
])('%s makes another digest', (_, change) => {
  expect(bindingOf({ ...bound, ...change }, 'n').digest).not.toBe(digest)
})

test('the order of labels does not; the nonce does', () => {
  expect(bindingOf({ ...bound, labels: ['b', 'a'] }, 'n').digest).toBe(digest)
  expect(bindingOf(bound, 'm').digest).not.toBe(digest)
})

describe('on record', () => {
  test('the digest can be done again from what is kept beside it, and has a nonce of its own each time', async () => {
    const dir = tempFolder()
    const kernel = boot({
      policy: policyOf([{ id: 'files', effect: 'ask', action: 'fs.write' }]),
      evidence: { dir },
      seed: 7,
    })
    await kernel.vfs('program').write('/mem/working/pin', '4711')
    const run = kernel.spawn({
      source: main(`await Promise.all([1, 2].map(() => fs.write('/mem/working/pin', 'x').catch(() => {})))`),
    })
    await asked(kernel, 2)
    for (const { id } of kernel.approvals.list()) kernel.approvals.deny(id)
    await run.exit
    const asks = entriesOf(kernel, 'ask')
    await kernel.shutdown()
    const packs = readdirSync(dir).filter((name) => name.startsWith('pack'))
    const payloads = packs
      .flatMap((name) => readFileSync(join(dir, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as { hash: string; text: string })
    const texts = asks.map(({ binding }) => {
      const { hash } = binding as { hash: string }
      return payloads.find((payload) => payload.hash === hash)?.text ?? ''
    })
    for (const [index, text] of texts.entries())
      expect(createHash('sha256').update(text).digest('hex')).toBe(asks[index]?.digest)
    const nonces = texts.map((text) => String(JSON.parse(text).nonce))
    expect(new Set(nonces).size).toBe(2)
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-f]{32}$/)
  })
})
