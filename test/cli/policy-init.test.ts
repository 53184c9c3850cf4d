/** A policy that `policy init` writes holds at once: it loads under its own name, and its cases are true of it. */
import { existsSync, readFileSync } from 'node:fs'
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
  expect(text).toMatch(
    /^# yaml-language-server: \$schema=\.\.\/node_modules\/gatehouse\/policies\/schema\.json$/m,
  )
})

test('what is there stays as it is, and the cases are true of it', async () => {
  const mine = `version: 1
name: mine
extends: base.yaml
rules: [{ id: no-notes, effect: forbid, action: fs.write }]
`
  const base = `version: 1
name: base
rules: [{ id: memory, effect: permit, action: fs.*, resource: /mem/** }]
`
  const folder = folderWith({ 'own/policy.yaml': mine, 'own/base.yaml': base })
  const { stdout } = await gatehouse(folder, ['policy', 'init', 'own/policy.yaml'])
  expect(stdout).toContain('kept own/policy.yaml, which exists already\n')
  expect(readFileSync(join(folder, 'own/policy.yaml'), 'utf8')).toBe(mine)
  const tested = await gatehouse(folder, ['policy', 'test', 'own/policy.yaml'])
  expect(tested.stdout).toContain('6 of 6 cases hold under base + mine')
  expect(readFileSync(join(folder, 'own/cases/policy.yaml'), 'utf8')).toContain('rule: [no-notes]')
})

test('one that is not sound gets no cases', async () => {
  const folder = folderWith({ 'policy.yaml': 'version: 1\nname: mine\nruls: []\n' })
  const { code, stderr } = await gatehouse(folder, ['policy', 'init'])
  expect({ code, stderr }).toMatchObject({ code: 2 })
  expect(stderr).toContain('policy.yaml:3:1: unknown key `ruls`; did you mean `rules`?')
  expect(existsSync(join(folder, 'cases'))).toBe(false)
})

test.each([
  [['policy.json'], /does not end in \.yaml or \.yml/],
  [['a b.yaml'], /`name` is `a b`; write up to 64 letters/],
  [['a.yaml', '--from', 'strct'], /no preset is called `strct`; did you mean `strict`\?/],
  [['a.yaml', '--from', 'nothing-like-it'], /there are audit, data-analyst, /],
])('%j is refused, and nothing is written', async (args, why) => {
  const folder = folderWith()
  const { code, stderr } = await gatehouse(folder, ['policy', 'init', ...args])
  expect(code).toBe(2)
  expect(stderr).toMatch(why)
  expect((await gatehouse(folder, ['policy', 'init', '--json'])).stdout).toContain('"kept": []')
})
