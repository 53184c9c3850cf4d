/** Releasing and reloading in a running kernel, from another terminal. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { KernelSpace } from '../../src/index.ts'
import { folderWith, gatehouse } from '../support/cli.ts'
import { entriesOf, exitValue, main, policyOf, until } from '../support/kernel.ts'

const who = `${userInfo().username}, from a terminal (uid ${process.geteuid?.()})`

function kernelIn(folder: string, more: object = {}): KernelSpace {
  const kernel = new KernelSpace({
    policy: policyOf([
      { id: 'all', effect: 'permit', action: '*' },
      { id: 'web', effect: 'permit', action: 'tool.call', label: ['untrusted'] },
    ]),
    isolation: 'inline',
    evidence: { dir: join(folder, '.gatehouse') },
    tools: {
      page: { description: 'a page', parameters: { type: 'object' }, execute: () => 'text' },
    } as never,
    ...more,
  })
  onTestFinished(() => kernel.shutdown())
  return kernel
}

const reads = main(`await tools.page({}); await fs.write('/mem/a', 'text')
  const { promise, resolve } = Promise.withResolvers()
  await proc.on('SIGUSR1', resolve); console.log('ready'); await promise
  await fs.write('/mem/b', 'the date'); return (await proc.self()).labels`)

test('a file and a value are released, on record with who did it', async () => {
  const folder = folderWith()
  const kernel = kernelIn(folder)
  const child = kernel.spawn({ source: reads }, { name: 'reader' })
  await new Promise<void>((ready) => kernel.on('output', () => ready()))
  const how = ['--label', 'untrusted', '--reason', 'looked at it']
  expect(await gatehouse(folder, ['declassify', 'reader', '/mem/a', ...how])).toEqual({
    code: 0,
    stdout: 'reader: /mem/a is released from untrusted\n',
    stderr: '',
  })
  const value = await gatehouse(folder, ['declassify', '1', '--value', '"the date"', ...how, '--by', 'mia'])
  expect(value.stdout).toBe('reader: one value of process 1 is released from untrusted\n')
  child.signal('SIGUSR1')
  expect(exitValue(await child.exit)).toEqual(['untrusted'])
  const files = kernel.vfs('reader')
  expect([files.labels('/mem/a'), files.labels('/mem/b')]).toEqual([[], []])
  expect(entriesOf(kernel, 'declassify')).toMatchObject([
    { agent: 'reader', path: '/mem/a', by: who, reason: 'looked at it', labels: ['untrusted'] },
    { pid: 1, by: who.replace(/^[^,]+/, 'mia'), reason: 'looked at it', labels: ['untrusted'] },
  ])
})

test.each<readonly [what: string, args: readonly string[], code: number, why: RegExp]>([
  [
    'a label that is not there',
    ['1', '--value', '1', '--label', 'secret', '--reason', 'x'],
    1,
    /`secret` cannot be released: process 1 carries only `untrusted`/,
  ],
  ['no process', ['99', '--value', '1', '--label', 'untrusted', '--reason', 'x'], 1, /no process 99/],
  ['no file', ['reader', '/mem/none', '--label', 'untrusted', '--reason', 'x'], 1, /ENOENT/],
  ['what is no path', ['reader', 'mem/a', '--label', 'untrusted', '--reason', 'x'], 1, /mem\/a/],
  ['no reason', ['reader', '/mem/a', '--label', 'untrusted'], 2, /it needs --reason/],
  ['no label', ['reader', '/mem/a', '--reason', 'x'], 2, /it needs --label/],
  ['what is no label', ['reader', '/mem/a', '--label', 'A', '--reason', 'x'], 2, /`A` is no label/],
  ['neither', ['reader', '--label', 'untrusted', '--reason', 'x'], 2, /either the path of a file or a value/],
  [
    'both',
    ['reader', '/mem/a', '--value', '1', '--label', 'untrusted', '--reason', 'x'],
    2,
    /either the path/,
  ],
  [
    'a value that is no JSON',
    ['1', '--value', 'text', '--label', 'untrusted', '--reason', 'x'],
    2,
    /it is not JSON/,
  ],
])('nothing is released for %s', async (_what, args, code, why) => {
  const folder = folderWith()
  const kernel = kernelIn(folder)
  kernel.spawn({ source: reads }, { name: 'reader' })
  await new Promise<void>((ready) => kernel.on('output', () => ready()))
  const ran = await gatehouse(folder, ['declassify', ...args])
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(why)])
  expect(entriesOf(kernel, 'declassify')).toEqual([])
})

const policy = (name: string, effect: string): string =>
  `version: 1\nname: ${name}\nrules:\n  - { id: all, effect: permit, action: '*' }\n  - { id: own, effect: ${effect}, action: fs.write }\n`

test('another policy comes into force, on record with who did it; a bad one does not, and says why', async () => {
  const folder = folderWith({
    'house/next.yaml': policy('next', 'forbid'),
    'bad.yaml': policy('bad', 'allow'),
  })
  const kernel = kernelIn(folder)
  const { hash } = kernel.policy
  const bad = await gatehouse(folder, ['reload', 'bad.yaml'])
  expect([bad.code, bad.stdout]).toEqual([1, ''])
  expect(bad.stderr).toMatch(/bad\.yaml:5:\d+: [^\n]*allow[^\n]*; the policy in force stays\n$/)
  const none = await gatehouse(folder, ['reload', 'permisive'])
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('did you mean `permissive`') })
  expect([kernel.policy.hash, entriesOf(kernel, 'reload')]).toEqual([hash, []])
  const inside = join(folder, 'house')
  const done = await gatehouse(inside, ['reload', 'next.yaml', 'no-pii', '--dir', '../.gatehouse'])
  expect(done.stdout).toMatch(
    /^`next \+ no-pii` \([\da-f]{16}\) is in force, mode enforce, in place of `test` \(/,
  )
  expect(kernel.policy.name).toBe('next + no-pii')
  expect(entriesOf(kernel, 'reload')).toMatchObject([{ before: hash, policies: 'next + no-pii', by: who }])
  await kernel.reload('permissive')
  await kernel.reload('strict', { by: 'mia' })
  expect(entriesOf(kernel, 'reload').slice(1)).toMatchObject([{ by: 'the application' }, { by: 'mia' }])
  expect(kernel.evidence.verify().ok).toBe(true)
})

test('a policy that came by reload is shown in no mount, so that nobody writes what judges it', async () => {
  const folder = folderWith()
  mkdirSync(join(folder, 'work'))
  const file = join(folder, 'work', 'next.yaml')
  writeFileSync(file, policy('next', 'permit'))
  const kernel = kernelIn(folder, { mounts: { '/desk': { host: join(folder, 'work'), mode: 'rw' } } })
  expect(await gatehouse(folder, ['reload', file])).toMatchObject({ code: 0 })
  const program = main(`return [await fs.list('/desk'),
    await fs.write('/desk/next.yaml', 'x').then(() => 'written', ({ code }) => code)]`)
  const exit = await kernel.spawn({ source: program }).exit
  expect(exitValue(exit)).toEqual([[], expect.not.stringMatching(/^written$/)])
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(policy('next', 'permit'))
  await until(() => kernel.policy.name === 'next', 'it is in force')
})
