/** Bundles: what is refused and by which way it came, what stays the same, and where an author wrote it. */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filePrint, isCurrent, stampOf } from '../../src/config/fingerprint.ts'
import { bundleProgram } from '../../src/config/program.ts'
import { territoryOf } from '../../src/config/territory.ts'
import { limits } from '../../src/limits.ts'
import { boot, exitValue, kernelErrorOf, tempFolder } from '../support/kernel.ts'

type Files = Readonly<Record<string, string>>

function put(folder: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** @returns the path of `agent.ts` in a folder of its own */
function project(files: Files): string {
  const folder = tempFolder()
  put(folder, { 'package.json': '{}', ...files })
  return join(folder, 'agent.ts')
}

const refusal = async (files: Files): Promise<string> =>
  (await kernelErrorOf(() => bundleProgram(project(files)))).message

async function runFile(file: string) {
  const exit = await boot().spawn({ file }).exit
  expect(exit.error?.stack ?? exit.reason).toBeUndefined()
  return exitValue(exit)
}

describe('a module of Node.js that user space does not have', () => {
  const packages = {
    'lib/db.ts': `import pg from 'pg'\nexport default pg`,
    'node_modules/pg/index.js': `module.exports = require('./lib/client')`,
    'node_modules/pg/lib/client.js': `module.exports = require('@scope/wire')`,
    'node_modules/@scope/wire/index.js': `const { Socket } = require('node:net')\nconst tls = require('tls')\nexports.open = () => new Socket()\nexports.ciphers = () => tls.getCiphers()`,
  }
  const agent = `import db from './lib/db.ts'\nexport default () => typeof db.open`

  test('is refused with the way that leads there, and what to do', async () => {
    expect(await refusal({ 'agent.ts': agent, ...packages })).toBe(
      '`node_modules/@scope/wire/index.js:1:28`: user space has no module `node:net`; run it with isolation `host`, or offer it as a tool (agent.ts → lib/db.ts → pg → @scope/wire → node:net) (and 1 more); if the program never uses that part of the package, say so in the program\'s package.json: "gatehouse": { "without": ["net","tls"] }',
    )
  })

  test('is an error where it is used, once the program says that it does without', async () => {
    const file = project({
      'package.json': '{"gatehouse":{"without":["net","node:tls"]}}',
      'agent.ts': `import db from './lib/db.ts'
        class Own extends db.Base { }
        const errorOf = (use) => { try { return use() } catch (error) { return [error.code, error.message] } }
        export default () => [errorOf(() => db.open()), errorOf(() => db.ciphers()), typeof Own]`,
      ...packages,
      'node_modules/@scope/wire/index.js': `${packages['node_modules/@scope/wire/index.js']}\nexports.Base = require('net').Server`,
    })
    expect(await runFile(file)).toEqual([
      [
        'ENOSYS',
        'ENOSYS: `net.Socket`: user space has no module `node:net`; run it with isolation `host`, or offer it as a tool (`@scope/wire` imports it)',
      ],
      ['ENOSYS', expect.stringContaining('`tls.getCiphers`: user space has no module `node:tls`')],
      'function',
    ])
  })

  test('names what serves in its place', async () => {
    const ways = {
      http: 'use the global `fetch`',
      child_process: 'use `proc.spawn`',
      zlib: 'CompressionStream',
      'dns/promises': 'isolation `host`',
      test: 'isolation `host`',
    }
    for (const [name, way] of Object.entries(ways))
      expect(await refusal({ 'agent.ts': `import it from 'node:${name}'\nexport default it` })).toContain(way)
  })

  test('fails at run time where the program tries it, or asks for it when it runs', async () => {
    const file = project({
      'agent.ts': `import { tried } from 'optional'
        export default async () => [tried, await import('node:http').catch((error) => error.message)]`,
      'node_modules/optional/index.js': `exports.tried = []
        for (const load of [() => { try { return require('net') } catch { return 'no net' } }, () => { try { return require('not-there') } catch { return 'no package' } }])
          exports.tried.push(load())
        try { exports.tried.push(require('./native.node')) } catch { exports.tried.push('no native') }`,
    })
    expect(await runFile(file)).toEqual([
      ['no net', 'no package', 'no native'],
      'ENOSYS: user space has no module `node:http`; use the global `fetch`',
    ])
  })

  test('is what a package has in its place, or nothing, where its `browser` field says so', async () => {
    const file = project({
      'agent.ts': `import { it } from 'both'\nexport default () => it`,
      'node_modules/both/package.json': '{"browser":{"net":"./own.js","fs":false,"./node.js":false}}',
      'node_modules/both/own.js': `exports.own = 'own'`,
      'node_modules/both/node.js': `exports.node = typeof process`,
      'node_modules/both/index.js': `exports.it = [require('net').own, Object.keys(require('fs')), Object.keys(require('./node.js'))]`,
    })
    expect(await runFile(file)).toEqual(['own', [], []])
  })

  test.each(['{"gatehouse":{"without":"net"}}', '{"gatehouse":{"without":[1]}}'])(
    '%s is refused',
    async (text) => {
      expect(await refusal({ 'package.json': text, 'agent.ts': '' })).toContain(
        'is a list of modules of Node.js',
      )
    },
  )
})

describe('bad input', () => {
  test('a syntax error has its place and its line', async () => {
    const files = { 'agent.ts': `import './lib/b.ts'`, 'lib/b.ts': `const x = {\n  a: 1 2,\n}` }
    expect(await refusal(files)).toBe('`lib/b.ts:2:8`: Expected "}" but found "2": `a: 1 2,`')
  })

  test('a package that is not installed', async () => {
    const files = { 'agent.ts': `import it from '@scope/name/part'\nexport default it` }
    expect(await refusal(files)).toMatch(
      /^`agent.ts:1:16`: `@scope\/name\/part` .* `npm install @scope\/name` there/,
    )
  })

  test.each([
    ['./it.wasm', 'WebAssembly'],
    ['./it.node', 'machine code'],
  ])('%s', async (path, what) => {
    expect(
      await refusal({
        'agent.ts': `import it from '${path}'\nexport default it`,
        'it.node': '',
        'it.wasm': '',
      }),
    ).toContain(what)
  })

  test('a file that would hold up the application, and one that is too large', async () => {
    const pipe = project({ 'agent.ts': `import it from './pipe.ts'\nexport default it` })
    execFileSync('mkfifo', [join(dirname(pipe), 'pipe.ts')])
    expect((await kernelErrorOf(() => bundleProgram(pipe))).message).toContain('`pipe.ts` is no regular file')
    const large = `export default '${'x'.repeat(limits.programFileBytesMax)}'`
    expect(
      await refusal({ 'agent.ts': `import it from './large.ts'\nexport default it`, 'large.ts': large }),
    ).toMatch(/`large.ts` has \d+ bytes, at most/)
  })

  test('a package whose exports lead out of it', async () => {
    const files = {
      'agent.ts': `import it from 'out'\nexport default it`,
      'node_modules/out/package.json': '{"exports":"./../../../outside.js","main":"../../../outside.js"}',
    }
    expect(await refusal(files)).toContain('`out` is no source or JSON file')
  })

  test('decorators, enums, namespaces, JSON, CommonJS and parameter properties are taken', async () => {
    const file = project({
      'agent.ts': `import kept from './kept.cjs'
        import data from './data.json'
        enum Level { low = 1, high }
        namespace Names { export const own = 'n' }
        const twice = (method: () => number, _context: ClassMethodDecoratorContext) => function (this: unknown) { return method.call(this) * 2 }
        class Desk { constructor(private readonly n: number) {} @twice count(): number { return this.n } }
        export default (): unknown => [Level.high, Names.own, new Desk(2).count(), kept.value, data.list] satisfies unknown[]`,
      'kept.cjs': `exports.value = require('./data.json').list.length`,
      'data.json': '{"list":[1,2]}',
    })
    expect(await runFile(file)).toEqual([2, 'n', 4, 2, [1, 2]])
  })
})

describe('the same files', () => {
  test('give the same bytes, wherever they lie and whatever the working directory is', async () => {
    const files = {
      'agent.ts': `import { b } from './lib/b.ts'\nimport { c } from 'dep'\nexport default () => [b, c, Buffer.from('x').length]`,
      'lib/b.ts': 'export const b = 1',
      'node_modules/dep/index.js': 'exports.c = 2',
    }
    const [one, other] = await Promise.all(
      [project(files), project(files)].map((file) => bundleProgram(file)),
    )
    expect(one).toEqual(other)
    expect(one?.text).toContain('// node_modules/dep/index.js')
  })

  test('are bundled once, until one of them changes', async () => {
    const file = project({
      'agent.ts': `import { b } from './lib/b'\nimport { c } from 'dep'\nexport default () => [b, c]`,
      'lib/b.ts': 'export const b = 1',
      'node_modules/dep/package.json': '{"main":"one.js"}',
      'node_modules/dep/one.js': 'exports.c = 1',
      'node_modules/dep/two.js': 'exports.c = 2',
    })
    const folder = dirname(file)
    const value = async () => (await runFile(file)) as readonly unknown[]
    const first = await bundleProgram(file)
    expect((await bundleProgram(file)).map).toBe(first.map)
    expect(await value()).toEqual([1, 1])
    const changes: readonly (readonly [what: () => void, then: readonly unknown[]])[] = [
      [() => put(folder, { 'lib/b.ts': 'export const b = 2' }), [2, 1]],
      [() => put(folder, { 'node_modules/dep/one.js': 'exports.c = 3' }), [2, 3]],
      [() => put(folder, { 'node_modules/dep/package.json': '{"main":"two.js"}' }), [2, 2]],
      // Found before the one that was taken until now.
      [
        () => put(folder, { 'lib/b.tsx': 'export const b = 4', 'lib/b/index.ts': 'export const b = 5' }),
        [4, 2],
      ],
      [() => put(folder, { 'lib/node_modules/x/index.js': '' }), [4, 2]],
      [() => renameSync(join(folder, 'lib/b.tsx'), join(folder, 'lib/c.tsx')), [2, 2]],
    ]
    for (const [change, then] of changes) {
      change()
      expect(await value()).toEqual(then)
    }
  })

  test('a link that leads elsewhere is a change, and so is a package that was missing', async () => {
    const file = project({
      'agent.ts': `import it from './linked/it.ts'\nimport { found } from 'dep'\nexport default () => [it, found]`,
      'one/it.ts': 'export default 1',
      'two/it.ts': 'export default 2',
      'node_modules/dep/index.js': `try { exports.found = require('@late/one').late } catch { exports.found = 'none' }`,
      'node_modules/@late/other/index.js': '',
    })
    const folder = dirname(file)
    symlinkSync('one', join(folder, 'linked'))
    expect(await runFile(file)).toEqual([1, 'none'])
    symlinkSync('two', join(folder, 'link'))
    renameSync(join(folder, 'link'), join(folder, 'linked'))
    put(folder, { 'node_modules/@late/one/index.js': `exports.late = 'late'` })
    expect(await runFile(file)).toEqual([2, 'late'])
  })

  test('that have rested are known by what the file system says of them, which a change cannot keep', () => {
    const file = project({ 'agent.ts': 'export default 1' })
    const contents = readFileSync(file)
    const { mtimeMs, atime, mtime } = statSync(file)
    const stamp = stampOf(file) ?? ''
    expect(filePrint(file, contents, stamp, mtimeMs + limits.fileSettledMs / 2).stamp).toBeUndefined()
    const settled = filePrint(file, contents, stamp, mtimeMs + 2 * limits.fileSettledMs)
    const before = { files: new Map([[file, settled]]), folders: new Map() }
    expect(isCurrent(before, territoryOf(file))).toBe(true)
    writeFileSync(file, 'export default 2')
    utimesSync(file, atime, mtime)
    expect(isCurrent(before, territoryOf(file))).toBe(false)
  })

  test('asked for by many at once are bundled for each as they are when it asks', async () => {
    const file = project({ 'agent.ts': 'export default () => 1' })
    const first = [1, 2, 3].map(() => bundleProgram(file))
    put(dirname(file), { 'agent.ts': 'export default () => 2' })
    const second = [1, 2, 3].map(() => bundleProgram(file))
    await Promise.all(first)
    for (const { text } of await Promise.all(second)) expect(text).toContain('() => 2')
  })
})

describe('where it is', () => {
  const files = {
    'src/agent.ts': `import { run } from '../lib/run.ts'\ninterface Much { readonly of: string }\n\nexport default async () => {\n  await 0\n  return run()\n}`,
    'lib/run.ts': `type Nothing = undefined\nimport { fail } from 'fails'\nexport const run = (): Nothing => fail()`,
    'node_modules/fails/index.js': `// one\n\nexports.fail = () => {\n  throw new TypeError('no')\n}`,
  }

  test('errors name the author’s files and lines, in packages too', async () => {
    const file = join(dirname(project(files)), 'src/agent.ts')
    const { error } = await boot().spawn({ file }).exit
    expect(
      error?.stack?.split('\n').map((line) => line.trim().replace(/^at .*?\(?([^( ]+:\d+):\d+\)?$/, '$1')),
    ).toEqual([...['TypeError: no', 'node_modules/fails/index.js:4', '../lib/run.ts:3', 'agent.ts:6']])
  })

  test('packages that lie elsewhere are named as packages, in the text and in its map', async () => {
    const elsewhere = tempFolder()
    put(elsewhere, {
      'node_modules/dep/index.js': 'exports.d = 1',
      'node_modules/esm/index.mjs': 'export const e = 2',
      'node_modules/esm/package.json': '{"main":"index.mjs"}',
    })
    const file = project({
      'agent.ts': `import { d } from 'dep'\nimport { e } from 'esm'\nexport default () => [d, e]`,
    })
    symlinkSync(join(elsewhere, 'node_modules'), join(dirname(file), 'node_modules'))
    const { text, map } = await bundleProgram(file)
    for (const name of [
      '// node_modules/dep/index.js',
      '"node_modules/dep/index.js"(exports',
      '// node_modules/esm/index.mjs',
    ])
      expect(text).toContain(name)
    expect(`${text}${map}`).not.toContain(basename(elsewhere))
  })

  test('the bundle, its hash and its map are on record, without any path of the host', async () => {
    const file = join(dirname(project(files)), 'src/agent.ts')
    const kernel = boot({ evidence: 'memory' })
    await kernel.spawn({ file }).exit
    const entry = kernel.evidence.entries().find(({ kind }) => kind === 'spawn')
    const { text, map } = await bundleProgram(file)
    expect(entry).toMatchObject({
      filename: 'agent.js',
      program: { bytes: Buffer.byteLength(text) },
      map: { bytes: Buffer.byteLength(map ?? '') },
    })
    expect(`${text}${map}`).not.toContain(dirname(dirname(file)).split('/').at(-1))
    expect(JSON.parse(map ?? '').sources).toEqual([
      'node_modules/fails/index.js',
      '../lib/run.ts',
      'agent.ts',
    ])
  })
})
