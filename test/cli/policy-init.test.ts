/** A policy that `policy init` writes holds at once: it loads under its own name, and its cases are true of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listPresets } from '../../src/config/policy.ts'
import { folderWith, gatehouse } from '../support/cli.ts'

test.each([undefined, ...listPresets()])('from %s', async (preset) => {
  const folder = folderWith()
  const from = preset === undefined ? [] : ['--from', preset]
  const { code, stdout } = await gatehouse(folder, ['policy', 'init', 'mine/desk.yaml', ...from])
  expect({ code, stdout }).toMatchObject({ code: 0 })
  expect(stdout).toContain('wrote mine/desk.yaml\nwrote mine/cases/desk.yaml\n')
  const checked = await gatehouse(folder, ['policy', 'check', 'mine/desk.yaml'])
  expect(checked.stdout).toMatch(/^ok mine\/desk\.yaml: `desk`/)
  const tested = await gatehouse(folder, ['policy', 'test', 'mine/desk.yaml'])
  expect(tested.stdout).toContain('6 of 6 cases hold')
  const text = readFileSync(join(folder, 'mine/desk.yaml'), 'utf8')
  expect(text).toMatch(/^# yaml-language-server: \$schema=\S+schema\.json$/m)
})

test('what is there stays as it is', async () => {
  const folder = folderWith({ 'policy.yaml': 'mine' })
  const { stdout } = await gatehouse(folder, ['policy', 'init'])
  expect(stdout).toContain('kept policy.yaml, which exists already\n')
  expect(readFileSync(join(folder, 'policy.yaml'), 'utf8')).toBe('mine')
})

test.each([
  [['policy.json'], /does not end in \.yaml or \.yml/],
  [['a b.yaml'], /`name` is `a b`; write up to 64 letters/],
  [['a.yaml', '--from', 'strct'], /no preset is called `strct`; did you mean `strict`\?/],
])('%j is refused, and nothing is written', async (args, why) => {
  const folder = folderWith()
  const { code, stderr } = await gatehouse(folder, ['policy', 'init', ...args])
  expect(code).toBe(2)
  expect(stderr).toMatch(why)
  expect((await gatehouse(folder, ['policy', 'init', '--json'])).stdout).toContain('"kept": []')
})
