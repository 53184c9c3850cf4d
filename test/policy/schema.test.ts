import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { addressClasses, engineSchema, policySchema, policySchemaText } from '../../src/policy/schema.ts'

test('policies/schema.json is what the code prints', () => {
  const file = new URL('../../policies/schema.json', import.meta.url)
  expect(readFileSync(file, 'utf8')).toBe(policySchemaText())
})

test('every map of the schema is closed', () => {
  const open: string[] = []
  const walk = (value: unknown, path: string): void => {
    if (value === null || typeof value !== 'object') return
    if ('properties' in value && !('additionalProperties' in value && value.additionalProperties === false))
      open.push(path)
    for (const [key, item] of Object.entries(value)) walk(item, `${path}/${key}`)
  }
  walk(policySchema, '')
  walk(engineSchema, 'engine')
  expect(open).toEqual([])
})

test('an editor that knows only JSON Schema refuses what the loader refuses by form', () => {
  const valid = new Ajv({ strict: false }).compile(policySchema)
  const rule = { id: 'a', effect: 'permit', action: 'fs.read' }
  const policy = { version: 1, name: 'desk', rules: [rule] }
  expect(valid(policy)).toBe(true)
  for (const budget of [
    { wall: 30 },
    { wall: '30' },
    { memory: '64MB' },
    { cost: '$2' },
    { cost: -1 },
    { depth: 9 },
  ])
    expect(valid({ ...policy, budget })).toBe(false)
  for (const more of [
    { cell: 'mine' },
    { signals: { SIGKILL: 'record' } },
    { signals: { SIGLOOP: 'exit' } },
    { loop: {} },
    { loop: { repeats: 1 } },
  ])
    expect(valid({ ...policy, ...more })).toBe(false)
  for (const more of [
    { when: true },
    { when: '' },
    { label: ['X'] },
    { label: [] },
    { resource: [] },
    { action: 'fs.move' },
    { addresses: ['x'] },
  ])
    expect(valid({ ...policy, rules: [{ ...rule, ...more }] })).toBe(false)
})

test('an editor knows both kinds of document apart', () => {
  const valid = new Ajv({ strict: false }).compile(JSON.parse(policySchemaText()))
  const head = { version: 1, name: 'desk' }
  expect(valid({ ...head, rules: [] })).toBe(true)
  expect(valid({ ...head, engine: 'cedar', file: 'a.cedar' })).toBe(true)
  for (const wrong of [
    {},
    { engine: 'cedar' },
    { engine: 'opa', file: 'a.wasm' },
    { engine: 'cedar', file: 'a.cedar', rules: [] },
    { engine: 'rego', file: 'a.wasm', entrypoint: 'a b' },
    { file: 'a.cedar', rules: [] },
  ])
    expect(valid({ ...head, ...wrong })).toBe(false)
})

test('address classes are those of grants', () => {
  expect(addressClasses).toEqual(['loopback', 'private', 'linkLocal'])
})
