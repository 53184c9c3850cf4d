/** The page about entries says what the code writes: no field more, and none less. */
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { commonFields, kinds } from '../../scripts/docs/entries.ts'
import type { Entry, EntryKind } from '../../src/evidence/entry.ts'
import { boot, main, policyOf, until } from '../support/kernel.ts'
import { recordRuns } from './report/support.ts'

const { entries } = await recordRuns()

const types = new Map(
  ['entry.ts', 'beginnings.ts'].flatMap((name) => {
    const text = readFileSync(new URL(`../../src/evidence/${name}`, import.meta.url), 'utf8')
    return ts
      .createSourceFile(name, text, ts.ScriptTarget.Latest, true)
      .statements.filter(ts.isTypeAliasDeclaration)
      .map((alias) => [alias.name.text, alias.type] as const)
  }),
)

/** A type's fields with their marks, and its kind; what it has of another type included. */
function fieldsOf(type: ts.TypeNode | undefined): Map<string, string> {
  if (type === undefined) return new Map()
  if (ts.isIntersectionTypeNode(type)) return new Map(type.types.flatMap((part) => [...fieldsOf(part)]))
  if (ts.isTypeReferenceNode(type)) return fieldsOf(types.get(type.typeName.getText()))
  if (!ts.isTypeLiteralNode(type)) return new Map()
  return new Map(
    type.members.filter(ts.isPropertySignature).map((member) => {
      const name = member.name.getText()
      return [`${name}${member.questionToken === undefined ? '' : '?'}`, member.type?.getText() ?? '']
    }),
  )
}

const bare = (name: string): string => name.replace('?', '')
const common = new Set(Object.keys(commonFields).map(bare))

const bodies = [...types]
  .filter(([name]) => name.endsWith('Body'))
  .map(([, type]) => fieldsOf(type))
  .map((fields) => [(fields.get('kind') ?? '').slice(1, -1) as EntryKind, fields] as const)

test('each kind that has a type is read from it', () => {
  expect(bodies.map(([kind]) => kind)).toEqual(expect.arrayContaining(['spawn', 'turn', 'intent', 'ask']))
})

test.each(bodies)('%s has the fields of its type, and the marks', (kind, fields) => {
  const own = [...fields.keys()].filter((name) => !common.has(bare(name)))
  // A field that a type has twice, once by a type in it, is as it says itself.
  const named = own.filter((name) => !(name.endsWith('?') && own.includes(bare(name))))
  expect(Object.keys(kinds[kind].fields).toSorted()).toEqual(named.toSorted())
})

/** What the runs of `recordRuns` do not bring. */
async function recordMore(): Promise<readonly Entry[]> {
  const policy = policyOf([{ id: 'all', effect: 'permit', action: '*' }])
  const kernel = boot({ policy })
  const process = kernel.spawn(
    { source: main('await new Promise(() => setTimeout(() => {}, 60_000))') },
    { name: 'a' },
  )
  await kernel.vfs('a').write('/mem/x', 'from the application', { labels: ['untrusted'] })
  await kernel.reload(policy)
  await kernel.vfs('a').declassify('/mem/x', { labels: ['untrusted'], by: 'alice', reason: 'read' })
  await until(() => kernel.ps().some(({ state }) => state === 'waiting'), 'it waits')
  process.signal('SIGKILL')
  await process.exit
  const more = [...kernel.evidence.entries()]
  await kernel.shutdown()
  return more
}

test('what a kernel writes has no field that the page does not name, and each that it promises', async () => {
  const all = [...entries, ...(await recordMore())]
  const seen = new Set(all.map(({ kind }) => kind))
  expect([...seen]).toEqual(expect.arrayContaining(['host', 'reload', 'declassify', 'signal', 'exit']))
  for (const entry of all) {
    const fields = Object.keys(kinds[entry.kind].fields)
    const own = Object.keys(entry).filter((name) => !common.has(name))
    const known = new Set(fields.map(bare))
    expect([entry.kind, own.filter((name) => !known.has(name))]).toEqual([entry.kind, []])
    const promised = fields.filter((name) => !name.endsWith('?'))
    expect([entry.kind, promised.filter((name) => !own.includes(name))]).toEqual([entry.kind, []])
  }
})

test('a kernel says at its beginning what it runs on, and nothing of the machine', () => {
  const [open] = boot().evidence.entries({ kind: 'open' })
  const { node, v8 } = process.versions
  expect(open?.versions).toEqual({ node, v8, gatehouse: expect.stringMatching(/^\d+\.\d+\.\d+/) })
})
