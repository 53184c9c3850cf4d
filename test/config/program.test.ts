/** What a bundle takes in: the program's own sources and its packages, and nothing else of the host. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundleProgram } from '../../src/config/program.ts'
import { kernelErrorOf, tempFolder } from '../support/kernel.ts'

const secret = 'THE-SECRET'

/** A program's folder beside files that are none of its own. */
function project(files: Readonly<Record<string, string>>): string {
  const around = tempFolder()
  const all = {
    'outside/secret.json': JSON.stringify({ secret }),
    'outside/secret.ts': `export default '${secret}'`,
    'app/package.json': '{}',
    'app/notes.txt': secret,
    'app/style.css': `a { content: '${secret}' }`,
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(around, name)), { recursive: true })
    writeFileSync(join(around, name), text.replaceAll('~', around))
  }
  return join(around, 'app/src/agent.ts')
}

const agent = (from: string, after = ''): string =>
  `import * as it from '${from}'${after}\nexport default () => it\n`
const bundling = (file: string) => kernelErrorOf(() => bundleProgram(file))
/** Without the place of the file, which differs. */
const reason = (message: string): string => message.replace(/^`.*?:\d+:\d+`: /, '')

describe('refused', () => {
  const outside: readonly (readonly [what: string, there: string, missing: string])[] = [
    ['a relative path', '../../outside/secret.ts', '../../outside/missing.ts'],
    ['JSON', '../../outside/secret.json', '../../outside/missing.json'],
    ['a path without its extension', '../../outside/secret', '../../outside/missing'],
    ['a path with a suffix', '../../outside/secret.ts?raw', '../../outside/missing.ts?raw'],
    ['an absolute path', '~/outside/secret.json', '~/outside/missing.json'],
    ['a path through a package', 'zod/../../outside/secret.json', 'zod/../../outside/missing.json'],
  ]

  test.each(outside)(
    '%s outside the folder, and nothing tells whether it is there',
    async (_what, there, missing) => {
      const [first, second] = await Promise.all(
        [there, missing].map((path) => bundling(project({ 'app/src/agent.ts': agent(path) }))),
      )
      expect(first?.code).toBe('EINVAL')
      expect(first?.message).toMatch(/agent\.ts:1:\d+/)
      expect(first?.message).toContain(
        "lies outside the program's folder; mount it and read it with `fs`, or pass it as an argument",
      )
      const plain = (message = ''): string => reason(message).replace(/`.*?(secret|missing)/, '`')
      expect(plain(first?.message)).toBe(plain(second?.message))
    },
  )

  test.each(['text', 'bytes', 'file'])('an import as %s, of the own folder too', async (type) => {
    for (const path of ['/etc/passwd', '../notes.txt', './agent.ts']) {
      const { message } = await bundling(
        project({ 'app/src/agent.ts': agent(path, ` with { type: '${type}' }`) }),
      )
      expect(message).toContain(`\`type: '${type}'\`; only \`type: 'json'\` is taken`)
    }
  })

  test.each(['../notes.txt', '../style.css', '../notes.txt?x', '#inner', 'mapped', './missing.ts'])(
    '%s is no source of the program',
    async (path) => {
      const file = project({
        'app/src/agent.ts': agent(path),
        'app/package.json':
          '{"imports":{"#inner":"../outside/secret.json"},"browser":{"mapped":"../outside/secret.json"}}',
        'app/tsconfig.json': '{"compilerOptions":{"paths":{"mapped":["../outside/secret.json"]}}}',
      })
      expect((await bundling(file)).message).toContain('is no source or JSON file')
    },
  )

  test.each([
    'data:text/plain,x',
    'https://example.org/x.js',
    'http://example.org/x.js',
    '//example.org/x.js',
    'file:///etc/x.js',
  ])('%s is a URL', async (path) => {
    expect((await bundling(project({ 'app/src/agent.ts': agent(path) }))).message).toContain('is a URL')
  })

  test('a path that is put together finds nothing outside, and does not tell what is there', async () => {
    const glob = (folder: string): string =>
      `export default (name: string) => import('../../${folder}/' + name + '.json')\n`
    const [there, missing] = await Promise.all(
      ['outside', 'missing'].map((folder) => bundling(project({ 'app/src/agent.ts': glob(folder) }))),
    )
    expect(reason(there?.message ?? '')).toContain(
      'an import with a wildcard finds nothing, or what lies outside',
    )
    expect(reason(there?.message ?? '')).toBe(reason(missing?.message ?? ''))
  })

  test('links out of the folder, of a file, of a folder and under the name of packages', async () => {
    for (const [link, path] of [
      ['src/link.ts', './link.ts'],
      ['src/linked', './linked/secret.json'],
      ['node_modules', 'secret.json'],
    ] as const) {
      const file = project({ 'app/src/agent.ts': agent(path) })
      const target = link.endsWith('.ts') ? 'outside/secret.ts' : 'outside'
      symlinkSync(join(dirname(file), '../..', target), join(dirname(file), '..', link))
      expect((await bundling(file)).message).toContain('is no source or JSON file')
    }
  })

  test('a program that is no source itself', async () => {
    const file = join(dirname(project({})), '../notes.txt')
    expect((await bundling(file)).message).toContain('`notes.txt` is no program; it ends in one of .ts')
  })
})

test('sources and JSON of the folder, packages beside and above it, and what they leave out make one text', async () => {
  const file = project({
    'app/src/agent.ts': `import { a } from '../lib/a.ts'
      import b from '../b.json' with { type: 'json' }
      import { c } from 'own'
      import { d } from 'above'
      export default () => [a, b, c, d]`,
    'app/lib/a.ts': `export const a = 'text-a'`,
    'app/b.json': '"text-b"',
    'app/node_modules/own/package.json': '{"main":"main.js","browser":{"./host.js":false}}',
    'app/node_modules/own/main.js': `require('./host.js'); try { require('optional') } catch {}; exports.c = 'text-c'`,
    'app/node_modules/own/host.js': `exports.host = '${secret}'`,
    'node_modules/above/index.js': `exports.d = 'text-d'`,
  })
  const { text } = await bundleProgram(file)
  for (const part of ['text-a', 'text-b', 'text-c', 'text-d']) expect(text).toContain(part)
  expect(text).not.toContain(secret)
})

test('zod can be bundled', async () => {
  const file = project({ 'app/src/agent.ts': agent('zod') })
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(dirname(file), '../node_modules'))
  expect((await bundleProgram(file)).text).toContain('ZodString')
})
