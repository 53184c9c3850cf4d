/** The package as its users get it: built, from ES modules and from CommonJS. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'gatehouse-user-'))
mkdirSync(join(project, 'node_modules'))
symlinkSync(root, join(project, 'node_modules', 'gatehouse'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

function runIn(file: string, text: string): string {
  writeFileSync(join(project, file), text)
  return execFileSync(process.execPath, [join(project, file)], { encoding: 'utf8', cwd: project }).trim()
}

const use = (isolation: string): string => `
  const kernel = new KernelSpace({ isolation: '${isolation}' })
  kernel.execute(kernel.register(async (n) => n * 2, { name: 'twice' }), 21)
    .then(async (value) => { console.log(value); await kernel.shutdown() })`

test.each(['cell', 'inline'])('an ES module runs an agent in isolation %s', (isolation) => {
  expect(runIn('user.mjs', `import { KernelSpace } from 'gatehouse'; ${use(isolation)}`)).toBe('42')
})

test('a CommonJS caller gets the same kernel', () => {
  expect(runIn('user.cjs', `const { KernelSpace } = require('gatehouse'); ${use('inline')}`)).toBe('42')
})

test('the published files are the built code, the policies and the docs, and nothing of ours besides', () => {
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    cwd: root,
  })
  const [{ files }] = JSON.parse(listing) as [{ files: { path: string }[] }]
  const folders = new Set(files.map(({ path }) => path.split('/')[0]))
  expect([...folders].sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin',
    'dist',
    'docs',
    'package.json',
    'policies',
  ])
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      'policies/strict.yaml',
      'dist/isolate/bootstrap.js',
      'dist/isolate/zone.js',
      'bin/gatehouse.js',
    ]),
  )
})
