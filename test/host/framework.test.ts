/** An integration that meets a version it was not tried with says so once; and says what package.json says. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { tested as mastra } from '../../integrations/mastra/index.ts'
import { tested as openai } from '../../integrations/openai/index.ts'
import { tested as vercel } from '../../integrations/vercel-ai/index.ts'
import { checkFramework } from '../../src/index.ts'
import { tempFolder } from '../support/kernel.ts'

function warningsOf(work: () => void): Promise<readonly string[]> {
  const warnings: string[] = []
  const take = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`)
  process.on('warning', take)
  work()
  return new Promise((resolve) =>
    setImmediate(() => {
      process.off('warning', take)
      resolve(warnings)
    }),
  )
}

test('a version outside the tested range gives one warning that names both', async () => {
  const range = { name: 'some-framework', from: '2.3.0', below: '3.0.0' }
  const check = (version: string) => checkFramework(range, import.meta.url, version)
  expect(await warningsOf(() => ['2.3.0', '2.9.1', '2.10.0'].map(check))).toEqual([])
  const warnings = await warningsOf(() => ['2.2.9', '3.0.0', '3.0.0', '3.0.0-beta.1'].map(check))
  expect(warnings).toHaveLength(3)
  expect(warnings[0]).toMatch(/^GatehouseVersion: some-framework 2\.2\.9 .*2\.3\.0 .*3\.0\.0/)
})

test('the version is read from the package that lies beside the code, also where it does not export its package.json', () => {
  const folder = tempFolder()
  const packageFolder = join(folder, 'node_modules', '@scope', 'closed')
  mkdirSync(packageFolder, { recursive: true })
  writeFileSync(
    join(packageFolder, 'package.json'),
    JSON.stringify({ name: '@scope/closed', version: '1.2.3', exports: { '.': './index.js' } }),
  )
  const range = { name: '@scope/closed', from: '1.0.0', below: '2.0.0' }
  expect(checkFramework(range, pathToFileURL(join(folder, 'bundle.js')).href)).toBe('1.2.3')
})

test('in a bundle, where there is no package and perhaps no place, nothing is said', async () => {
  const range = { name: 'not-installed', from: '1.0.0', below: '2.0.0' }
  const found: unknown[] = []
  const warnings = await warningsOf(() => {
    found.push(checkFramework(range, import.meta.url), checkFramework(range, ''))
  })
  expect([found, warnings]).toEqual([[undefined, undefined], []])
})

test('the ranges are those that package.json states', () => {
  const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly peerDependencies: Readonly<Record<string, string>>
  }
  for (const { name, from, below } of [openai, vercel, mastra]) {
    const major = Number(from.split('.')[0])
    expect(peerDependencies[name]).toBe(`^${from}`)
    expect(below).toBe(`${major + 1}.0.0`)
  }
})
