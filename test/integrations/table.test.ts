/** The table of docs/integrations.md: every integration, every claim of the contract, and what each cannot. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Claim, claims } from '../../integrations/contract.ts'
import { cannot } from './cannot.ts'

const integrations = Object.keys(cannot) as readonly (keyof typeof cannot)[]

function table(): string {
  const whys: string[] = []
  const cell = (name: keyof typeof cannot, claim: Claim): string => {
    const why = (cannot[name] as Partial<Record<Claim, string>>)[claim]
    if (why === undefined) return 'yes'
    if (!whys.includes(why)) whys.push(why)
    return `no (${whys.indexOf(why) + 1})`
  }
  const rows = (Object.entries(claims) as [Claim, string][]).map(
    ([claim, says]) => `| ${says} | ${integrations.map((name) => cell(name, claim)).join(' | ')} |`,
  )
  return [
    `| | ${integrations.map((name) => `\`${name}\``).join(' | ')} |`,
    `| --- |${' --- |'.repeat(integrations.length)}`,
    ...rows,
    ...whys.map((why, index) => `\n(${index + 1}) ${why}`),
  ].join('\n')
}

test('it says what the tests of the integrations run', () => {
  const [, printed = ''] =
    /<!-- contract -->\n(.*?)\n?<!-- \/contract -->/s.exec(readFileSync('docs/integrations.md', 'utf8')) ?? []
  expect(printed.trim()).toBe(table())
})

/** Tools of servers alone: there is no loop, and no model, that the contract could run. */
const toolsOnly = ['mcp']

test('every integration has its row, and runs the contract with what it says there', () => {
  const folders = readdirSync('integrations', { withFileTypes: true }).filter((it) => it.isDirectory())
  expect(folders.map(({ name }) => name).toSorted()).toEqual([...integrations, ...toolsOnly].toSorted())
  const tests = readdirSync('test/integrations')
  for (const name of integrations) {
    const files = tests.filter((file) => [`${name}.test.ts`, `${name}-contract.test.ts`].includes(file))
    const texts = files.map((file) => readFileSync(`test/integrations/${file}`, 'utf8'))
    const run = texts.find((text) => /\bcontract\(/.test(text))
    expect([name, run !== undefined]).toEqual([name, true])
    const says = new RegExp(`cannot(\\.${name}|\\['${name}'\\])`)
    expect(run).toMatch(Object.keys(cannot[name]).length > 0 ? says : /contract/)
  }
})
