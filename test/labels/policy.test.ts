/** What commands and cases say of a rule's label. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCases } from '../../src/config/cases.ts'
import { loadPolicy } from '../../src/config/policy.ts'
import { runCases } from '../../src/policy/cases.ts'
import { explain } from '../../src/policy/explain.ts'
import { boot, kernelErrorOf, policyOf, tempFolder } from '../support/kernel.ts'

const rules = policyOf([
  { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read_*', label: ['untrusted'] },
  { id: 'once', effect: 'permit', action: 'tool.call', resource: 'read_mail', once: true, label: ['mail'] },
  { id: 'asked', effect: 'ask', action: 'tool.call', resource: 'send', label: ['seen'] },
])
const request = (resource: string) => ({
  principal: 'agent',
  isolation: 'cell' as const,
  action: 'tool.call',
  resource,
  args: {},
  labels: [],
})

test('a decision carries the labels of the rules that permit, or that ask', () => {
  const set = loadPolicy(rules)
  expect(set.decide(request('read_page')).obligations).toMatchObject([
    { rule: { id: 'web' }, label: ['untrusted'] },
  ])
  expect(set.decide(request('read_mail')).obligations).toMatchObject([
    { label: ['untrusted'] },
    { label: ['mail'] },
  ])
  expect(set.decide(request('send'))).toMatchObject({ effect: 'ask', obligations: [{ label: ['seen'] }] })
  expect(set.decide(request('other')).obligations).toBeUndefined()
})

test('an explanation says what each rule demands', () => {
  const { policies } = explain(loadPolicy(rules), request('read_mail'))
  expect(policies[0]?.matching.map(({ demands }) => demands)).toEqual([
    ['what comes back is labelled untrusted'],
    ['once in a run', 'what comes back is labelled mail'],
  ])
})

test('a case can say which labels come back', () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'p.json'), JSON.stringify(rules))
  const cases = [
    { action: 'tool.call', resource: 'read_page', effect: 'permit', rule: 'web', label: ['untrusted'] },
    { action: 'tool.call', resource: 'read_page', effect: 'permit', rule: 'web', label: [] },
  ]
  writeFileSync(join(folder, 'cases.json'), JSON.stringify({ policy: 'p.json', cases }))
  const read = readCases(join(folder, 'cases.json'))
  expect(runCases(read.set, read.cases).map(({ wrong }) => wrong)).toEqual([
    [],
    ['expected no labels on what comes back, and there are `untrusted`'],
  ])
})

test('a rule that forbids gives no label', () => {
  const forbids = policyOf([{ id: 'no', effect: 'forbid', action: '*', label: ['x'] }])
  expect(() => loadPolicy(forbids)).toThrow('`label` belongs to rules that permit or ask')
})

const execute = () => null
test.each([
  [
    'a tool',
    () =>
      boot({ tools: { t: { description: 'd', parameters: { type: 'object' }, labels: ['Bad'], execute } } }),
  ],
  ['a mount', () => boot({ mounts: { '/w': { host: tempFolder(), labels: ['Bad'] } } })],
  ['a spawn', () => boot().spawn({ source: '' }, { labels: ['Bad'] })],
  ['govern', () => boot().govern({ name: 'f', labels: ['Bad'] })(async () => 1)],
])('the name of a label is checked in %s', async (_where, act) => {
  const error = await kernelErrorOf(act)
  expect(error.code).toBe('EINVAL')
  expect(error.message).toContain('`Bad` is no label')
})
