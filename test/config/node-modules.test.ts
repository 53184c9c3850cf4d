/** Modules of Node.js in user space: each does what it says, over the kernel's calls, and what is not there says so. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { servedModules } from '../../src/config/node-modules.ts'
import { bundleProgram } from '../../src/config/program.ts'
import { boot, exitValue, kernelErrorOf, tempFolder } from '../support/kernel.ts'

/** @returns the path of the program */
function project(program: string, files: Readonly<Record<string, string>> = {}): string {
  const folder = tempFolder()
  for (const [name, text] of Object.entries({ 'package.json': '{}', 'agent.ts': program, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return join(folder, 'agent.ts')
}

async function runFile(program: string, files: Readonly<Record<string, string>> = {}) {
  const exit = await boot().spawn({ file: project(program, files) }).exit
  expect(exit.error?.stack ?? exit.reason).toBeUndefined()
  return exitValue(exit)
}

/** The same in Node.js: what the module there gives. */
const real = createRequire(import.meta.url)

/** Expressions whose value has to be what Node.js gives. */
const same: Readonly<Record<string, readonly string[]>> = {
  path: [
    `m.join('/a', '../b', './c')`,
    `m.resolve('/x', 'y', '..')`,
    `m.relative('/a/b', '/a/c/d')`,
    `m.parse('/home/a.tar.gz')`,
    `[m.sep, m.extname('x.ts'), m.basename('/q/w.ts', '.ts'), m.isAbsolute('a'), m.normalize('/a//b/../c')]`,
  ],
  util: [
    `m.format('%s is %d, %j', 'a', 4, { x: [1] })`,
    `m.isDeepStrictEqual({ a: [1, { b: new Map([[1, 2]]) }] }, { a: [1, { b: new Map([[1, 2]]) }] })`,
    `m.isDeepStrictEqual([1], ['1'])`,
    `[m.types.isPromise(Promise.resolve()), m.types.isRegExp(/x/), m.types.isDate({}), m.types.isUint8Array(new Uint8Array())]`,
    `m.stripVTControlCharacters('\\u001b[31mred\\u001b[0m')`,
    `m.inspect({ long: 'x'.repeat(60), list: [1, , 3], nested: { a: { b: { c: 1 } } }, 'a-b': -0, get g() { return 1 } })`,
    `m.inspect([{ a: { b: { c: {} } } }, [[[[1]]]], "it is", new Date(0), Object.create(null), Object.assign(() => {}, { x: 1 }), class A extends Map {}])`,
    `m.inspect(((a) => ((a.self = a), a))({ n: 1 }))`,
    `[m.inspect('x'.repeat(5), { maxStringLength: 2 }), m.inspect({ b: 1, a: 2 }, { sorted: true }), m.inspect(new Uint8Array([1, 2])), m.inspect(new Error('e')).slice(0, 8)]`,
    `m.inspect({ a: 1, b: ['x', null, undefined], c: { d: { e: { f: 1 } } } })`,
    `m.inspect([new Map([['k', { v: 1 }]]), new Set([1]), /x/g, Symbol('s'), 10n, () => 1, new (class Desk { n = 1 })()])`,
  ],
  crypto: [
    `['md5', 'sha1', 'SHA-256', 'sha384', 'sha512'].map((name) => m.createHash(name).update('ab').update(B.from('c')).digest('hex'))`,
    `m.createHmac('sha256', 'key').update('text').digest('base64')`,
    `m.createHash('sha256').update('a').copy().update('b').digest('base64url')`,
    `m.pbkdf2Sync('p', 's', 3, 20, 'sha256').toString('hex')`,
    `[m.timingSafeEqual(B.from('a'), B.from('a')), m.timingSafeEqual(B.from('a'), B.from('b'))]`,
    `[m.randomBytes(70_000).length, m.randomUUID().length, m.randomInt(3) < 3]`,
  ],
  querystring: [`m.parse('a=1&b=x+y&a=%C3%A9&c')`, `m.stringify({ a: [1, 'é'], b: true, c: null })`],
  string_decoder: [
    `((d) => [d.write(B.from([0xe2, 0x82])), d.write(B.from([0xac])), d.end()])(new m.StringDecoder('utf8'))`,
  ],
  buffer: [
    `[m.Buffer.from('héllo').toString('base64'), m.Buffer.from('aGk', 'base64').toString(), m.Buffer.concat([m.Buffer.from('a'), m.Buffer.alloc(2, 98)]).toString('latin1')]`,
    `m.Buffer.from([1, 2, 3, 4]).readUInt32BE(0)`,
  ],
  url: [
    `m.fileURLToPath('file:///a%20b/c.txt')`,
    `m.pathToFileURL('/a b/#c').href`,
    `{ ...m.parse('https://u:p@Example.org:81/p/a?q=1#h') }`,
    `m.format({ protocol: 'https', host: 'a.b', pathname: 'x', query: { q: 'y z' } })`,
    `[m.resolve('/one/two', 'three'), m.resolve('http://a.b/c', '/d')]`,
  ],
  'assert/strict': [
    `[m.deepEqual({ a: [1] }, { a: [1] }) ?? null, ((f) => { try { f() } catch (e) { return [e.name, e.code] } })(() => m.equal(1, '1'))]`,
  ],
}

test('what is computed is what Node.js computes', async () => {
  const names = Object.keys(same)
  const program = `import { Buffer as B } from 'node:buffer'
${names.map((name, index) => `import * as m${index} from 'node:${name}'`).join('\n')}
export default () => [${names.map((name, index) => `((m) => [${same[name]?.join(',\n')}])(m${index}.default ?? m${index})`)}]`
  const given = await runFile(program)
  const expected = names.map((name) =>
    (same[name] ?? []).map((text) =>
      new Function('m', 'B', `return JSON.parse(JSON.stringify(${text}) ?? 'null')`)(
        real(`node:${name}`),
        Buffer,
      ),
    ),
  )
  expect(given).toEqual(expected)
})

test('files: promises, callbacks and streams over the kernel, and no synchronous calls', async () => {
  const value = await runFile(`import fs, { createReadStream, createWriteStream } from 'node:fs'
    import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'fs/promises'
    import { pipeline } from 'node:stream/promises'
    import { Readable, Transform } from 'node:stream'
    export default async () => {
      const errorOf = (work) => work.then(() => 'none', ({ code, syscall = null, path = null }) => [code, syscall, path])
      const made = await mkdir('/tmp/a/b/c', { recursive: true })
      await writeFile('/tmp/a/b/x.txt', 'hé')
      await appendFile('tmp/a/b/x.txt', Buffer.from('!'))
      await copyFile('/tmp/a/b/x.txt', new URL('file:///tmp/a/y'))
      await rename('/tmp/a/y', '/tmp/a/z')
      const found = await stat('/tmp/a/b/x.txt')
      const upper = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk.toString().toUpperCase()) })
      await pipeline(Readable.from(['ab', 'cd']), upper, createWriteStream('/tmp/o'))
      let parts = ''
      for await (const part of createReadStream('/tmp/o', { encoding: 'utf8', highWaterMark: 3 })) parts += part + '|'
      const result = {
        made, parts, size: found.size, isFile: found.isFile(), mtime: found.mtime instanceof Date,
        text: await readFile('/tmp/a/z', 'utf8'),
        bytes: (await readFile('/tmp/a/z')).toString('hex'),
        all: (await readdir('/tmp/a', { recursive: true })).sort(),
        types: (await readdir('/tmp/a', { withFileTypes: true })).map((e) => [e.name, e.isDirectory()]).sort(),
        again: await mkdir('/tmp/a/b', { recursive: true }) ?? 'nothing',
        called: await new Promise((done) => fs.readFile('/tmp/o', 'utf8', (error, text) => done([error, text]))),
        failed: await new Promise((done) => fs.readFile('/tmp/none', (error) => done(error.code))),
        there: await new Promise((done) => fs.exists('/tmp/o', done)),
        missing: await errorOf(readFile('/tmp/none')),
        folder: await errorOf(unlink('/tmp/a')),
        exclusive: await errorOf(writeFile('/tmp/n', '', { flag: 'wx' })),
      }
      try { fs.readFileSync('/tmp/o') } catch (error) { result.sync = error.message }
      await rm('/tmp/a', { recursive: true })
      await rm('/tmp/a', { force: true })
      return result
    }`)
  expect(value).toEqual({
    ...{
      made: '/tmp/a',
      parts: 'ABC|D|',
      size: 4,
      isFile: true,
      mtime: true,
      text: 'hé!',
      bytes: '68c3a921',
    },
    ...{
      all: ['b', 'b/c', 'b/x.txt', 'z'],
      types: expect.arrayContaining([
        ['b', true],
        ['z', false],
      ]),
    },
    ...{ again: 'nothing', called: [null, 'ABCD'], failed: 'ENOENT', there: true },
    missing: ['ENOENT', 'open', '/tmp/none'],
    folder: ['EISDIR', 'unlink', '/tmp/a'],
    exclusive: ['ENOSYS', null, null],
    sync: expect.stringContaining('use `await fs.promises.readFile(…)`'),
  })
})

test('events, timers, and process as far as it goes', async () => {
  const value = await runFile(`import Emitter, { EventEmitter, on, once } from 'node:events'
    import { setTimeout as wait } from 'timers/promises'
    import { promisify } from 'util'
    import process from 'node:process'
    import os from 'os'
    export default async () => {
      const emitter = new EventEmitter()
      setTimeout(() => emitter.emit('one', 1, 2), 1)
      const first = await once(emitter, 'one')
      const events = on(emitter, 'two')
      emitter.emit('two', 'a')
      emitter.emit('two', 'b')
      const both = [(await events.next()).value, (await events.next()).value]
      await events.return()
      const failed = once(emitter, 'x').catch((error) => error.message)
      emitter.emit('error', new Error('no'))
      const order = []
      setImmediate(() => order.push('immediate'))
      process.nextTick(() => order.push('tick'))
      order.push('now')
      const later = promisify((value, done) => setTimeout(() => done(null, value), 1))
      const waited = [await wait(1, 'w'), await later('p')]
      let exit
      try { process.exit(0) } catch (error) { exit = error.message }
      return [first, both, await failed, emitter.listenerCount('two'), Emitter === EventEmitter, order, waited, exit,
        process.cwd(), process.env.HOME ?? null, process.versions.node ?? null, os.EOL, os.tmpdir()]
    }`)
  expect(value).toEqual([
    ...[[1, 2], [['a'], ['b']], 'no', 0, true, ['now', 'tick', 'immediate'], ['w', 'p']],
    expect.stringContaining('return from the default export'),
    ...['/', null, null, '\n', '/tmp'],
  ])
})

test('contexts of async_hooks follow await, timers, callbacks and generators, and nothing else', async () => {
  const value = await runFile(
    `import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
    import { EventEmitter } from 'node:events'
    import { after } from 'dep'
    const storage = new AsyncLocalStorage()
    const other = new AsyncLocalStorage({ defaultValue: 'default' })
    const wait = (ms) => new Promise((done) => setTimeout(done, ms))
    const now = () => storage.getStore() ?? null
    async function* numbers() { yield now(); await wait(1); yield now() }
    async function work() {
      const seen = [now()]
      await wait(1); seen.push(now())
      await null; seen.push(now())
      for await (const each of numbers()) seen.push(each)
      await Promise.all([wait(1), (async () => { await 0; seen.push(now()) })()])
      try { await Promise.reject(new Error('x')) } catch { seen.push(now()) } finally { await 0; seen.push(now()) }
      await fs.write('/tmp/x', '1'); seen.push(now())
      const emitter = new EventEmitter().on('x', () => seen.push(now()))
      emitter.emit('x')
      await new Promise((done) => queueMicrotask(() => { seen.push(now()); done(0) }))
      await { then(done) { seen.push(now()); done(1) } }
      seen.push(await after(now))
      const id = await new Promise((done) => { const timer = setInterval(() => { clearInterval(timer); done(now()) }, 1) })
      seen.push(id)
      return [...new Set(seen)]
    }
    class Own extends Promise { then(...args) { this.seen ??= now(); return super.then(...args) } }
    export default async () => {
      const runs = ['a', 'b'].map((store) => storage.run(store, work))
      const outside = now()
      const bound = storage.run('bound', () => AsyncResource.bind(now))
      const snapshot = storage.run('snapshot', () => AsyncLocalStorage.snapshot())
      const nested = storage.run('outer', () => other.run('inner', () => [now(), other.getStore(), storage.exit(now)]))
      const thrown = (() => { try { storage.run('gone', () => { throw 1 }) } catch { return now() } })()
      const own = new Own((done) => done(1))
      await storage.run('own', async () => { await own })
      storage.enterWith('entered')
      await wait(1)
      return [await Promise.all(runs), outside, bound(), snapshot(now), nested, other.getStore(), thrown, own.seen, now()]
    }`,
    {
      'node_modules/dep/package.json': '{"type":"module"}',
      'node_modules/dep/index.js':
        'export async function after(f) { await 1; await Promise.race([new Promise(() => {}), 2]); return f() }',
    },
  )
  expect(value).toEqual([
    [['a'], ['b']],
    ...[null, 'bound', 'snapshot', ['outer', 'inner', null], 'default', null, 'own', 'entered'],
  ])
})

test('a file that asks whether it runs in Node.js learns that it does not; one that does not ask is served', async () => {
  const value = await runFile(
    `import { asked } from 'asks'
    import { used } from 'uses'
    export default () => [asked, used, process.env.TOKEN ?? null, typeof process, typeof globalThis.process, import.meta.url]`,
    {
      'node_modules/asks/index.js': `exports.asked = [typeof process, typeof Buffer, typeof process !== 'undefined' && process.versions.node ? 'node' : 'web', typeof(process)==='object' ? 1 : 2]`,
      'node_modules/uses/index.js': `exports.used = [process.env.HOME, process.platform, Buffer.from('a').toString('hex'), typeof global.setTimeout, __dirname, process.env.NODE_ENV].map(String)`,
    },
  )
  expect(value).toEqual([
    ['undefined', 'undefined', 'web', 2],
    ['undefined', 'gatehouse', '61', 'function', '/program', 'production'],
    ...[null, 'undefined', 'undefined', 'file:///program/program.js'],
  ])
})

test('what no file uses is not in the program', async () => {
  const { text } = await bundleProgram(project('export default (): number => 1'))
  expect(text).not.toMatch(/process|Buffer|node:/)
})

test('docs/user-space.md has a row for each module that is served, and for no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/user-space.md'), 'utf8')
  const [, table = ''] = /### Modules of Node\.js\n([\s\S]*?)\n\nEvery other one/.exec(page) ?? []
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(.*?)`/g)].map(([, name]) => name),
  )
  expect(named.toSorted()).toEqual(servedModules())
})

test.each(servedModules())('node:%s can be imported, required, and has what it names', async (name) => {
  const value = await runFile(
    `import * as all from 'node:${name}'
    import { required } from 'dep'
    export default () => [Object.keys(all.default ?? all).length > 0, typeof required]`,
    { 'node_modules/dep/index.js': `exports.required = require('${name}')` },
  )
  expect(value).toEqual([true, expect.stringMatching(/^(object|function)$/)])
})

test('what a served module lacks is there to be named, and says so when it is used', async () => {
  const value = await runFile(`import { createCipheriv } from 'node:crypto'
    import fs from 'node:fs'
    export default () => [() => createCipheriv('aes'), () => fs.watch('/'), () => process.kill(1)].map((use) => {
      try { return use() } catch (error) { return [error.code, error.message] } })`)
  for (const refused of value as unknown[])
    expect(refused).toEqual(['ENOSYS', expect.stringMatching(/user space does not have it; \w/)])
})

test('a name that a served module never had is no name of a program', async () => {
  const file = project(`import { nothing } from 'node:path'\nexport default () => nothing`)
  const { message } = await kernelErrorOf(() => bundleProgram(file))
  expect(message).toContain('`agent.ts:1:10`: No matching export in "node:path" for import "nothing"')
})
