import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listPresets, loadNarrowing, loadPolicy } from '../../src/config/policy.ts'
import { actions } from '../../src/policy/actions.ts'
import { compileMatcher, readResource } from '../../src/policy/match.ts'
import { Origins } from '../../src/policy/origin.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { engineSchema, policySchema } from '../../src/policy/schema.ts'

const text = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
const blocks = [...text.matchAll(/^```(\w+)( refused| cases| engine)?\n(.*?)^```$/gms)].map(
  ([, language, kind, body = '']) => ({
    language: kind === ' cases' || kind === ' engine' ? kind.slice(1) : language,
    refused: kind === ' refused',
    body,
  }),
)

test.each(blocks.filter(({ language, refused }) => language === 'yaml' && !refused))(
  'an example that is a policy loads: $body',
  ({ body }) => {
    expect(parsePolicy(body, 'docs/policy.md').rules.length).toBeGreaterThan(0)
  },
)

test('the examples in Cedar and of a document for it load', () => {
  const bodies = (of: string) => blocks.filter(({ language }) => language === of).map(({ body }) => body)
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-docs-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [text = ''] = bodies('cedar')
  writeFileSync(join(folder, 'team.cedar'), text)
  for (const document of bodies('engine')) {
    writeFileSync(join(folder, 'team.yaml'), document)
    expect(loadPolicy(join(folder, 'team.yaml')).policies[0]?.rules.map(({ id }) => id)).toEqual([
      'notes',
      'wiki',
      'mail',
      'no-secrets',
    ])
  }
  expect(bodies('engine').length).toBe(1)
})

describe('an example that is refused', () => {
  const pairs = blocks.flatMap((block, index) =>
    block.refused ? [[block.body, blocks[index + 1]?.body ?? '']] : [],
  )
  test.each(pairs)('is refused as the page says: %s', (body, message) => {
    const name = /^name: (.*)$/m.exec(body)?.[1]
    expect(() => parsePolicy(body, `${name}.yaml`)).toThrow(
      expect.objectContaining({ message: message.trimEnd() }),
    )
  })
  test('there are some', () => expect(pairs.length).toBeGreaterThan(1))
})

test('the table of actions is the table of the code', () => {
  const rows = [...text.matchAll(/^\| `(\w+\.\w+)` \| (\w+) \| (.*) \|$/gm)].map(([, ...cells]) => cells)
  expect(rows).toEqual(Object.entries(actions).map(([name, it]) => [name, it.resource, it.summary]))
})

test('the table of arguments is the table of the code', () => {
  const rows = [...text.matchAll(/^\| `(\w+\.\w+)` \| ?([^|]*)\|$/gm)].map(([, action, cell = '']) => [
    action,
    cell.trim(),
  ])
  const written = Object.entries(actions).map(([name, row]) => {
    if (!('args' in row)) return [name, "the tool's own arguments, by its schema"]
    const names = Object.entries(row.args).map(([arg, type]) => `\`${arg}${type.endsWith('?') ? '?' : ''}\``)
    return [name, names.join(', ')]
  })
  expect(rows).toEqual(written)
})

describe('the tables of patterns are true', () => {
  const rows = [...text.matchAll(/^\| `((?:\/|https?:)[^`]*)` \| (.*) \| (.*) \|$/gm)]
  const cells = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, it = '']) => it)
  test.each(rows.map(([, pattern = '', yes, no]) => [pattern, cells(yes), cells(no)] as const))(
    '%s',
    (pattern, matching, others) => {
      const action = pattern.startsWith('/') ? 'fs.read' : 'net.fetch'
      const matches = (resource: string): boolean => {
        const readings = readResource(action, resource)
        if (typeof readings === 'string') throw new Error(readings)
        const matcher = compileMatcher(actions[action].resource, pattern)
        return readings.every((it) => matcher.mismatch(it) === undefined)
      }
      expect(matching.filter((it) => !matches(it))).toEqual([])
      expect(others.filter(matches)).toEqual([])
    },
  )
  test('there are some', () => expect(rows.length).toBeGreaterThan(7))
})

describe('the table of what is found is true', () => {
  const cells = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, it = '']) => it)
  const section = text.slice(text.indexOf('\n## Origin\n'), text.indexOf('\n## History\n'))
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (`.*) \| (`.*) \|$/gm)]
  test.each(rows.map(([, seen = '', yes, no]) => [seen, cells(yes), cells(no)] as const))(
    '%s',
    (seen, yes, no) => {
      const origins = new Origins()
      origins.received({ seen }, ['untrusted'])
      const asNumber = (it: string): string | number => (/^[\d.]+$/.test(it) ? Number(it) : it)
      expect(yes.filter((it) => origins.of(asNumber(it)) !== 'untrusted')).toEqual([])
      expect(no.filter((it) => origins.of(it) !== 'unknown')).toEqual([])
    },
  )
  test('there are some', () => expect(rows.length).toBeGreaterThan(5))
})

test('every key of the schema and every preset is on the page', () => {
  const { properties } = policySchema
  const keys = [
    ...Object.keys(properties),
    ...Object.keys(engineSchema.properties),
    ...Object.keys(properties.rules.items.properties),
    ...Object.keys(properties.budget.properties),
    ...Object.keys(properties.signals.properties),
    ...listPresets(),
  ]
  expect(keys.filter((key) => !text.includes(`| \`${key}\` |`))).toEqual([])
})

test('the table of the OWASP Top 10 has every risk and every rule of the preset, and tests that exist', () => {
  const rows = [...text.matchAll(/^\| (ASI\d\d) .* \|$/gm)].map(([row, id = '']) => ({ row, id }))
  const ids = rows.map(({ id }) => id)
  expect(ids).toEqual(Array.from({ length: 10 }, (_, index) => `ASI${String(index + 1).padStart(2, '0')}`))
  for (const { row } of rows) {
    const files = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files)
      expect([file, existsSync(new URL(`../../${file}`, import.meta.url))]).toEqual([file, true])
  }
  const [preset] = loadNarrowing('owasp-agentic').policies
  const risks = new Set(preset?.rules.map((rule) => rule.id.slice(0, 5).toUpperCase()))
  expect([...risks].toSorted()).toEqual(ids)
})
