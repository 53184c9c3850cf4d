/** How the web runtime gets into a guest: nothing before it is touched, ordinary properties after that, whatever was done before. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AgentSignal } from '../../../src/index.ts'
import { type Family, families } from '../../../src/isolate/web/families.ts'
import { webText } from '../../../src/isolate/web/texts.ts'
import { claims, thrownBy } from '../../support/claims.ts'
import { boot, exitValue, main, until } from '../../support/kernel.ts'

const names = Object.values(families).flat()
const built = join(import.meta.dirname, '../../../src/isolate/web/built')

describe('the texts', () => {
  test('each family has one, and names itself so that no stack shows it', () => {
    for (const family of Object.keys(families))
      expect(webText(family)).toMatch(
        new RegExp(`^\\(function[^]*\\}\\)\\n//# sourceURL=gatehouse:web/${family}\\n$`),
      )
  })

  test('what is no family is a text too, which says so in the guest', () => {
    for (const name of ['../../../package', 'none', '__proto__', 'constructor', 5, undefined, {}])
      expect(webText(name)).toMatch(/^\(\) => \{ throw new Error\('this installation has no web runtime/)
  })

  test('none tells where it was made, and each is in plain ASCII', () => {
    for (const file of readdirSync(built).filter(
      (name) => name.endsWith('.txt') && name !== 'LICENSES.txt',
    )) {
      const text = readFileSync(join(built, file), 'utf8')
      expect(text).not.toMatch(/node_modules|\/home|\/tmp\/|\/work/)
      expect([...text].findIndex((character) => character > '\x7f')).toBe(-1)
    }
  })

  test('the licences of all packages are beside them', () => {
    const text = readFileSync(join(built, 'LICENSES.txt'), 'utf8')
    for (const name of [
      'whatwg-url',
      'tr46',
      'web-streams-polyfill',
      'urlpattern-polyfill',
      '@exodus/bytes',
      '@noble/hashes',
      'fflate',
    ])
      expect(text).toContain(`${name} `)
  })
})

claims('a global of the web runtime', {
  'is an accessor until it is read, and then data; all names of a family are one load': [
    `const kind = (name) => { const it = Object.getOwnPropertyDescriptor(globalThis, name); return 'get' in it ? 'accessor' : [it.writable, it.enumerable, it.configurable].join() }
     const before = [kind('Event'), kind('AbortSignal'), 'Event' in globalThis]
     const same = Event === Event
     return [before, same, kind('Event'), kind('AbortSignal'), new AbortController().signal instanceof AbortSignal, new Event('x') instanceof Event]`,
    [['accessor', 'accessor', true], true, 'true,false,true', 'accessor', true, true],
  ],
  'can be written, defined and deleted before it is read': [
    `URL = 'mine'; globalThis.Blob = 5; delete globalThis.File; Object.defineProperty(globalThis, 'FormData', { value: 6 })
     const heir = Object.create(globalThis); heir.Headers = 7
     return [URL, Blob, typeof File, FormData, Object.keys(globalThis), Object.hasOwn(heir, 'Headers'), typeof Headers, typeof structuredClone({}), new Request('https://a.b').url]`,
    ['mine', 5, 'undefined', 6, [], true, 'function', 'object', 'https://a.b/'],
  ],
  'has the name of its class, and nothing of it can be enumerated among the globals': [
    `const names = ${JSON.stringify(names)}
     return [names.filter((name) => typeof globalThis[name] !== 'function' || globalThis[name].name !== name), Object.keys(globalThis)]`,
    [[], []],
  ],
  'is there although nothing can be put among the globals any more': [
    `Object.freeze(globalThis)
     return [new URL('https://a.b/c').pathname, new TextEncoder().encode('a').length, ${thrownBy('crypto.subtle.digest("SHA-1", new Uint8Array(1)).then(({ byteLength }) => { if (byteLength !== 20) throw 5 })')}]`,
    ['/c', 1, 'nothing'],
  ],
  'what was taken away stays away': [
    `const names = ${JSON.stringify(names)}
     for (const name of names) void globalThis[name]
     new URL('https://ex\\u00e4mple.org'); new TextDecoder('big5').decode(new Uint8Array([0xa7, 0x41]))
     return ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'Temporal', 'process', 'require', 'Buffer', 'window', 'WebSocket', 'XMLHttpRequest', 'Worker']
       .filter((name) => name in globalThis || typeof globalThis[name] !== 'undefined')`,
    [],
  ],
  'a load that runs out of stack fails, and the next one does not': [
    `let failed = 0
     const deep = () => { try { deep() } catch { try { void ReadableStream } catch { failed += 1 } } }
     deep()
     return [failed > 0, typeof ReadableStream, new ReadableStream().locked]`,
    [true, 'function', false],
  ],
})

describe('signals', () => {
  const touching = (family: Family): string => `void ${families[family][0]}`

  test('guests that are killed while they load are gone, and their cell is not', async () => {
    const kernel = boot({ isolation: 'cell' })
    const source = main(
      `await sys('clock.sleep', { ms: args[0] }); ${Object.keys(families)
        .filter((name) => families[name as Family].length > 0)
        .map((name) => touching(name as Family))
        .join(';')}; for (;;) {}`,
    )
    const all = Array.from({ length: 12 }, (_, at) => kernel.spawn({ source }, { args: [1 + (at % 4)] }))
    await Promise.all(
      all.map(async (process, at) => {
        await new Promise((resolve) => setTimeout(resolve, 2 + at * 3))
        process.signal(AgentSignal.SIGKILL)
        expect(await process.exit).toMatchObject({ status: 'killed' })
      }),
    )
    const after = await kernel.spawn({ source: main('return new URL("https://a.b").href') }).exit
    expect(exitValue(after)).toBe('https://a.b/')
  })

  test.each(['inline', 'cell'] as const)(
    'one that is stopped and goes on while it loads is whole, %s',
    async (isolation) => {
      const kernel = boot({ isolation })
      const process = kernel.spawn(
        {
          source: main(`const hosts = []
        for (const name of args[0]) { await sys('clock.time'); hosts.push(typeof globalThis[name]) }
        return [hosts.every((type) => type === 'function'), new URL('https://a.b').host]`),
        },
        { args: [names] },
      )
      let over = false
      void process.exit.then(() => {
        over = true
      })
      await until(() => process.state === 'running' || over, 'it runs')
      for (let round = 0; round < 6 && !over; round += 1) {
        process.signal(AgentSignal.SIGSTOP)
        await until(() => process.state === 'stopped' || over, 'it stands still')
        process.signal(AgentSignal.SIGCONT)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(exitValue(await process.exit)).toEqual([true, 'a.b'])
    },
  )
})
